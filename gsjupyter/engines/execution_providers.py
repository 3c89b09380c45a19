"""Where ONNX Runtime can run: its providers by the names that people use, and what to install for those that lack."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from gsjupyter.engines.worker import Worker
from gsjupyter.errors import EngineError, OptionError

INSTALL: Final = "Install it: pip install onnxruntime (for a GPU: onnxruntime-gpu)."
WORKER: Final = "gsjupyter.engines.onnxruntime_worker"
TITLE: Final = "ONNX Runtime"
ENVIRONMENT: Final = {
    # ONNX Runtime has threads of its own, and numpy only carries bytes there.
    "OPENBLAS_NUM_THREADS": "1",
    # MindSpore has protobuf run in Python; there is no MindSpore there.
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "upb",
    # Its maker needn't learn of a user's work; and it would leave a file in the folder for temporary ones.
    "ORT_DISABLE_TELEMETRY": "1",
}

# TensorRT builds the network that it is tried on, and a card that is new to CUDA has its kernels compiled.
_LIMIT_S: Final = 120.0
_PACKAGES: Final = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-cann")


@dataclass(frozen=True)
class Provider:
    """Where ONNX Runtime can run.

    Parameters
    ----------
    name : str
        ``cpu``, ``cuda``, ``tensorrt`` or ``cann``.
    title : str
        Its maker's spelling.
    execution_provider : str
        ONNX Runtime's name for it.
    advice : str
        What makes it available.
    obstacle : str
        Why it isn't available; empty if it is, or if that hasn't been looked up.
    """

    name: str
    title: str
    execution_provider: str
    advice: str
    obstacle: str = ""

    @property
    def is_available(self) -> bool:
        """Whether nothing is known to be in its way."""
        return not self.obstacle


_GPU: Final = "pip uninstall onnxruntime, then pip install onnxruntime-gpu[cuda,cudnn]"
_TENSORRT: Final = f"It needs an NVIDIA GPU, its driver and TensorRT (pip install tensorrt); {_GPU}."
_CANN: Final = "It needs an Ascend NPU and CANN; pip uninstall onnxruntime, then pip install onnxruntime-cann."
_KNOWN: Final = (
    Provider("cpu", "CPU", "CPUExecutionProvider", INSTALL),
    Provider("cuda", "CUDA", "CUDAExecutionProvider", f"It needs an NVIDIA GPU and its driver; {_GPU}."),
    Provider("tensorrt", "TensorRT", "TensorrtExecutionProvider", _TENSORRT),
    Provider("cann", "CANN", "CANNExecutionProvider", _CANN),
)
PROVIDERS: Final = {provider.name: provider for provider in _KNOWN}
"""All that we know of, whether they are there or not."""


def provider_of(name: str) -> Provider:
    """Return a provider by its name.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    if name not in PROVIDERS:
        raise OptionError(f"provider must be one of {', '.join(PROVIDERS)}, not {name!r}.")
    return PROVIDERS[name]


def is_onnxruntime_installed() -> bool:
    """Say whether ONNX Runtime is there, in any of its packages."""
    return find_spec("onnxruntime") is not None


def onnxruntime_version() -> str:
    """Return the version of ONNX Runtime, whichever of its packages is installed; empty if none is."""
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            return version(package)
    return ""


def providers(names: Sequence[str] = tuple(PROVIDERS), *, limit_s: float = _LIMIT_S) -> dict[str, Provider]:
    """Return ONNX Runtime's providers by name, with what is in the way of those that can't be used.

    Each is tried on a network of one operator, in a process other than this one, so that a driver or a library that
    lacks is found. One that crashes there, or hangs, is in nobody else's way.

    Parameters
    ----------
    names : sequence of str
        Which of `PROVIDERS` to try; all by default.
    limit_s : float
        How long they may take.

    Examples
    --------
    >>> [name for name, provider in gsjupyter.engines.providers().items() if provider.is_available]
    ['cpu']
    """
    obstacles = _obstacles(names, limit_s)
    return {name: replace(provider_of(name), obstacle=obstacles[name]) for name in names}


def _obstacles(names: Sequence[str], limit_s: float) -> dict[str, str]:
    worker = Worker(WORKER, TITLE, environment=ENVIRONMENT)
    try:
        found, _ = worker.call("obstacles", names=list(names), limit_s=limit_s)
    except EngineError as error:
        if len(names) == 1:
            return {names[0]: error.message}
    else:
        return found
    finally:
        worker.close()
    # Whichever it was that took the process along.
    return {name: _obstacles([name], limit_s)[name] for name in names}
