from __future__ import annotations

import gc

import pytest

from gsjupyter.widgets.shown_cells import ShownCells


class Thing:
    def __init__(self):
        self.is_closed = False

    def close(self):
        self.is_closed = True


def cell(name, request):
    return {"header": {"msg_id": request}, "metadata": {"cellId": name} if name else {}}


@pytest.fixture
def cells():
    return ShownCells()


def test_what_a_cell_showed_is_closed_when_it_shows_another(cells):
    first, second = Thing(), Thing()
    cells.show(cell("a", "1"), first)
    cells.show(cell("b", "2"), second)
    assert not first.is_closed
    cells.show(cell("a", "3"), Thing())
    assert (first.is_closed, second.is_closed) == (True, False)


def test_two_in_one_run_of_a_cell_stay(cells):
    first, second = Thing(), Thing()
    cells.show(cell("a", "1"), first)
    cells.show(cell("a", "1"), second)
    assert not first.is_closed
    cells.show(cell("a", "2"), second)
    assert (first.is_closed, second.is_closed) == (True, False)


def test_what_another_cell_shows_too_stays_until_that_runs_again(cells):
    thing = Thing()
    cells.show(cell("a", "1"), thing)
    cells.show(cell("b", "2"), thing)
    cells.show(cell("a", "3"), Thing())
    assert not thing.is_closed
    cells.show(cell("b", "4"), Thing())
    assert thing.is_closed


def test_where_cells_have_no_names_nothing_is_closed(cells):
    thing = Thing()
    cells.show(cell(None, "1"), thing)
    cells.show({}, thing)
    cells.show(cell(None, "2"), Thing())
    assert not thing.is_closed


def test_what_nobody_holds_any_more_is_not_kept_for_it(cells):
    cells.show(cell("a", "1"), Thing())
    gc.collect()
    cells.show(cell("a", "2"), Thing())
