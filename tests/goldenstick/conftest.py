"""Tests with the real Golden Stick, which lives in an environment of its own (`make test-goldenstick`).

Those in `unit` need none: MindSpore itself has the operators that the algorithms leave.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

if importlib.util.find_spec("mindspore_gs") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(autouse=True)
def rewritten_networks(working_directory):
    """Remove what Golden Stick leaves in the working directory where the extension isn't loaded."""
    yield
    shutil.rmtree(Path("rewritten_network"), ignore_errors=True)
