"""What all tests share: a fast MindSpore, randomness that repeats, and a watch on the working directory."""

from __future__ import annotations

import gc
import os
from pathlib import Path

# On processors with AVX-512 or AMX oneDNN can take a reference kernel for convolutions, 100 times slower. It reads
# this once, when MindSpore is imported.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
# A test tells nobody what it runs.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Figures are drawn to memory: a test has no screen.
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
from hypothesis import settings

# The first run of a graph compiles it, so a deadline for one example measures nothing; examples are the same in every
# run, so that a failure belongs to the change that is tested.
settings.register_profile("gsjupyter", deadline=None, derandomize=True, database=None)
settings.load_profile("gsjupyter")


def pytest_collection_modifyitems(items):
    """Let files with slow tests come first: where processes share the files, none is left alone with a slow one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="module")
def garbage():
    """Collect what the tests of other modules have left, and let nobody count what is frozen then.

    Counting is a walk through all of it, as slow as collecting, and before each compilation gsjupyter only asks
    whether there is any.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "get_freeze_count", lambda: 1)
        yield


@pytest.fixture(autouse=True)
def few_objects_to_look_through(garbage):
    """Keep tests fast: MindSpore collects garbage at each compilation, through all that was imported and kept."""
    gc.freeze()


@pytest.fixture
def rng():
    """Give random numbers, the same in every run."""
    return np.random.default_rng(20240229)


@pytest.fixture(autouse=True)
def working_directory(request, tmp_path_factory, monkeypatch):
    """Run each test in an empty folder, and fail it if it leaves anything there, MindSpore's ``rank_0`` for example.

    What a test writes on purpose goes to `tmp_path`; one that needs relative names changes there first.
    """
    if request.node.get_closest_marker("browser"):
        yield Path.cwd()
        return
    folder = tmp_path_factory.mktemp("cwd")
    monkeypatch.chdir(folder)
    yield folder
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert left == [], f"left in the working directory: {', '.join(left)}"
