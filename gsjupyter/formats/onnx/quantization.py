"""The operators of quantization as ONNX: QuantizeLinear, DequantizeLinear, and integers that are stored in 4 bits.

They stand for MindIR's arithmetic once `gsjupyter.formats.onnx.write_quantization` has found it. Scales stay float32
where the network is computed in float16: those of weights are often smaller than what float16 holds exactly.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.block_weights import MATRIX_PRODUCT
from gsjupyter.formats.onnx.grids import CLIP, DEQUANTIZE, QUANTIZE
from gsjupyter.formats.onnx.integer_weights import STORE_4_BITS
from gsjupyter.formats.onnx.kernels import is_narrow, narrowed, widened
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.write_quantization import GLOBAL_MEAN

_FOUR_BITS: Final = {np.dtype(np.int8): ir.DataType.INT4, np.dtype(np.uint8): ir.DataType.UINT4}


def _scale(operation: Operation) -> ir.Value:
    if not is_narrow(operation):
        return operation.tensor(1)
    return operation.builder.store(ir.tensor(np.asarray(operation.constant(1))))


def _quantize(operation: Operation) -> ir.Value:
    value, axis = widened(operation, operation.tensor(0)), operation.setting("axis", default=None)
    return operation.add("QuantizeLinear", value, _scale(operation), operation.tensor(2), axis=axis)


def _dequantize(operation: Operation) -> ir.Value:
    is_packed = operation.setting("bits", default=8) == 4
    indices = [index for index in (0, 2) if index < len(operation.node.inputs)]
    values, *zero_point = (_in_4_bits(operation, index) if is_packed else operation.tensor(index) for index in indices)
    result = operation.add(
        "DequantizeLinear",
        values,
        _scale(operation),
        *zero_point,
        axis=operation.setting("axis", default=None),
        block_size=operation.setting("block_size", default=None),
    )
    return narrowed(operation, result)


def _in_4_bits(operation: Operation, index: int) -> ir.Value:
    array = np.asarray(operation.constant(index))
    parameter = operation.node.parameter(index)
    packed = ir.tensor(array, dtype=_FOUR_BITS[array.dtype])
    return operation.builder.store(packed, parameter.name if parameter is not None else None)


def _store_4_bits(operation: Operation) -> ir.Value:
    # Runtimes widen it once, when they load the file.
    return operation.add("Cast", _in_4_bits(operation, 0), to=ir.DataType.from_numpy(operation.dtype))


def _clip(operation: Operation) -> ir.Value:
    return operation.add("Clip", *(operation.tensor(index) for index in range(3)))


def _global_mean(operation: Operation) -> ir.Value:
    mean = operation.add("GlobalAveragePool", operation.tensor(0))
    if len(operation.shape or ()) == operation.rank(0):
        return mean
    # Not a Flatten: ONNX Runtime moves quantization in front of a Reshape only, to where the integer kernel needs it.
    return operation.add("Reshape", mean, np.array([0, -1], np.int64))


def _matrix_product(operation: Operation) -> ir.Value:
    return operation.add("MatMul", operation.tensor(0), operation.tensor(1))


LOWERINGS: Final[Mapping[str, Lowering]] = {
    CLIP: _clip,
    DEQUANTIZE: _dequantize,
    GLOBAL_MEAN: _global_mean,
    MATRIX_PRODUCT: _matrix_product,
    QUANTIZE: _quantize,
    STORE_4_BITS: _store_4_bits,
}
