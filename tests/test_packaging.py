"""What the Python package and the JupyterLab extension have to agree on, and what must not get into the lock file."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

LABEXTENSION = Path(__file__).parents[1] / "labextension"


def test_the_extension_has_the_version_of_the_package():
    package = json.loads((LABEXTENSION / "package.json").read_text())
    assert package["version"] == version("gsjupyter")


def test_the_lock_file_names_no_registry():
    lock = json.loads((LABEXTENSION / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
