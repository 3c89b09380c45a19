"""What runs a model: one file an engine.

The names are loaded when they are first used: a worker process imports its own engine, and no MindSpore.
"""

from typing import TYPE_CHECKING

from gsjupyter.lazy_names import lazy_names

if TYPE_CHECKING:
    from gsjupyter.engines.execution_providers import (
        Provider,
        is_onnxruntime_installed,
        onnxruntime_version,
        providers,
    )
    from gsjupyter.engines.lite import LiteModel
    from gsjupyter.engines.lite_benchmark import LiteProgram
    from gsjupyter.engines.mindspore import MindSporeModel
    from gsjupyter.engines.onnxruntime import OnnxRuntimeModel

_HOMES = {
    "LiteModel": "gsjupyter.engines.lite",
    "LiteProgram": "gsjupyter.engines.lite_benchmark",
    "MindSporeModel": "gsjupyter.engines.mindspore",
    "OnnxRuntimeModel": "gsjupyter.engines.onnxruntime",
    "Provider": "gsjupyter.engines.execution_providers",
    "is_onnxruntime_installed": "gsjupyter.engines.execution_providers",
    "onnxruntime_version": "gsjupyter.engines.execution_providers",
    "providers": "gsjupyter.engines.execution_providers",
}

__all__ = [
    "LiteModel",
    "LiteProgram",
    "MindSporeModel",
    "OnnxRuntimeModel",
    "Provider",
    "is_onnxruntime_installed",
    "onnxruntime_version",
    "providers",
]


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
