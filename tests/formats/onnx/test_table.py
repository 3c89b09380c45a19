"""The families' tables in one: nothing in two of them, and none forgotten."""

from __future__ import annotations

import pkgutil
from collections import Counter
from importlib import import_module

import gsjupyter.formats.onnx as package
from gsjupyter.formats.onnx import table


def families():
    names = (item.name for item in pkgutil.iter_modules(package.__path__))
    modules = [import_module(f"{package.__name__}.{name}") for name in names if name != "table"]
    found = {module.__name__: getattr(module, "LOWERINGS", table.LOWERINGS) for module in modules}
    return {name: lowerings for name, lowerings in found.items() if lowerings is not table.LOWERINGS}


def test_no_operator_is_in_two_families_tables():
    counts = Counter(operator for lowerings in families().values() for operator in lowerings)
    assert {operator for operator, count in counts.items() if count > 1} == set()


def test_each_family_is_in_the_table():
    assert dict(table.LOWERINGS) == {
        operator: lowering for lowerings in families().values() for operator, lowering in lowerings.items()
    }
