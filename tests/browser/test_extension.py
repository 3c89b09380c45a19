"""The installed extension, as JupyterLab itself lists it."""

from __future__ import annotations

import re
import subprocess
import sys


def test_it_is_enabled(lab_environment):
    listing = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"],
        env=lab_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", listing.stdout + listing.stderr)
    assert re.search(r"gsjupyter v\S+ enabled OK", plain), plain
