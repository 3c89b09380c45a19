"""Quantized layers in the layouts that Golden Stick's PTQ saves, and what they stand for, in plain numpy."""

from __future__ import annotations

import mindspore
import numpy as np
from mindspore import Tensor


def quantized(rng, outputs, inputs, bits=8, group=0):
    """Return random integers with scale and offset in Golden Stick's shapes, and the weight that they stand for."""
    low, high = -(1 << (bits - 1)), 1 << (bits - 1)
    integers = rng.integers(low, high, (outputs, inputs)).astype(np.int8)
    integers[0, :2] = low, high - 1
    shape = (inputs // group, outputs) if group else (outputs,)
    scale = rng.uniform(0.01, 0.1, shape).astype(np.float32)
    offset = rng.integers(-3, 4, shape).astype(np.int32)
    return integers, scale, offset, dequantized(integers, scale, offset)


def dequantized(integers, scale, offset):
    """Return (q - offset) * scale, one number after the other."""
    outputs, inputs = integers.shape
    weight = np.empty((outputs, inputs), np.float32)
    for row in range(outputs):
        for column in range(inputs):
            at = (column * len(scale) // inputs, row) if scale.ndim == 2 else (row,)
            weight[row, column] = (int(integers[row, column]) - int(offset[at])) * scale[at]
    return weight


def computed(x, weight, bias, *, input_scale=None, input_offset=0, smooth=1.0):
    """Return what a layer gives whose input is quantized to int8."""
    x = x * smooth
    if input_scale is not None:
        x = (np.clip(np.round(x / input_scale) + input_offset, -128, 127) - input_offset) * input_scale
    return x @ weight.T + bias


def packed(integers):
    """Return 4-bit integers two in a byte, along the last axis, as a Tensor that says so."""
    pairs = (integers[:, 0::2] & 15) | (integers[:, 1::2] << 4)
    return Tensor(pairs.astype(np.int8), dtype=mindspore.qint4x2)


def float_bits(values):
    """Return float32 numbers as Ascend's operators take them, their bits in 64-bit integers."""
    return values.astype(np.float32).view(np.uint32).astype(np.int64)
