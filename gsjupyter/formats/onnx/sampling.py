"""Values of an image at any place, and channels as pixels, in ONNX: warping, sub-pixel convolution, focus layers."""

from collections.abc import Mapping, Sequence
from typing import Final

import onnx_ir as ir

from gsjupyter.formats.onnx.convolution import check_format
from gsjupyter.formats.onnx.kernels import has_kernel
from gsjupyter.formats.onnx.operation import Lowering, Operation

_INTERPOLATIONS: Final = ("linear", "nearest", "cubic")
_PADDINGS: Final = ("zeros", "border", "reflection")


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
    block = operation.setting("block_size")
    batch, channels, height, width = operation.input_shape(0)
    few = channels // block**2
    apart = (batch, block, block, few, height, width)
    return _moved(operation, "DepthToSpace", apart, (0, 3, 4, 1, 5, 2), (batch, few, height * block, width * block))


def _space_to_depth(operation: Operation) -> ir.Value:
    block = operation.setting("block_size")
    batch, channels, height, width = operation.input_shape(0)
    rows, columns = height // block, width // block
    apart = (batch, channels, rows, block, columns, block)
    return _moved(operation, "SpaceToDepth", apart, (0, 3, 5, 1, 2, 4), (batch, channels * block**2, rows, columns))


def _moved(
    operation: Operation, operator: str, apart: Sequence[int], order: Sequence[int], shape: Sequence[int]
) -> ir.Value:
    """Return blocks moved, by ONNX's operator or, where that has no kernel, by a transpose of all axes apart."""
    check_format(operation)
    if has_kernel(operator, operation.dtype):
        return operation.add(operator, operation.tensor(0), blocksize=operation.setting("block_size"))
    if min(operation.input_shape(0)[1:]) < 0:
        raise operation.unsupported(f"its data are {operation.dtype} and of free size")
    moved = operation.add("Transpose", operation.reshape(operation.tensor(0), apart), perm=order)
    return operation.reshape(moved, shape)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "GridSampler2D": _grid_sample,
    "GridSampler3D": _grid_sample,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
