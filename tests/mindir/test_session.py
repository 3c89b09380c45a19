from __future__ import annotations

import gc
import os

import mindspore
import pytest

from gsjupyter.mindir.session import first_line, undisturbed


@pytest.fixture(scope="module")
def garbage():
    """Leave the garbage collector as it is: it is looked at here."""


def test_what_goes_well_may_write_to_stderr(capfd):
    with undisturbed():
        os.write(2, b"a warning\n")
    assert capfd.readouterr().err == "a warning\n"


def test_of_a_failure_nothing_is_written_to_stderr(capfd):
    with pytest.raises(ZeroDivisionError), undisturbed():
        os.write(2, b"a C++ stack\n") / 0
    assert capfd.readouterr().err == ""


def test_the_syntax_level_is_put_back():
    before = mindspore.get_context("jit_syntax_level")
    with undisturbed():
        mindspore.set_context(jit_syntax_level=mindspore.STRICT)
    assert mindspore.get_context("jit_syntax_level") == before


def test_it_may_be_used_inside_itself(capfd):
    with undisturbed(), undisturbed():
        os.write(2, b"a warning\n")
    assert capfd.readouterr().err == "a warning\n"


@pytest.mark.parametrize(("message", "line"), [("a\nb", "a"), ("\n\n  a  \n", "a"), ("", "ValueError")])
def test_the_first_line_of_a_message_is_the_first_with_words(message, line):
    assert first_line(ValueError(message)) == line


def test_the_garbage_collector_is_given_back_as_it_was():
    gc.unfreeze()
    with undisturbed():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
    gc.freeze()
    with undisturbed(), undisturbed():
        pass
    assert gc.get_freeze_count() > 0
