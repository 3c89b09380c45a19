"""How a model is loaded into ONNX Runtime: as fast as the file allows, and where it was asked to run, or not at all.

ONNX Runtime leaves a weight that is stored in integers as it is and turns it into numbers at every call, in case the
operator behind it can compute in integers: 1.14 ms instead of 0.05 for a MatMul of 1024 x 1024 in int4, 0.33 instead
of 0.24 for a 3 x 3 convolution in int8 (one thread, version 1.32). And a MatMul on such a weight becomes MatMulNBits,
which rounds its input to int8 unless told otherwise: three times as fast for one row, 1.1 times for 128, but off by
0.5 %. It is told otherwise here. And, by what is in the file:

- No QuantizeLinear: nothing computes in integers. ``session.disable_quant_qdq`` turns weights into numbers once, when
  the file is loaded, and the network computes what it says, as fast as in float32.
- QuantizeLinear, on the CPU: what can compute in integers is fused first, and the weights that are left are turned
  into numbers in a second step (2.9 ms -> 0.35 for a network with an embedding in int8). MatMulNBits stays.
- QuantizeLinear, on CUDA, which has no operators that compute in integers: as the first.
- TensorRT and CANN take the network whole, and decide for themselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from gsjupyter.engines.execution_providers import INSTALL, Provider
from gsjupyter.engines.onnx_structure import OnnxStructure
from gsjupyter.engines.serving import scratch
from gsjupyter.errors import EngineError, GsError, ModelFileError, UnsupportedError

OPTIMIZATIONS: Final = ("disable_all", "enable_basic", "enable_extended", "enable_all")

_INTEGERS: Final = "session.disable_quant_qdq"
_WEIGHTS_AS_NUMBERS: Final = {_INTEGERS: "1"}
_WRITTEN_ONLY: Final = {
    "session.disable_prepacking": "1",
    "session.optimized_model_external_initializers_file_name": "fused.data",
}
# Products with weights in 4 bits: as exact as in float32.
_EXACT_PRODUCTS: Final = {"session.qdq_matmulnbits_accuracy_level": "0"}
_ERRORS_ONLY: Final = 3
_CODE: Final = re.compile(r"\[ONNXRuntimeError\] : \d+ : ([A-Z_]+) : ")
_NODE: Final = re.compile(r"Non-zero status code returned while running (\w+) node\. Name:'(.*?)' Status Message: ")
_ITS_OWN_PLACE: Final = re.compile(
    r"Load model from .*? failed: ?|Exception during initialization: |"
    r"/onnxruntime_src/\S+ [^\n]*\) (?=\S)|\w+\.cc:\d+ (?:\w+ )?|\w+\.h:\d+ (?:\w+ )?"
)
_NO_SUCH_OPERATOR: Final = re.compile(r"is not a registered function/op|No Op registered for")
_NO_MEMORY: Final = re.compile(r"bad_alloc|bad allocation|Failed to allocate memory|out of memory")
_LONGEST: Final = 300


@dataclass(frozen=True)
class SessionSettings:
    """What a session is opened with.

    Parameters
    ----------
    provider : Provider
        Where it is to run.
    threads : int, optional
        How many threads an operator may use; as many as there are cores by default.
    optimization : str
        One of `OPTIMIZATIONS`.
    configuration : mapping of str to str
        ONNX Runtime's session configuration.
    optimized_path : str
        Where to write the network as it really runs; nowhere if empty.
    profile_path : str
        How the file of the profile is to begin; none if empty.
    """

    provider: Provider
    threads: int | None = None
    optimization: str = OPTIMIZATIONS[-1]
    configuration: Mapping[str, str] = field(default_factory=dict)
    optimized_path: str = ""
    profile_path: str = ""

    def configured(self, entries: Mapping[str, str]) -> "SessionSettings":
        """Return these settings with more entries in the configuration; those that are there stay as they are."""
        return replace(self, configuration={**entries, **self.configuration})


def onnxruntime() -> Any:
    """Return the package.

    Raises
    ------
    EngineError
        If it isn't installed, or doesn't work.
    """
    try:
        return import_module("onnxruntime")
    except ModuleNotFoundError as error:
        if error.name == "onnxruntime":
            raise EngineError("ONNX Runtime isn't installed.", advice=INSTALL) from error
        raise EngineError(f"ONNX Runtime can't be imported: {error}.", advice=INSTALL) from error
    except ImportError as error:
        raise EngineError(f"ONNX Runtime can't be imported: {said(error)}", advice=INSTALL) from error


def load(file: Path, structure: OnnxStructure, settings: SessionSettings) -> Any:
    """Return a session for a file.

    Raises
    ------
    ModelFileError
        If ONNX Runtime can't make sense of the file.
    UnsupportedError
        If it lacks an operator.
    EngineError
        If it can't run where it was asked to.
    """
    try:
        return _load(file, structure, settings)
    except GsError:
        raise
    except Exception as error:
        raise _explained(error, file.name, settings.provider) from error


def _explained(error: Exception, name: str, provider: Provider) -> GsError:
    code = _CODE.match(str(error))
    kind = code[1] if code else ""
    if kind == "NOT_IMPLEMENTED" or _NO_SUCH_OPERATOR.search(str(error)):
        return UnsupportedError(f"ONNX Runtime can't run {name}: {said(error)}")
    if kind in ("EP_FAIL", "ENGINE_ERROR", "DEVICE_RESET"):
        return EngineError(f"{provider.title} can't run {name}: {said(error)}", advice=provider.advice)
    if lacks_memory(error):
        return EngineError(f"there isn't enough memory for {name}: {said(error)}")
    return ModelFileError(f"ONNX Runtime can't load {name}: {said(error)}")


def _load(file: Path, structure: OnnxStructure, settings: SessionSettings) -> Any:
    is_ours = settings.optimization == OPTIMIZATIONS[-1] and _INTEGERS not in settings.configuration
    provider = settings.provider.name
    if not is_ours or "DequantizeLinear" not in structure.operators or provider not in ("cpu", "cuda"):
        return opened(str(file), settings)
    if provider == "cuda" or "QuantizeLinear" not in structure.operators:
        return opened(str(file), settings.configured(_WEIGHTS_AS_NUMBERS))
    with scratch() as folder:
        fused = str(folder / "fused.onnx")
        first = replace(settings, optimization="enable_extended", optimized_path=fused, profile_path="")
        try:
            opened(str(file), first.configured(_WRITTEN_ONLY))
            return opened(fused, settings.configured(_WEIGHTS_AS_NUMBERS))
        except Exception:  # noqa: BLE001 - a full disk, say: it can do without
            return opened(str(file), settings)


def opened(source: str | bytes, settings: SessionSettings) -> Any:
    """Return a session for a file or its bytes, opened as it is.

    Raises
    ------
    EngineError
        If it can't run where it was asked to. ONNX Runtime itself would take the CPU then, and say so in its log only.
    """
    provider = settings.provider
    runtime = onnxruntime()
    if provider.execution_provider not in runtime.get_available_providers():
        raise EngineError(
            f"ONNX Runtime {runtime.__version__} as it is installed has no {provider.title}.", advice=provider.advice
        )
    if provider.name in ("cuda", "tensorrt") and hasattr(runtime, "preload_dlls"):
        # Finds NVIDIA's libraries where pip has put them.
        runtime.preload_dlls()
    names = list(dict.fromkeys((provider.execution_provider, "CPUExecutionProvider")))
    session = runtime.InferenceSession(source, _options(runtime, settings), providers=names, enable_fallback=0)
    if session.get_providers()[0] != provider.execution_provider:
        raise EngineError(
            f"{provider.title} didn't start, and ONNX Runtime took the CPU in its place.", advice=provider.advice
        )
    return session


def _options(runtime: Any, settings: SessionSettings) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.graph_optimization_level = getattr(runtime.GraphOptimizationLevel, f"ORT_{settings.optimization.upper()}")
    options.intra_op_num_threads = settings.threads or 0
    options.optimized_model_filepath = settings.optimized_path
    if settings.profile_path:
        options.enable_profiling = True
        options.profile_file_prefix = settings.profile_path
    for key, value in {**_EXACT_PRODUCTS, **settings.configuration}.items():
        options.add_session_config_entry(key, value)
    return options


def lacks_memory(error: BaseException) -> bool:
    """Say whether an exception of ONNX Runtime means that memory has run out."""
    return isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)) is not None


def said(error: BaseException) -> str:
    """Return what ONNX Runtime says, without the place in its source where it says it."""
    text = _ITS_OWN_PLACE.sub("", _NODE.sub(r"\1 '\2': ", _CODE.sub("", str(error))))
    words = " ".join(text.split())[:_LONGEST].rstrip(".")
    return f"{words or type(error).__name__}."
