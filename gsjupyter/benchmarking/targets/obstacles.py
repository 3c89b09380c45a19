"""What is in the way of an engine, and what to do about it, in words: judged from what was found, asking nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gsjupyter.benchmarking.targets.ascend import Ascend
from gsjupyter.benchmarking.targets.mindspore_backends import CUDA_HOME, AscendBackend, GpuBackend
from gsjupyter.benchmarking.targets.nvidia import Nvidia
from gsjupyter.engines.execution_providers import PROVIDERS, Provider
from gsjupyter.errors import GsError

INSTALL_MINDSPORE: Final = 'Install it: pip install "mindspore>=2.7.1.post1,<2.11".'

_GUIDE: Final = "https://www.mindspore.cn/install"
_NO_GPU: Final = (
    "Install NVIDIA's driver if the machine has a GPU; a container has to be started with access to it "
    "(docker run --gpus all)."
)
_NO_NPU: Final = (
    "It takes an Ascend NPU, Huawei's driver, and the CANN that this version of MindSpore was made for "
    f"({_GUIDE}); a container has to be started with access to it (--device /dev/davinci0 and its managers)."
)
_MOST_NAMED: Final = 4
# What onnxruntime-gpu is made for since version 1.31.
_RUNTIME_CUDA: Final = 13


@dataclass(frozen=True)
class Obstacle:
    """Why an engine can't run somewhere.

    Parameters
    ----------
    reason : str
        Why, as a sentence.
    advice : str
        What to do.
    """

    reason: str
    advice: str = ""


def gpu_obstacle(nvidia: Nvidia, backend: GpuBackend, *, hidden_by: str = "", other_way: str = "") -> Obstacle | None:
    """Return what is known to keep MindSpore from the GPU; None if it should be tried.

    Parameters
    ----------
    nvidia : Nvidia
        The GPUs.
    backend : GpuBackend
        MindSpore's backend.
    hidden_by : str
        The setting that hides the GPUs from all programs.
    other_way : str
        What to do instead: what ONNX Runtime can do here.
    """
    if nvidia.obstacle and (backend.missing or not backend.made_for):
        return Obstacle(sentence(nvidia.obstacle), _NO_GPU)
    if not backend.made_for:
        return Obstacle("MindSpore as it is installed has no GPU backend.", other_way)
    if hidden_by:
        return Obstacle(sentence(nvidia.obstacle), _NO_GPU) if nvidia.obstacle else _hidden(hidden_by)
    if backend.missing:
        return Obstacle(_lacking(backend, nvidia), _joined(other_way, f"Or {_setting_up(backend)}"))
    return _wrong_home(backend, other_way)


def _lacking(backend: GpuBackend, nvidia: Nvidia) -> str:
    has = [f"CUDA {nvidia.cuda} (driver {nvidia.driver})"] if nvidia.cuda else []
    if backend.found_cuda:
        has.append(f"CUDA {backend.found_cuda} in {backend.cuda_home}")
    has += sorted(backend.others)[:_MOST_NAMED]
    return (
        f"MindSpore's GPU backend wants CUDA {backend.chosen}'s {_listed(_telling(backend.missing))}, which the loader "
        f"doesn't find{f'; this machine has {_listed(has)}' if has else ''}."
    )


def _telling(missing: Sequence[str]) -> list[str]:
    """Put first what tells the most: cuDNN, which comes by itself, and what begins everything."""
    first = [name for name in missing if name.startswith(("libcudnn.", "libcublas.", "libcuda."))]
    ordered = sorted(first, key=lambda name: not name.startswith("libcudnn."))
    return [*ordered, *(name for name in missing if name not in first)]


def _setting_up(backend: GpuBackend) -> str:
    pip = sorted({place for name, place in backend.others.items() if name in backend.missing})
    where = f" The folders {', '.join(pip)} have some of them: LD_LIBRARY_PATH must name them." if pip else ""
    return (
        f"install the CUDA {backend.chosen} toolkit with cuDNN 8 beside the newer one, set {CUDA_HOME} to its folder "
        f"and add its lib64 to LD_LIBRARY_PATH before Jupyter starts.{where}"
    )


def _wrong_home(backend: GpuBackend, other_way: str) -> Obstacle | None:
    made_for = _listed([f"CUDA {number}" for number in backend.made_for], " or ")
    if not backend.cuda_home:
        return Obstacle(
            f"MindSpore looks for its GPU backend only if {CUDA_HOME} says where CUDA is, and it isn't set.",
            f"Set it to the folder of {made_for} in the first cell, before MindSpore is imported: "
            f'import os; os.environ["{CUDA_HOME}"] = "/usr/local/cuda-{backend.chosen}"',
        )
    if not backend.found_cuda:
        return Obstacle(
            f"{CUDA_HOME} is {backend.cuda_home}, and there is no bin/nvcc that tells its version.",
            f"Set it to the folder of a toolkit of {made_for}.",
        )
    if not backend.fits:
        return Obstacle(
            f"{CUDA_HOME} is {backend.cuda_home}, which is CUDA {backend.found_cuda}; MindSpore's GPU backend is made "
            f"for {made_for}.",
            _joined(other_way, f"Or set it to the folder of a toolkit of {made_for}."),
        )
    return None


def ascend_obstacle(ascend: Ascend, backend: AscendBackend) -> Obstacle | None:
    """Return what is known to keep MindSpore from an Ascend NPU; None if it should be tried.

    Parameters
    ----------
    ascend : Ascend
        The NPUs, and CANN.
    backend : AscendBackend
        MindSpore's backend.
    """
    if not backend.is_included:
        return Obstacle("MindSpore as it is installed has no Ascend backend.", f"Install one that has: {_GUIDE}")
    if ascend.obstacle and backend.missing:
        return Obstacle(
            sentence(f"{ascend.obstacle}, and the loader doesn't find CANN's {_listed(backend.missing)}"), _NO_NPU
        )
    if not backend.missing:
        return Obstacle(sentence(ascend.obstacle), _NO_NPU) if ascend.obstacle else None
    lacking = f"MindSpore's Ascend backend wants CANN's {_listed(backend.missing)}, which the loader doesn't find"
    if not ascend.cann_folder:
        return Obstacle(f"{lacking}: CANN isn't installed.", f"Install the CANN that MindSpore was made for: {_GUIDE}")
    if not ascend.is_set_up:
        return Obstacle(
            f"{lacking}: CANN {ascend.cann} is in {ascend.cann_folder}, but its environment isn't set up.",
            f"Run: source {_set_env(ascend.cann_folder)} and then start Jupyter from the same shell.",
        )
    return Obstacle(
        f"{lacking}: the environment names CANN {ascend.cann} in {ascend.cann_folder}.",
        f"Install the CANN that MindSpore was made for, with its kernels: {_GUIDE}",
    )


def provider_obstacle(provider: Provider, absent: str, hidden_by: str = "") -> Obstacle | None:
    """Return what is in the way of one of ONNX Runtime's providers; None if it works.

    Parameters
    ----------
    provider : Provider
        What was found by trying it.
    absent : str
        Why there is no such device; empty if there is one.
    hidden_by : str
        The setting that hides the device from all programs.
    """
    if provider.is_available:
        return None
    if hidden_by and not absent:
        return _hidden(hidden_by)
    return Obstacle(sentence(absent or provider.obstacle), provider.advice)


def lite_obstacle(error: GsError, absent: str, program: Path | None) -> Obstacle:
    """Return what is in the way of MindSpore Lite, which was tried in vain.

    Parameters
    ----------
    error : GsError
        What came of that.
    absent : str
        Why there is no such device; empty if there is one.
    program : Path, optional
        Lite's benchmark program, if it is there.
    """
    if absent:
        return Obstacle(sentence(absent), error.advice)
    other = (
        f"Its benchmark program is here: gsjupyter.engines.LiteProgram({str(program)!r}) runs it." if program else ""
    )
    return Obstacle(sentence(error.message), _joined(error.advice, other))


def other_way(nvidia: Nvidia, cuda: Provider | None) -> str:
    """Return what ONNX Runtime's CUDA provider can do for a GPU that MindSpore can't use.

    Parameters
    ----------
    nvidia : Nvidia
        The GPUs.
    cuda : Provider, optional
        What was found by trying it; None if it wasn't tried.
    """
    if cuda is not None and cuda.is_available:
        return "ONNX Runtime's CUDA provider works here: export the network to a file .onnx, and run that."
    if cuda is not None and "as it is installed has no" not in cuda.obstacle:
        return f"ONNX Runtime's CUDA provider is the other way, once this is mended: {cuda.obstacle}"
    _, _, command = PROVIDERS["cuda"].advice.rpartition("; ")
    if nvidia.cuda and int(nvidia.cuda.partition(".")[0]) < _RUNTIME_CUDA:
        command = f"{command.rstrip('.')}, in a version that is made for CUDA {nvidia.cuda.partition('.')[0]}."
    return f"ONNX Runtime's CUDA provider would work: {command}"


def sentence(words: str) -> str:
    """Return words as a sentence."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def _hidden(setting: str) -> Obstacle:
    return Obstacle(f"{setting} hides every GPU.", "Unset it, and restart the kernel.")


def _set_env(folder: str) -> str:
    # The script lies in the folder above "latest", and in CANN's own since version 8.5.
    parent, _, last = folder.rpartition("/")
    return f"{parent}/set_env.sh" if last == "latest" else f"{folder}/set_env.sh"


def _listed(names: Sequence[str], last: str = " and ") -> str:
    shown = list(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        return f"{', '.join(shown)} and {len(names) - _MOST_NAMED} more"
    return last.join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
