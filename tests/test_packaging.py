"""What the Python package and its TypeScript have to agree on, and what must not get into the files that are built."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from gsjupyter.report.assets import asset

LABEXTENSION = Path(__file__).parents[1] / "labextension"


def test_the_extension_has_the_version_of_the_package():
    package = json.loads((LABEXTENSION / "package.json").read_text())
    assert package["version"] == version("gsjupyter")


def test_the_lock_file_names_no_registry():
    lock = json.loads((LABEXTENSION / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


@pytest.mark.parametrize("name", ["panel.js", "panel.css", "report.js", "report.css"])
def test_what_saved_pages_carry_needs_no_network(name):
    text = asset(name)
    # The names of XML's namespaces look like addresses.
    assert set(re.findall(r"\w+://[^/\"'`]*", text)) <= {"http://www.w3.org"}
    assert re.findall(r"\bimport\b|@import|url\((?!['\"]?(?:data:|#))", text) == []


def test_the_panel_is_a_module_for_widgets_and_for_saved_pages():
    assert re.search(r"export ?\{\w+ as default,\w+ as showSaved\};\s*$", asset("panel.js"))
    assert re.search(r"export ?\{\w+ as showReport\};\s*$", asset("report.js"))
