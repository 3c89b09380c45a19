from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from gsjupyter.benchmarking.targets.control_groups import Limits
from gsjupyter.benchmarking.targets.machine import Share, features_of, share_of, this_machine, this_share

GB = 1_000_000_000


@pytest.fixture(scope="module")
def machine():
    return this_machine()


def test_it_is_this_machine(machine):
    assert machine.host == platform.node()
    assert platform.release() in machine.system
    assert machine.processor
    assert 1 <= machine.threads <= len(os.sched_getaffinity(0))
    assert 0 < machine.memory_bytes <= psutil.virtual_memory().total


def test_its_versions_are_those_installed(machine):
    for package in ("mindspore", "numpy", "onnxruntime", "gsjupyter"):
        assert machine.versions[package] == version(package)
    assert machine.versions["python"] == platform.python_version()


def test_its_features_are_the_processors(machine):
    flags = Path("/proc/cpuinfo").read_text()
    assert all(f" {feature}" in flags for feature in machine.features if feature.startswith(("avx", "amx")))
    assert ("avx2" in machine.features) == (" avx2 " in flags)


def test_a_process_bound_to_one_processor_may_use_one():
    allowed = os.sched_getaffinity(0)
    if len(allowed) == 1:
        pytest.skip("there is only one")
    try:
        os.sched_setaffinity(0, {min(allowed)})
        share = this_share()
    finally:
        os.sched_setaffinity(0, allowed)
    assert share.threads == 1
    assert share.notes[0] == (f"This process may run on 1 of the machine's {os.cpu_count()} processors (its affinity).")


def test_without_limits_everything_may_be_used():
    assert share_of(64, 256 * GB, affinity=64, limits=Limits()) == Share(64, 256 * GB)


def test_a_quota_says_what_the_machine_has_besides():
    share = share_of(64, 256 * GB, affinity=64, limits=Limits(3.5, 8 * GB))
    assert (share.threads, share.memory_bytes) == (3, 8 * GB)
    assert share.notes == (
        (
            "This process gets the time of 3.5 of the machine's 64 processors (its control group's quota): "
            "benchmarks take 3 threads."
        ),
        "This process may hold 8.0 GB of the machine's 256 GB of memory (its control group's limit).",
    )


@pytest.mark.parametrize(
    ("affinity", "quota", "threads", "notes"), [(2, 4.0, 2, 1), (8, 4.0, 4, 2), (16, 0.2, 1, 1), (16, 16.0, 16, 0)]
)
def test_the_least_of_affinity_and_quota_counts(affinity, quota, threads, notes):
    share = share_of(16, GB, affinity=affinity, limits=Limits(quota, 9 * GB))
    assert (share.threads, share.memory_bytes, len(share.notes)) == (threads, GB, notes)


def test_features_have_their_usual_names():
    assert features_of(["sse2", "avx2", "avx512vnni", "amx_int8"]) == ("avx2", "avx512_vnni", "amx_int8")
    assert features_of(["fp", "asimddp", "asimd", "i8mm"]) == ("asimd", "dotprod", "i8mm")
