"""How windows lie on an axis: without it convolution and pooling would each work out padding on their own.

MindSpore pads in pairs, (begin, end) an axis; ONNX wants all begins, then all ends. Padding is written out in numbers
wherever sizes are known: ``auto_pad`` knows no dilation, and engines differ about it.
"""

import math
from collections.abc import Sequence

from gsjupyter.mindir import AttributeValue

Sizes = Sequence[int]


def per_axis(setting: AttributeValue, axes: int) -> tuple[int, ...]:
    """Return a setting as one integer an axis: of one for all, or of those of batch and channels before them.

    Raises
    ------
    ValueError
        If it is neither.
    """
    values = setting if isinstance(setting, tuple) else (setting,)
    numbers = tuple(int(value) for value in values)  # type: ignore[arg-type]  # what is no number raises
    if len(numbers) == 1:
        return numbers * axes
    if len(numbers) not in (axes, axes + 2):
        raise ValueError(f"{numbers} is not for {axes} axes")
    return numbers[-axes:]


def both_sides(padding: Sizes) -> list[int]:
    """Return the padding of one number an axis as ONNX's."""
    return [*padding, *padding]


def pairs_apart(padding: Sizes) -> list[int]:
    """Return padding in pairs, (begin, end) an axis, as ONNX's."""
    return [*padding[0::2], *padding[1::2]]


def extent(kernel: int, dilation: int) -> int:
    """Return how long a window is, its holes included."""
    return (kernel - 1) * dilation + 1


def same_padding(sizes: Sizes, kernel: Sizes, strides: Sizes, dilations: Sizes) -> list[int] | None:
    """Return the padding that gives ``ceil(size / stride)`` windows, more at the end; None if a size is unknown."""
    if min(sizes) < 0:
        return None
    totals = [
        max((math.ceil(size / stride) - 1) * stride + extent(length, dilation) - size, 0)
        for size, length, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
    ]
    return [*(total // 2 for total in totals), *(total - total // 2 for total in totals)]
