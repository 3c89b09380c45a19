from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from gsjupyter.attachment import Attachment


@pytest.fixture
def attachment():
    attachment = Attachment()
    yield attachment
    attachment.undo()
    assert not [finder for finder in sys.meta_path if type(finder).__module__ == "gsjupyter.attachment"]


@pytest.fixture
def module_name(tmp_path, monkeypatch):
    (tmp_path / "imported_later.py").write_text("value = 1\n\ndef function():\n    return value\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield "imported_later"
    sys.modules.pop("imported_later", None)


def test_a_module_is_acted_on_when_it_is_imported(attachment, module_name):
    seen = []
    attachment.when_imported(module_name, seen.append)
    assert seen == []
    module = importlib.import_module(module_name)
    assert seen == [module]
    assert importlib.reload(module) is module
    assert seen == [module]


def test_a_module_that_is_imported_already_is_acted_on_at_once(attachment, module_name):
    module = importlib.import_module(module_name)
    seen = []
    attachment.when_imported(module_name, seen.append)
    assert seen == [module]


def test_a_module_has_its_own_loader_and_source(attachment, module_name):
    attachment.when_imported(module_name, lambda module: None)
    module = importlib.import_module(module_name)
    assert type(module.__loader__).__module__ != "gsjupyter.attachment"
    assert module.__spec__.loader is module.__loader__
    assert module.__loader__.get_source(module_name).startswith("value = 1")


def test_what_is_replaced_is_given_back(attachment, module_name):
    attachment.when_imported(module_name, lambda module: attachment.replace(module, "value", 2))
    module = importlib.import_module(module_name)
    assert module.function() == 2
    attachment.undo()
    assert module.function() == 1


def test_a_static_method_is_given_back_as_one(attachment):
    class Owner:
        @staticmethod
        def method(x):
            return x

    attachment.replace(Owner, "method", staticmethod(lambda x: -x))
    assert Owner().method(1) == -1
    attachment.undo()
    assert Owner().method(1) == 1


def test_what_others_replaced_since_stays(attachment):
    module = ModuleType("other")
    module.value = 1
    attachment.replace(module, "value", 2)
    module.value = 3
    attachment.undo()
    assert module.value == 3


def test_a_version_that_is_not_known_is_imported_all_the_same(attachment, module_name):
    attachment.when_imported(module_name, lambda module: attachment.replace(module, "missing", 2))
    with pytest.warns(UserWarning, match="gsjupyter doesn't know this version of imported_later: .*missing"):
        module = importlib.import_module(module_name)
    assert module.value == 1


def test_after_undo_nothing_is_acted_on(attachment, module_name):
    seen = []
    attachment.when_imported(module_name, seen.append)
    attachment.undo()
    importlib.import_module(module_name)
    assert seen == []
