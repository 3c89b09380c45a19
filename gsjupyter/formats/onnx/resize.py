"""Resizing as ONNX: how networks that label pixels, and pyramids of features, get back to the size of the image.

Each operator is one Resize, but where ONNX Runtime wouldn't give MindSpore's numbers: nearest neighbours of some sizes
(`gsjupyter.formats.onnx.resize_places`) become Gather, and cubic weights, which MindSpore takes from a table 1e-3 away
from ONNX's formula, a product with a matrix for each axis.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Operand
from gsjupyter.formats.onnx.kernels import has_kernel, kernel_type, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.resize_places import Axis
from gsjupyter.mindir import Array


def _resized(
    operation: Operation, sizes: ir.Value | None = None, scales: Array | None = None, **settings: Any
) -> ir.Value:
    """Return data with the axes behind batch and channels resized: to sizes, those of the output if none are given."""
    kernel = kernel_type("Resize", operation.dtype)
    data = operation.tensor(0, kernel)
    # For all axes: given those of some only, ONNX Runtime 1.32 fails where it lays channels last.
    if scales is not None:
        ends: list[Operand] = [None, _stored(operation, np.array([1, 1, *scales]))]
    else:
        ends = [None, None, _all_sizes(operation, data, sizes)]
    return settled(operation, operation.add("Resize", data, *ends, **settings), kernel)


def _all_sizes(operation: Operation, data: ir.Value, sizes: ir.Value | None) -> Operand:
    shape = operation.shape or ()
    if sizes is None and operation.builder.batch is None and -1 not in shape:
        return np.array(shape)
    kept = operation.add("Shape", data, start=0, end=2)
    return operation.add("Concat", kept, np.array(shape[2:]) if sizes is None else sizes, axis=0)


def _stored(operation: Operation, scales: Array) -> ir.Value:
    """Return scales as a value: they are float32 whatever is computed in."""
    return operation.builder.store(ir.tensor(scales.astype(np.float32)))


def _sizes_at_run_time(operation: Operation) -> ir.Value | None:
    return None if operation.is_constant(1) else operation.ints(1)


def _axes(operation: Operation, scales: tuple[float, ...] = (), **settings: bool) -> list[Axis] | None:
    """Return the axes behind batch and channels; None if a size is unknown."""
    before, after = operation.input_shape(0)[2:], (operation.shape or ())[2:]
    if not after or min(*before, *after) < 0:
        return None
    each = scales or (0,) * len(before)
    return [Axis(size, count, scale=scale, **settings) for size, count, scale in zip(before, after, each, strict=True)]


def _mode(*, aligned: bool, half_pixel: bool) -> str:
    return "align_corners" if aligned else "half_pixel" if half_pixel else "asymmetric"


def _nearest(
    operation: Operation, *, aligned: bool = False, half_pixel: bool = False, scales: tuple[float, ...] = ()
) -> ir.Value:
    axes = _axes(operation, scales, aligned=aligned, half_pixel=half_pixel)
    if axes is not None and not (has_kernel("Resize", operation.dtype) and all(axis.is_certain() for axis in axes)):
        value = operation.tensor(0)
        for index, axis in enumerate(axes, start=2):
            value = operation.add("Gather", value, axis.nearest(), axis=index)
        return value
    rounds_up = {"nearest_mode": "round_prefer_ceil" if aligned or half_pixel else "floor"}
    return _resized(
        operation,
        None if scales else _sizes_at_run_time(operation),
        np.array(scales) if scales else None,
        mode="nearest",
        coordinate_transformation_mode=_mode(aligned=aligned, half_pixel=half_pixel),
        **rounds_up,
    )


def _nearest_neighbor(operation: Operation) -> ir.Value:
    # The older operator has a third setting, half_pixel_centers, which its kernel doesn't look at.
    return _nearest(operation, aligned=bool(operation.setting("align_corners", 2)))


def _nearest_neighbor_v2(operation: Operation) -> ir.Value:
    aligned, half_pixel = (bool(operation.setting(*key)) for key in _CORNERS_AND_CENTERS)
    return _nearest(operation, aligned=aligned, half_pixel=half_pixel)


_CORNERS_AND_CENTERS: Final = (("align_corners", 2), ("half_pixel_centers", 3))


def _bilinear(operation: Operation) -> ir.Value:
    aligned, half_pixel = (bool(operation.setting(*key)) for key in _CORNERS_AND_CENTERS)
    return _resized(
        operation,
        _sizes_at_run_time(operation),
        mode="linear",
        coordinate_transformation_mode=_mode(aligned=aligned, half_pixel=half_pixel),
    )


def _bicubic(operation: Operation) -> ir.Value:
    aligned, half_pixel = (bool(operation.setting(*key)) for key in _CORNERS_AND_CENTERS)
    axes = _axes(operation, aligned=aligned, half_pixel=half_pixel)
    if axes is None:
        raise operation.unsupported("the weights of an axis of free size can't be told")
    rows, columns = (axis.cubic().astype(operation.dtype) for axis in axes)
    return operation.add("MatMul", operation.add("MatMul", rows, operation.tensor(0)), columns.T)


def _linear_1d(operation: Operation) -> ir.Value:
    mode = operation.setting("coordinate_transformation_mode", 2)
    names = {1: "align_corners", 2: "half_pixel", "align_corners": "align_corners", "half_pixel": "half_pixel"}
    if mode not in names:
        raise operation.unsupported(f"its coordinate_transformation_mode is {mode}")
    sizes = _sizes_at_run_time(operation)
    return _resized(operation, sizes, mode="linear", coordinate_transformation_mode=names[mode])


def _scales(operation: Operation) -> tuple[float, ...]:
    """Return by how much mint's operator is to resize each axis; nothing if it says to which size."""
    return tuple(operation.setting("scales", 2, None) or ())


def _upsampled_nearest(operation: Operation) -> ir.Value:
    return _nearest(operation, scales=_scales(operation))


def _upsampled(mode: str, **settings: Any) -> Lowering:
    """Return the lowering of data, sizes or scales, and align_corners."""

    def lower(operation: Operation) -> ir.Value:
        aligned, scales = bool(operation.setting("align_corners", 3)), _scales(operation)
        by_scale = bool(scales) and not aligned
        return _resized(
            operation,
            None if scales else _sizes_at_run_time(operation),
            np.array(scales) if by_scale else None,
            mode=mode,
            coordinate_transformation_mode=_mode(aligned=aligned, half_pixel=True),
            **settings,
        )

    return lower


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "ResizeNearestNeighbor": _nearest_neighbor,
    "ResizeNearestNeighborV2": _nearest_neighbor_v2,
    "ResizeBilinearV2": _bilinear,
    "ResizeBicubic": _bicubic,
    "ResizeLinear1D": _linear_1d,
    "UpsampleNearest1D": _upsampled_nearest,
    "UpsampleNearest2D": _upsampled_nearest,
    "UpsampleNearest3D": _upsampled_nearest,
    "UpsampleLinear1D": _upsampled("linear"),
    "UpsampleBilinear2D": _upsampled("linear"),
    "UpsampleTrilinear3D": _upsampled("linear"),
    "UpsampleBicubic2D": _upsampled("cubic", cubic_coeff_a=-0.75),
}
