"""Values of an image at any place, and channels as pixels, in ONNX: warping, sub-pixel convolution, focus layers."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.convolution import check_format
from gsjupyter.formats.onnx.operation import Lowering, Operation

_INTERPOLATIONS: Final = ("linear", "nearest", "cubic")
_PADDINGS: Final = ("zeros", "border", "reflection")
_BLOCK_TYPES: Final = frozenset(np.dtype(code) for code in ("f2", "f4", "f8", "i1", "u1"))
"""The data types that ONNX Runtime moves blocks of on CPUs."""


def _grid_sample(operation: Operation) -> ir.Value:
    return operation.add(
        "GridSample",
        operation.tensor(0),
        operation.tensor(1),
        mode=_INTERPOLATIONS[operation.setting("interpolation_mode", 2)],
        padding_mode=_PADDINGS[operation.setting("padding_mode", 3)],
        align_corners=int(operation.setting("align_corners", 4)),
    )


def _depth_to_space(operation: Operation) -> ir.Value:
    check_format(operation)
    block = operation.setting("block_size")
    if operation.dtype in _BLOCK_TYPES:
        return operation.add("DepthToSpace", operation.tensor(0), blocksize=block)
    batch, channels, height, width = _known_shape(operation)
    apart = operation.reshape(operation.tensor(0), (batch, block, block, channels // block**2, height, width))
    moved = operation.add("Transpose", apart, perm=[0, 3, 4, 1, 5, 2])
    return operation.reshape(moved, (batch, channels // block**2, height * block, width * block))


def _space_to_depth(operation: Operation) -> ir.Value:
    check_format(operation)
    block = operation.setting("block_size")
    if operation.dtype in _BLOCK_TYPES:
        return operation.add("SpaceToDepth", operation.tensor(0), blocksize=block)
    batch, channels, height, width = _known_shape(operation)
    apart = operation.reshape(operation.tensor(0), (batch, channels, height // block, block, width // block, block))
    moved = operation.add("Transpose", apart, perm=[0, 3, 5, 1, 2, 4])
    return operation.reshape(moved, (batch, channels * block**2, height // block, width // block))


def _known_shape(operation: Operation) -> tuple[int, ...]:
    shape = operation.input_shape(0)
    if min(shape[1:]) < 0:
        raise operation.unsupported(f"its data are {operation.dtype} and of free size")
    return shape


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "GridSampler2D": _grid_sample,
    "GridSampler3D": _grid_sample,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
