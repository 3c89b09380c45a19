"""What the tests with the real MindSpore Lite share: where it lies, and an environment that finds it."""

import os

import pytest

from tests.lite.release import HOW_TO_BUILD, is_built
from tests.lite.release import lite_home as home_of_lite


@pytest.fixture(scope="session")
def lite_home():
    """Give the folder of the release; without one the test is skipped, but on a build server it fails."""
    home = home_of_lite()
    if not is_built():
        reason = f"no MindSpore Lite at {home}: {HOW_TO_BUILD}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return home


@pytest.fixture
def lite_environment(lite_home, monkeypatch):
    """Let gsjupyter find the release's programs, and no other."""
    monkeypatch.setenv("LITE_HOME", str(lite_home))
    return lite_home


@pytest.fixture
def lite_package(lite_home, monkeypatch):
    """Let worker processes import ``mindspore_lite``; this one has MindSpore, beside which it can't be."""
    monkeypatch.syspath_prepend(str(lite_home / "python"))
    return lite_home
