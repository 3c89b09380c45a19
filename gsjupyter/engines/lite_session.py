"""How a file is loaded into MindSpore Lite's Python package: where it was asked to run, or not at all.

The package says next to nothing when it fails: the reasons are in its log, on standard error, which is listened to
meanwhile. And where an engine can't run on a device, it takes the CPU without a word; what it has loaded tells.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from gsjupyter.engines.lite_log import first_errors
from gsjupyter.engines.lite_structure import DTYPES, LiteTensor
from gsjupyter.engines.serving import first_line, scratch
from gsjupyter.errors import EngineError, ModelFileError
from gsjupyter.formats.lite.installation import PACKAGE, wheel_to_get

TITLES: Final = {"cpu": "the CPU", "gpu": "the GPU", "ascend": "the Ascend NPU"}

_LIBRARIES: Final = {
    "gpu": ("libnvinfer", "libcuda.so", "libOpenCL"),
    "ascend": ("libascendcl", "libge_runner", "libacl_"),
}
"""What is in the process of an engine that runs on a device, whichever release it is of."""
_NEEDED: Final = {"gpu": "a GPU, with its driver and TensorRT", "ascend": "Ascend NPUs, with their driver and CANN"}
_NO_WEIGHTS: Final = "origin tensor data"
_ADVICE: Final = "Convert it with the release of MindSpore Lite that runs it, or export or copy it again."
_ADVICE_ON_WEIGHTS: Final = (
    "This release can't run weights that its own converter has quantized: take quantization=full or float16, or "
    "convert with weights=int8 and activations=int8; a later release may run it."
)
_DTYPES: Final = frozenset(DTYPES.values())


def lite() -> Any:
    """Return the package.

    Raises
    ------
    EngineError
        If it isn't installed, or can't be imported.
    """
    try:
        return import_module(PACKAGE)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == PACKAGE:
            message = "MindSpore Lite's Python package, mindspore_lite, isn't installed."
        else:
            message = f"MindSpore Lite is installed, but can't be imported: {first_line(error).rstrip('.')}."
        raise EngineError(message, advice=wheel_to_get()) from error


def built(package: Any, file: Path, device: str, threads: int | None, *, is_mindir: bool) -> Any:
    """Return a model in the engine.

    Parameters
    ----------
    package : module
        ``mindspore_lite``.
    file : Path
        The file.
    device : {"cpu", "gpu", "ascend"}
        Where it is to run.
    threads : int, optional
        How many threads an operator may use on the CPU.
    is_mindir : bool
        Whether it is MindIR as Lite's converter writes it, and no ``.ms``.

    Raises
    ------
    ModelFileError
        If the engine can't load it on the CPU.
    EngineError
        If it can't on another device.
    """
    kind = package.ModelType.MINDIR if is_mindir else package.ModelType.MINDIR_LITE
    said: list[str] = []
    try:
        context = package.Context()
        context.target = [device]
        if threads is not None:
            context.cpu.thread_num = threads
        model = package.Model()
        with listening() as said:
            model.build_from_file(str(file), kind, context)
    except MemoryError as error:
        raise EngineError(f"there isn't enough memory for {file.name}.") from error
    except Exception as error:
        version = str(getattr(package, "__version__", ""))
        reason = words(said, error)
        if device != "cpu":
            raise EngineError(
                f"MindSpore Lite {version} can't load {file.name} on {TITLES[device]}: {reason}",
                advice=f"Run it on the CPU, or get a release of MindSpore Lite that is made for {_NEEDED[device]}.",
            ) from error
        raise ModelFileError(
            f"MindSpore Lite {version} can't load {file.name}: {reason}",
            advice=_ADVICE_ON_WEIGHTS if _NO_WEIGHTS in reason else _ADVICE,
        ) from error
    check_device(device)
    return model


def check_device(device: str, maps: Path = Path("/proc/self/maps")) -> None:
    """Check that the engine has loaded what runs on a device: where it can't, it takes the CPU without a word.

    Raises
    ------
    EngineError
        If it hasn't.
    """
    if device == "cpu":
        return
    try:
        loaded = maps.read_text()
    except OSError:
        # No Linux: it must be believed.
        return
    if not any(library in loaded for library in _LIBRARIES[device]):
        raise EngineError(
            f"MindSpore Lite as it is installed doesn't run on {TITLES[device]}, and would take the CPU in its place.",
            advice=f"Run it on the CPU, or get a release of MindSpore Lite that is made for {_NEEDED[device]}.",
        )


def described(tensor: Any) -> LiteTensor:
    """Return what the engine says of a tensor."""
    dtype = _name_of(tensor.dtype).lower()
    return LiteTensor(
        str(tensor.name),
        tuple(int(size) for size in tensor.shape),
        dtype if dtype in _DTYPES else "",
        _name_of(getattr(tensor, "format", "")),
    )


def _name_of(value: Any) -> str:
    """Return the name of one of Lite's enumerations."""
    return str(getattr(value, "name", value)).rpartition(".")[2]


def words(said: Sequence[str], error: Exception) -> str:
    """Return why the engine has failed: its exception tells next to nothing, and its log the reason."""
    return f"{first_errors(''.join(said)) or first_line(error).rstrip('.!')}."


@contextmanager
def listening() -> Iterator[list[str]]:
    """Give a list that has in the end what the engine has written to standard error meanwhile; it is passed on."""
    said: list[str] = []
    sys.stderr.flush()
    kept = os.dup(2)
    with scratch() as folder, (folder / "log").open("w+b") as log:
        os.dup2(log.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            log.seek(0)
            content = log.read()
            said.append(content.decode(errors="replace"))
            with os.fdopen(kept, "wb", closefd=True) as stream:
                stream.write(content)
