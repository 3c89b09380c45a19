from __future__ import annotations

import os

import pytest

from gsjupyter.benchmarking.targets.control_groups import Limits, group_limits


@pytest.fixture
def group(tmp_path):
    """Give a folder that looks like ``/sys/fs/cgroup``, and a function that finds the limits of a process in it."""

    def limits(membership, files):
        for name, text in files.items():
            file = tmp_path / "mounted" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        (tmp_path / "cgroup").write_text(membership)
        return group_limits(tmp_path / "mounted", tmp_path / "cgroup")

    return limits


def test_version_2(group):
    found = group("0::/user/job\n", {"user/job/cpu.max": "350000 100000", "user/job/memory.max": "4294967296"})
    assert found == Limits(3.5, 4 << 30)


def test_a_group_around_it_limits_it_too(group):
    files = {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000", "a/b/memory.max": "max", "memory.max": "1000"}
    assert group("0::/a/b\n", files) == Limits(2.0, 1000)


def test_the_least_of_several_counts(group):
    assert group("0::/a/b\n", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "50000 100000"}).processors == 0.5


def test_version_1_with_its_controllers_in_folders_of_their_own(group):
    files = {
        "cpu,cpuacct/docker/x/cpu.cfs_quota_us": "150000",
        "cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000",
        "memory/docker/x/memory.limit_in_bytes": "2000",
        "cpuset/docker/x/cpu.max": "1 100000",
    }
    membership = "5:cpuset:/docker/x\n4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n0::/\n"
    assert group(membership, files) == Limits(1.5, 2000)


def test_version_1_in_a_container_that_sees_only_its_own_group(group):
    """The process is told the group's name outside, and what is mounted is the group itself."""
    files = {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}
    assert group("3:cpu:/docker/0123\n", files).processors == 2.0


def test_version_2_beside_version_1(group):
    assert group("4:memory:/\n0::/job\n", {"unified/job/cpu.max": "100000 100000"}).processors == 1.0


def test_a_group_outside_its_own_namespace(group):
    assert group("0::/../../other\n", {"cpu.max": "300000 100000"}).processors == 3.0


@pytest.mark.parametrize(
    ("membership", "files"),
    [
        ("", {}),
        ("0::/\n", {"cpu.max": "max 100000", "memory.max": "max"}),
        ("2:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}),
        ("nonsense\n0::\n", {"cpu.max": "", "memory.max": "much"}),
    ],
)
def test_no_limit(group, membership, files):
    assert group(membership, files) == Limits()


def test_no_control_groups(tmp_path):
    assert group_limits(tmp_path / "none", tmp_path / "neither") == Limits()


def test_this_process_has_processors_and_memory():
    found = group_limits()
    assert found.processors is None or found.processors > 0
    assert found.memory_bytes is None or found.memory_bytes > 1 << 20


def test_a_group_may_be_called_by_any_bytes(tmp_path):
    group = tmp_path / os.fsdecode(b"caf\xe9")
    group.mkdir()
    (group / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "cgroup").write_bytes(b"0::/caf\xe9\n")
    assert group_limits(tmp_path, tmp_path / "cgroup") == Limits(1.5)


@pytest.mark.parametrize("quota", [b"\xff\xfe", b"1" * 400 + b" 1", b"1" * 5000 + b" 1", b"100000 0", b"\0"])
def test_what_makes_no_sense_is_no_limit(quota, tmp_path):
    (tmp_path / "cpu.max").write_bytes(quota)
    (tmp_path / "cgroup").write_text("0::/\n")
    assert group_limits(tmp_path, tmp_path / "cgroup") == Limits()
