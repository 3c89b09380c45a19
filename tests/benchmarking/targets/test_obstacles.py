from __future__ import annotations

from dataclasses import replace

import pytest

from gsjupyter.benchmarking.records import Device
from gsjupyter.benchmarking.targets.ascend import Ascend
from gsjupyter.benchmarking.targets.mindspore_backends import AscendBackend, GpuBackend
from gsjupyter.benchmarking.targets.nvidia import Nvidia
from gsjupyter.benchmarking.targets.obstacles import ascend_obstacle, gpu_obstacle, other_way, provider_obstacle
from gsjupyter.engines.execution_providers import PROVIDERS

CARD = Nvidia((Device("gpu", "NVIDIA H100", 80_000_000_000, "580.65"),), "580.65", "13.0")
NO_CARD = Nvidia(obstacle="there is no NVIDIA GPU: no driver (libnvidia-ml.so.1) was found")
CUDA_LIBRARIES = ("libcublas.so.11", "libcurand.so.10", "libcudnn.so.8", "libcudart.so.11.0", "libcusolver.so.11")
BARE = GpuBackend(("11.1", "11.6"), chosen="11.6", missing=CUDA_LIBRARIES)
NEWER = replace(
    BARE,
    cuda_home="/usr/local/cuda",
    found_cuda="13.0",
    others={"libcudnn.so.9": "/usr/lib", "libcublas.so.13": "/usr/local/cuda/lib64"},
)
COMPLETE = replace(BARE, cuda_home="/usr/local/cuda-11.6", found_cuda="11.6", fits=True, missing=())
CUDA = PROVIDERS["cuda"]
NO_CUDA = replace(CUDA, obstacle="ONNX Runtime 1.32.0 as it is installed has no CUDA.")

NPU = Ascend((Device("ascend", "Ascend 910B4", 1 << 35, "24.1"),), "8.5.0", "/usr/local/Ascend/cann", True)
NO_NPU = Ascend(obstacle="there is no Ascend NPU: no device (/dev/davinci0) was found")
CANN_LIBRARIES = AscendBackend(missing=("libge_runner.so", "libascendcl.so"))


def test_no_gpu():
    obstacle = gpu_obstacle(NO_CARD, BARE, other_way="never told")
    assert obstacle.reason == "There is no NVIDIA GPU: no driver (libnvidia-ml.so.1) was found."
    assert "driver" in obstacle.advice
    assert "never told" not in obstacle.advice


def test_a_newer_cuda():
    obstacle = gpu_obstacle(CARD, NEWER, other_way=other_way(CARD, NO_CUDA))
    assert obstacle.reason == (
        "MindSpore's GPU backend wants CUDA 11.6's libcudnn.so.8, libcublas.so.11, libcurand.so.10, libcudart.so.11.0 "
        "and 1 more, which the loader doesn't find; this machine has CUDA 13.0 (driver 580.65), "
        "CUDA 13.0 in /usr/local/cuda, libcublas.so.13 and libcudnn.so.9."
    )
    assert obstacle.advice.startswith(
        "ONNX Runtime's CUDA provider would work: pip uninstall onnxruntime, then pip install "
        "onnxruntime-gpu[cuda,cudnn]. Or install the CUDA 11.6 toolkit with cuDNN 8"
    )


def test_libraries_that_lie_where_the_loader_does_not_look():
    backend = replace(BARE, missing=("libcudnn.so.8",), others={"libcudnn.so.8": "/x/nvidia/cudnn/lib"})
    obstacle = gpu_obstacle(CARD, backend)
    assert "wants CUDA 11.6's libcudnn.so.8, which" in obstacle.reason
    assert "/x/nvidia/cudnn/lib" in obstacle.advice
    assert "LD_LIBRARY_PATH" in obstacle.advice


def test_the_other_way():
    assert other_way(CARD, CUDA).startswith("ONNX Runtime's CUDA provider works here")
    older = other_way(replace(CARD, cuda="12.4"), NO_CUDA)
    assert older.endswith("pip install onnxruntime-gpu[cuda,cudnn], in a version that is made for CUDA 12.")
    broken = replace(CUDA, obstacle="CUDA didn't start: libcudnn.so.9 lacks.")
    assert other_way(CARD, broken).endswith("once this is mended: CUDA didn't start: libcudnn.so.9 lacks.")
    assert "pip install onnxruntime-gpu" in other_way(CARD, None)


@pytest.mark.parametrize(
    ("backend", "reason", "advice"),
    [
        (replace(COMPLETE, cuda_home="", found_cuda="", fits=False), "isn't set", '= "/usr/local/cuda-11.6"'),
        (replace(COMPLETE, found_cuda="", fits=False), "no bin/nvcc", "CUDA 11.1 or CUDA 11.6"),
        (
            replace(COMPLETE, cuda_home="/cuda", found_cuda="12.4", fits=False),
            "CUDA_HOME is /cuda, which is CUDA 12.4; MindSpore's GPU backend is made for CUDA 11.1 or CUDA 11.6.",
            "Or set it",
        ),
        (GpuBackend(), "MindSpore as it is installed has no GPU backend.", "ONNX"),
    ],
)
def test_cuda_is_there_and_mindspore_is_not_told(backend, reason, advice):
    obstacle = gpu_obstacle(CARD, backend, other_way="ONNX.")
    assert reason in obstacle.reason
    assert advice in obstacle.advice


def test_hidden_gpus():
    setting = "CUDA_VISIBLE_DEVICES='-1'"
    assert gpu_obstacle(CARD, COMPLETE, hidden_by=setting).reason == f"{setting} hides every GPU."
    # Nothing can be hidden that isn't there.
    assert gpu_obstacle(NO_CARD, COMPLETE, hidden_by=setting).reason == gpu_obstacle(NO_CARD, BARE).reason
    hidden = provider_obstacle(replace(CUDA, obstacle="no CUDA-capable device"), "", setting)
    assert (hidden.reason, hidden.advice) == (f"{setting} hides every GPU.", "Unset it, and restart the kernel.")


def test_what_may_work_is_tried():
    assert gpu_obstacle(CARD, COMPLETE) is None
    # A board whose driver can't be asked.
    assert gpu_obstacle(NO_CARD, COMPLETE) is None
    assert ascend_obstacle(NPU, AscendBackend()) is None


def test_no_npu_and_no_cann():
    obstacle = ascend_obstacle(NO_NPU, CANN_LIBRARIES)
    assert obstacle.reason == (
        "There is no Ascend NPU: no device (/dev/davinci0) was found, and the loader doesn't find CANN's "
        "libge_runner.so and libascendcl.so."
    )
    assert "CANN" in obstacle.advice


@pytest.mark.parametrize(
    ("ascend", "backend", "reason", "advice"),
    [
        (replace(NPU, cann="", cann_folder="", is_set_up=False), CANN_LIBRARIES, "CANN isn't installed", "mindspore"),
        (
            replace(NPU, is_set_up=False),
            CANN_LIBRARIES,
            "CANN 8.5.0 is in /usr/local/Ascend/cann, but its environment isn't set up.",
            "source /usr/local/Ascend/cann/set_env.sh",
        ),
        (
            replace(NPU, is_set_up=False, cann_folder="/usr/local/Ascend/ascend-toolkit/latest"),
            CANN_LIBRARIES,
            "isn't set up",
            "source /usr/local/Ascend/ascend-toolkit/set_env.sh",
        ),
        (NPU, CANN_LIBRARIES, "names CANN 8.5.0", "Install the CANN"),
        (NO_NPU, AscendBackend(), "There is no Ascend NPU", "CANN"),
        (NPU, AscendBackend(False), "has no Ascend backend", "mindspore"),
    ],
)
def test_what_keeps_mindspore_from_an_npu(ascend, backend, reason, advice):
    obstacle = ascend_obstacle(ascend, backend)
    assert reason in obstacle.reason
    assert advice in obstacle.advice


def test_a_provider():
    assert provider_obstacle(CUDA, NO_CARD.obstacle) is None
    absent = provider_obstacle(NO_CUDA, NO_CARD.obstacle)
    assert absent.reason == "There is no NVIDIA GPU: no driver (libnvidia-ml.so.1) was found."
    assert absent.advice == CUDA.advice
    assert provider_obstacle(NO_CUDA, "").reason == NO_CUDA.obstacle
