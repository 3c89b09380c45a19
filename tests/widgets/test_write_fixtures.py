"""What the tests in TypeScript are held against is what Python computes."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from tests.widgets.write_fixtures import FOLDER, files

# Runs of a network differ in the last digits between processors.
TOLERANCE = 1e-3


def assert_alike(found, expected, place=""):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for key, value in expected.items():
            assert_alike(found[key], value, f"{place}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for index, value in enumerate(expected):
            assert_alike(found[index], value, f"{place}[{index}]")
    elif place.endswith(".data"):
        # Another zlib may deflate the same bytes to others.
        assert zlib.decompress(base64.b64decode(found)) == zlib.decompress(base64.b64decode(expected)), place
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=1e-12), place
    elif not place.endswith(".measurement") and ".counts[" not in place:
        assert found == expected, place


def test_the_files_are_what_the_script_makes():
    for name, expected in files().items():
        assert_alike(json.loads((FOLDER / name).read_text(encoding="utf-8")), json.loads(json.dumps(expected)), name)
