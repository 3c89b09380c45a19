"""Put MindSpore on a device, or say which libraries lack: its own message names the devices that it has instead.

MindSpore loads a plug-in for each kind of device when it is imported, and keeps quiet about those that can't be loaded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gsjupyter.engines.shared_libraries import missing_libraries
from gsjupyter.errors import EngineError

DEVICES: Final = {"cpu": "CPU", "gpu": "GPU", "ascend": "Ascend"}
"""MindSpore's name for each target."""

_ADVICE: Final = {
    "gpu": "Its GPU backend needs {built_for}, on LD_LIBRARY_PATH. Or export to .onnx, and let ONNX Runtime use the "
    "GPU: pip uninstall onnxruntime, then pip install onnxruntime-gpu[cuda,cudnn].",
    "ascend": "It needs an Ascend NPU, its driver and CANN. Run CANN's set_env.sh before you start Jupyter.",
}
_NAMED: Final = 3


def use_device(target: str) -> None:
    """Have MindSpore compute on a device from here on.

    Parameters
    ----------
    target : {"cpu", "gpu", "ascend"}
        Which.

    Raises
    ------
    EngineError
        If it can't, with the libraries that lack if some do.
    """
    import mindspore

    try:
        mindspore.set_device(DEVICES[target])
    except (RuntimeError, ValueError) as error:
        plugins = sorted((Path(mindspore.__file__).parent / "lib" / "plugin").glob(f"libmindspore_{target}.so*"))
        raise EngineError(
            f"MindSpore {mindspore.__version__} can't use {DEVICES[target]}: {_obstacle(target, str(error), plugins)}.",
            advice=_ADVICE.get(target, "").format(built_for=_built_for(plugins)),
        ) from error


def _obstacle(target: str, message: str, plugins: Sequence[Path]) -> str:
    if not plugins:
        return f"this package of it has no plug-in for {DEVICES[target]}"
    missing = [name for name in missing_libraries(plugins[-1]) if not name.startswith("libmindspore")]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        return f"its plug-in {plugins[-1].name} doesn't find {', '.join(missing[:_NAMED])}{more}"
    return (message.strip() or "it gives no reason").splitlines()[0].partition(". ")[0].rstrip(".")


def _built_for(plugins: Sequence[Path]) -> str:
    versions = [plugin.name.partition(".so.")[2] for plugin in plugins]
    return f"CUDA {' or '.join(versions)} with cuDNN 8" if versions else "CUDA with cuDNN"
