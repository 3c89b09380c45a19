"""Where each operator keeps its settings: attributes in MindSpore's older form, constant inputs in the newer one."""

from typing import Final

_POSITIONS: Final[dict[str, dict[str, int]]] = {
    "Argmax": {"axis": 1},
    "BatchMatMul": {"transpose_a": 2, "transpose_b": 3},
    "BatchNorm": {"is_training": 5, "epsilon": 6, "momentum": 7, "format": 8},
    "BiasAdd": {"format": 2},
    "Gather": {"axis": 2},
    "MatMul": {"transpose_a": 2, "transpose_b": 3},
}


def position_of(operator: str, argument: str) -> int | None:
    """Return the input at which an operator takes an argument, None if it isn't known to take it as an input."""
    return _POSITIONS.get(operator, {}).get(argument)
