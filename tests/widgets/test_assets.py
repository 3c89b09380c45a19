from __future__ import annotations

import pytest

from gsjupyter.errors import UnsupportedError
from gsjupyter.report.assets import is_built
from gsjupyter.widgets import assets

needs_build = pytest.mark.skipif(not is_built("report.js"), reason="the front end was not built (pip install -e .)")


@needs_build
@pytest.mark.parametrize("name", ["panel", "report"])
def test_scripts_and_styles_come_with_the_package(name):
    assert "export" in assets.script(name)
    assert ".gs-" in assets.style(name)


def test_what_was_not_built_is_said_in_words():
    with pytest.raises(UnsupportedError, match=r"static/other\.js is missing.*\n.*pip install"):
        assets.script("other")
