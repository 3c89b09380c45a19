from __future__ import annotations

from types import SimpleNamespace

import pytest

from gsjupyter.widgets import saved_view
from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.saved_view import SavedView


class Events(list):
    """What a shell calls at the end of a cell."""

    def register(self, event, callback):
        assert event == "post_run_cell"
        self.append(callback)

    def unregister(self, event, callback):
        self.remove(callback)


class Loop(list):
    def call_later(self, delay_s, callback):
        self.append((delay_s, callback))


@pytest.fixture
def shell():
    return SimpleNamespace(
        kernel=SimpleNamespace(io_loop=Loop()), events=Events(), get_parent=lambda: {"header": {"msg_id": "cell"}}
    )


@pytest.fixture
def sent(monkeypatch):
    sent = []
    for name in ("display", "update_display"):
        monkeypatch.setattr(
            saved_view, name, lambda data, raw, display_id, name=name: sent.append((name, data["state"], display_id))
        )
    return sent


@pytest.fixture
def now_s():
    return [100.0]


@pytest.fixture
def state():
    return {"state": 0}


@pytest.fixture
def view(shell, sent, now_s, state):
    return SavedView(Kernel(shell), lambda: dict(state), lambda: now_s[0])


def test_what_is_not_shown_is_not_kept_up_to_date(view, shell, sent):
    view.changed()
    assert (sent, shell.kernel.io_loop, shell.events) == ([], [], [])


def test_the_output_follows_changes_with_two_seconds_between_them(view, shell, sent, now_s, state):
    view.show()
    assert view.cell == {"header": {"msg_id": "cell"}}
    for number in (1, 2):
        state["state"] = number
        view.changed()
    (delay_s, due), *others = shell.kernel.io_loop
    assert (delay_s, others) == (0.0, [])
    due()
    state["state"] = 3
    now_s[0] += 0.5
    view.changed()
    assert shell.kernel.io_loop[1][0] == pytest.approx(1.5)
    shell.kernel.io_loop[1][1]()
    assert [(name, shown) for name, shown, _ in sent] == [("display", 0), ("update_display", 2), ("update_display", 3)]
    assert len({place for _, _, place in sent}) == 1


def test_what_must_not_be_lost_is_kept_at_once_and_not_once_more(view, shell, sent, state):
    view.show()
    state["state"] = 1
    view.changed(at_once=True)
    state["state"] = 2
    view.changed(at_once=True)
    view.changed()
    assert [shown for _, shown, _ in sent] == [0, 1, 2]
    assert [delay_s for delay_s, _ in shell.kernel.io_loop] == [2.0]


def test_where_a_changed_output_is_drawn_anew_only_results_and_cells_change_it(view, shell, sent, state):
    view.show()
    view.is_drawn_in_place = False
    state["state"] = 1
    view.changed()
    assert (len(sent), shell.kernel.io_loop) == (1, [])
    view.changed(at_once=True)
    state["state"] = 2
    view.changed()
    shell.events[0]("a result")
    assert [shown for _, shown, _ in sent] == [0, 1, 2]


def test_a_cell_that_ends_sends_what_is_still_to_be_sent_and_nothing_twice(view, shell, sent, state):
    view.show()
    view.show()
    assert len(shell.events) == 1
    shell.events[0]()
    state["state"] = 1
    view.changed()
    shell.events[0]("a result")
    shell.kernel.io_loop[0][1]()
    assert [name for name, _, _ in sent] == ["display", "display", "update_display"]


def test_a_closed_panel_leaves_its_output_as_it_is(view, shell, sent):
    view.show()
    view.changed()
    view.close()
    shell.kernel.io_loop[0][1]()
    view.changed()
    view.close()
    assert [name for name, _, _ in sent] == ["display"]
    assert shell.events == []
