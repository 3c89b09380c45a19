from __future__ import annotations

from types import SimpleNamespace

import pynvml
import pytest

from gsjupyter.benchmarking.records import Device
from gsjupyter.benchmarking.targets import probes
from gsjupyter.benchmarking.targets.nvidia import Nvidia, hiding, look
from gsjupyter.benchmarking.targets.probes import find_nvidia, forget_devices


@pytest.fixture
def driver(monkeypatch):
    """Give a driver of two cards, of which the second shares the processor's memory and so tells none of its own."""

    def memory(handle):
        if handle == 1:
            raise pynvml.NVMLError_NotSupported
        return SimpleNamespace(total=85_899_345_920)

    answers = {
        "nvmlInit": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "580.65.06",
        "nvmlSystemGetCudaDriverVersion_v2": lambda: 13010,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetName": lambda handle: b"NVIDIA H100 80GB HBM3" if handle == 0 else "NVIDIA GB10",
        "nvmlDeviceGetMemoryInfo": memory,
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    return monkeypatch


def test_cards_with_their_memory_and_the_drivers_versions(driver):
    found = Nvidia.from_answer(look())
    assert found.devices == (
        Device("gpu", "NVIDIA H100 80GB HBM3", 85_899_345_920, "580.65.06"),
        Device("gpu", "NVIDIA GB10", None, "580.65.06"),
    )
    assert (found.cuda, found.obstacle) == ("13.1", "")


def test_a_driver_that_sees_no_card(driver):
    driver.setattr(pynvml, "nvmlDeviceGetCount", lambda: 0)
    assert look()["obstacle"] == "NVIDIA's driver 580.65.06 sees no GPU"


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [
        (pynvml.NVMLError_LibraryNotFound, "there is no NVIDIA GPU: no driver (libnvidia-ml.so.1) was found"),
        (pynvml.NVMLError_DriverNotLoaded, "NVIDIA's driver is installed, but isn't loaded"),
        (pynvml.NVMLError_LibRmVersionMismatch, "NVIDIA's driver doesn't answer: RM has detected an NVML/RM version"),
    ],
)
def test_why_there_is_no_driver(driver, error, obstacle):
    def fail():
        raise error

    driver.setattr(pynvml, "nvmlInit", fail)
    found = Nvidia.from_answer(look())
    assert found.devices == ()
    assert found.obstacle.startswith(obstacle)


def test_this_machine_has_a_card_or_says_why_not():
    found = find_nvidia()
    assert bool(found.devices) != bool(found.obstacle)


def test_a_driver_that_hangs_is_told_in_words(monkeypatch):
    monkeypatch.setattr(probes, "_DRIVER_LIMIT_S", 0.0)
    forget_devices()
    try:
        assert find_nvidia() == Nvidia(obstacle="NVIDIA's driver took more than 0 s, and was ended")
    finally:
        forget_devices()


def test_what_hides_every_card():
    assert hiding({"CUDA_VISIBLE_DEVICES": ""}) == "CUDA_VISIBLE_DEVICES=''"
    assert hiding({"CUDA_VISIBLE_DEVICES": "-1"}) == "CUDA_VISIBLE_DEVICES='-1'"
    assert hiding({"CUDA_VISIBLE_DEVICES": "0,1"}) == hiding({}) == ""
