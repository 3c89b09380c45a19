"""Tests with the real Golden Stick, which lives in an environment of its own (`make test-goldenstick`)."""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("mindspore_gs") is None:
    collect_ignore_glob = ["*"]
