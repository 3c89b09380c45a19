"""The release of MindSpore Lite that the tests run: its real engine 2.0.0, which tests/lite/engine puts together."""

import os
import sys
from pathlib import Path

HOW_TO_BUILD = "make test-lite builds it, on Linux on x86-64 with g++"


def lite_home() -> Path:
    """Return where the release lies, built or not: at ``LITE_HOME``, or else in the environment that runs the tests."""
    return Path(os.environ.get("LITE_HOME") or Path(sys.prefix) / "lite")


def is_built() -> bool:
    """Say whether the release is there."""
    return (lite_home() / "tools" / "converter" / "converter" / "converter_lite").is_file()
