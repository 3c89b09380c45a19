"""The traits of a panel, and the messages that change them."""

from contextlib import nullcontext

import pytest

from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.options_data import data_from
from gsjupyter.widgets.panel_state import PanelState


class Listener(PanelState):
    """Takes note of what it heard, and of the options that it had then."""

    def __init__(self) -> None:
        self.found: list[object] = []
        super().__init__(Kernel(), nullcontext(), _esm="export default {}", options=data_from({}))

    def heard(self, content: object) -> None:
        self.found.append((content, self.options["weights"]))

    def accept(self) -> None:
        self.found.append("accepted")

    def refuse(self, error: Exception) -> None:
        self.found.append(str(error))


@pytest.fixture
def listener():
    shown = Listener()
    yield shown
    shown.close()


def send(listener, **content):
    listener._handle_msg({"content": {"data": {"method": "custom", "content": content}}})


def test_options_that_go_along_with_a_message_count_before_it(listener):
    send(listener, command="measure", options={**listener.options, "weights": "int4"})
    assert listener.found == ["accepted", ({"command": "measure"}, "int4")]


def test_options_that_are_known_go_along_without_being_sent_back(listener, monkeypatch):
    sent = []
    monkeypatch.setattr(listener, "_send", lambda message, buffers=None: sent.append(message))
    send(listener, command="measure", options=dict(listener.options))
    assert listener.found == ["accepted", ({"command": "measure"}, "float32")]
    assert sent == []
    send(listener, command="measure", options={**listener.options, "weights": "int4"})
    assert sent != []


def test_options_that_cannot_be_read_are_refused_and_change_nothing(listener):
    send(listener, command="measure", options={**listener.options, "weights": "int9"})
    assert "int9" in listener.found[0]
    assert listener.found[1] == ({"command": "measure"}, "float32")
