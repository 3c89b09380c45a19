"""The names of a rewritten network's module, with modules that look like those that rewrite writes."""

from __future__ import annotations

import sys

import pytest

from gsjupyter.goldenstick.rewritten_module import load_rewritten

ORIGINAL = "GAIN = {}\n\nclass {}:\n    pass\n"
REWRITTEN = """
from original_one import One
from original_two import Two

class OneOpt(One):
    def construct(self, x):
        return x * {}

class TwoOpt(Two):
    def construct(self, x):
        return [x * GAIN for _ in range(1)]
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def load(text, one="3", two="3"):
        (tmp_path / "original_one.py").write_text(ORIGINAL.format(one, "One"))
        (tmp_path / "original_two.py").write_text(ORIGINAL.format(two, "Two"))
        (tmp_path / "rewritten_1.py").write_text(text)
        return load_rewritten(tmp_path / "rewritten_1.py")

    yield load
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_constants_beside_the_original_class_are_found(load):
    module = load(REWRITTEN.format("1"))
    assert module.TwoOpt().construct(2) == [6]
    assert sys.modules["rewritten_1"] is module


def test_a_name_that_the_module_has_stays(load):
    assert load("GAIN = 7\n" + REWRITTEN.format("1")).TwoOpt().construct(2) == [14]


def test_one_name_with_two_values_is_not_guessed(load):
    module = load(REWRITTEN.format("GAIN"), one="'3'", two="'4'")
    with pytest.raises(NameError):
        module.TwoOpt().construct(2)


def test_a_module_that_fails_is_not_kept(load):
    with pytest.raises(ZeroDivisionError):
        load("1 / 0")
    assert "rewritten_1" not in sys.modules
