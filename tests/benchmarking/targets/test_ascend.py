from __future__ import annotations

import pytest

from gsjupyter.benchmarking.records import Device
from gsjupyter.benchmarking.targets.ascend import Ascend, find_ascend, listed, look

MB = 1 << 20
RULE = "+---------------------------+---------------+----------------------------------------------------+\n"
TRAINING = f"""{RULE}| npu-smi 24.1.rc2                 Version: 24.1.rc2                                   |
{RULE}| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B4               | OK            | 86.0        40                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          2828 / 32768         |
+===========================+===============+====================================================+
| 1     910B4               | Warning       | 84.7        37                0    / 0             |
| 0                         | 0000:C2:00.0  | 0           0    / 0          2830 / 32768         |
+===========================+===============+====================================================+
{RULE}| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
+===========================+===============+====================================================+
| 0       0                 | 3594524       | python3                  | 617                     |
+===========================+===============+====================================================+
| No running processes found in NPU 1                                                            |
"""
INFERENCE = """
| NPU   Name   | Health      | Power(W)  Temp(C)           Hugepages-Usage(page|
| Chip  Device | Bus-Id      | AICore(%) Memory-Usage(MB)                      |
| 0     310P3  | OK          | NA        51                996   / 996         |
| 0     0      | 0000:01:00.0| 0         3841 / 21527                          |
"""
TWO_CHIPS = """
| 1     Ascend910           | OK            | 150.0       44                0    / 0             |
| 0     2                   | 0000:9E:00.0  | 0           0    / 0          3343  / 65536        |
| 1     3                   | 0000:9F:00.0  | 0           0    / 0          3343  / 65536        |
"""


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (TRAINING, [("Ascend 910B4", 32768 * MB)] * 2),
        (INFERENCE, [("Ascend 310P3", 21527 * MB)]),
        (TWO_CHIPS, [("Ascend910", 65536 * MB)] * 2),
        ("dcmi module initialize failed. ret is -8005\n", []),
        ("", []),
    ],
)
def test_what_the_drivers_program_lists(table, expected):
    assert [(item["name"], item["memory_bytes"]) for item in listed(table)] == expected


def test_the_drivers_program_is_asked(tmp_path, monkeypatch):
    program = tmp_path / "npu-smi"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = info ] && cat <<'END'\n{INFERENCE}\nEND\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert look() == {"devices": [{"name": "Ascend 310P3", "memory_bytes": 21527 * MB}]}


def written(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_devices_and_the_driver(tmp_path):
    files = dict.fromkeys(["dev/davinci0", "dev/davinci12", "dev/davinci_manager"], "")
    root = written(tmp_path, {**files, "usr/local/Ascend/driver/version.info": "Version=24.1.rc2\nascendhal=7\n"})
    assert find_ascend(root, {}) == Ascend((Device("ascend", "Ascend NPU", driver="24.1.rc2"),) * 2)


@pytest.mark.parametrize(
    ("folder", "file", "text", "version"),
    [
        (
            "usr/local/Ascend/ascend-toolkit/latest",
            "aarch64-linux/ascend_toolkit_install.info",
            "package_name=Ascend-cann-toolkit\nversion=8.3.RC2\ninnerversion=V100R001C23SPC002B210\narch=aarch64\n",
            "8.3.RC2",
        ),
        (
            "usr/local/Ascend/ascend-toolkit/latest",
            "version.cfg",
            "# version: 1.0\nruntime_running_version=[7.3.0.1.231:8.0.RC2]\ncompiler_running_version=[7.3:8.0.RC2]\n",
            "8.0.RC2",
        ),
        ("usr/local/Ascend/cann", "compiler/version.info", "Version=8.5.0\n", "8.5.0"),
        ("usr/local/Ascend/nnae/latest", "ascend_nnae_install.info", "version=8.2.RC1\n", "8.2.RC1"),
        ("usr/local/Ascend/cann", "readme", "nothing", "unknown"),
    ],
)
def test_the_version_of_cann(tmp_path, folder, file, text, version):
    found = find_ascend(written(tmp_path, {f"{folder}/{file}": text}), {})
    assert (found.cann, found.cann_folder, found.is_set_up) == (version, str(tmp_path / folder), False)
    assert found.obstacle == "there is no Ascend NPU: no device (/dev/davinci0) was found"


def test_the_environment_says_which_cann_it_is(tmp_path):
    root = written(
        tmp_path,
        {
            "usr/local/Ascend/cann/compiler/version.info": "Version=8.5.0\n",
            "home/cann-9.0.0/x86_64-linux/ascend_toolkit_install.info": "version=9.0.0\n",
        },
    )
    found = find_ascend(root, {"ASCEND_HOME_PATH": str(root / "home/cann-9.0.0")})
    assert (found.cann, found.cann_folder, found.is_set_up) == ("9.0.0", str(root / "home/cann-9.0.0"), True)


def test_a_driver_without_a_device(tmp_path):
    root = written(tmp_path, {"usr/local/Ascend/driver/version.info": "Version=23.0.3\n"})
    assert find_ascend(root, {}).obstacle.endswith("was found, though the driver 23.0.3 is installed")


def test_a_folder_that_can_not_be_looked_at_is_no_folder(tmp_path):
    # What another user's folder is to all but root: an error that `Path.is_dir` raises.
    found = find_ascend(tmp_path, {"ASCEND_HOME_PATH": "x" * 5000})
    assert (found.cann_folder, found.is_set_up) == ("", True)
