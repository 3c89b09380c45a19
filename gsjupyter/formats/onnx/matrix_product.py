"""Matrix products and biases as ONNX: dense layers, attention, and the last layer of every classifier.

A product of two matrices that are transposed, or that a bias follows, becomes one Gemm, the bias with it
(`gsjupyter.formats.onnx.bias`): integer kernels want that form. ONNX Runtime has kernels for fractions and for wide
integers; narrow integers are multiplied as wide ones, and wrap when they are made narrow again, as on MindSpore.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.bias import has_bias, with_bias
from gsjupyter.formats.onnx.convolution import has_channels_first
from gsjupyter.formats.onnx.kernels import kernel_type, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.tuples import tensors_of


def _turned(operation: Operation, value: ir.Value, rank: int) -> ir.Value:
    return operation.add("Transpose", value, perm=[*range(rank - 2), rank - 1, rank - 2])


def _product(operation: Operation) -> ir.Value:
    """Lower a product of matrices, or of stacks of them, either of which may be transposed."""
    transposed = [operation.setting(name, index, False) for name, index in (("transpose_a", 2), ("transpose_b", 3))]
    ranks = [operation.rank(index) for index in (0, 1)]
    wide = kernel_type("MatMul", operation.dtype)
    left, right = operation.tensor(0, wide), operation.tensor(1, wide)
    if ranks == [2, 2] and wide.kind == "f" and (has_bias(operation.node) or any(transposed)):
        return operation.add("Gemm", left, right, transA=int(transposed[0]), transB=int(transposed[1]))
    factors = [
        _turned(operation, factor, rank) if is_transposed else factor
        for factor, rank, is_transposed in zip((left, right), ranks, transposed, strict=True)
    ]
    if ranks[0] > 1 and ranks[1] == 1:
        # ONNX Runtime 1.32 multiplies a transposed matrix and a vector wrongly, where it takes the two steps in one.
        column = operation.add("Unsqueeze", factors[1], np.array([1]))
        product = operation.add("MatMul", factors[0], column)
        return settled(operation, operation.add("Squeeze", product, np.array([-1])), wide)
    return settled(operation, operation.add("MatMul", *factors), wide)


def _dense(operation: Operation) -> ir.Value:
    """Lower data times a weight of shape (out_features, in_features), transposed, plus a bias, if there is one."""
    rank, wide = operation.rank(0), kernel_type("MatMul", operation.dtype)
    data, weight, bias = operation.tensor(0, wide), operation.tensor(1, wide), operation.optional(2)
    features = operation.input_shape(1)[1]
    if wide.kind != "f":
        product = operation.add("MatMul", data, _turned(operation, weight, 2))
        total = product if bias is None else operation.add("Add", product, operation.tensor(2, wide))
        return settled(operation, total, wide)
    rows = data if rank == 2 else operation.add("Reshape", data, np.array([-1, features]))
    result = operation.add("Gemm", rows, weight, *([] if bias is None else [bias]), transB=1)
    return result if rank == 2 else _as_rows_of(operation, data, result)


def _as_rows_of(operation: Operation, data: ir.Value, rows: ir.Value) -> ir.Value:
    """Return rows in the shape of the operator's output: that of the data, but for the last axis."""
    shape = operation.shape or ()
    batch = operation.builder.batch_axes.of(data)
    if batch is not None and min(shape) >= 0:
        return operation.add("Reshape", rows, np.array([*shape[: batch.axis], -1, *shape[batch.axis + 1 :]]))
    if min(shape) >= 0:
        return operation.reshape(rows, shape)
    sizes = operation.add("Shape", data, end=-1)
    return operation.add("Reshape", rows, operation.add("Concat", sizes, np.array(shape[-1:]), axis=0))


def _bias_add(operation: Operation) -> ir.Value:
    rank = operation.rank(0)
    axis = 1 if has_channels_first(operation, 2) else rank - 1
    if axis == 1 and (result := with_bias(operation, 0, 1)) is not None:
        return result
    bias = operation.tensor(1)
    if axis < rank - 1:
        bias = operation.add("Unsqueeze", bias, np.arange(1, rank - axis))
    return operation.add("Add", operation.tensor(0), bias)


def _added_product(operation: Operation) -> ir.Value:
    """Lower ``beta * input + alpha * (left @ right)``."""
    beta, alpha = operation.setting("beta", 3, 1), operation.setting("alpha", 4, 1)
    wide = kernel_type("MatMul", operation.dtype)
    added, left, right = (operation.tensor(index, wide) for index in range(3))
    if operation.rank(1) == operation.rank(2) == 2 and wide.kind == "f":
        return operation.add("Gemm", left, right, added, alpha=float(alpha), beta=float(beta))
    terms = ((added, beta), (operation.add("MatMul", left, right), alpha))
    scaled = [
        value if factor == 1 else operation.add("Mul", value, operation.number(factor, wide)) for value, factor in terms
    ]
    return settled(operation, operation.add("Add", *scaled), wide)


def _einsum(operation: Operation) -> ir.Value:
    values = [value for value, _ in tensors_of(operation, operation.dtype)]
    return operation.add("Einsum", *values, equation=operation.setting("equation"))


def _outer(operation: Operation) -> ir.Value:
    column = operation.add("Unsqueeze", operation.tensor(0), np.array([1]))
    return operation.add("Mul", column, operation.tensor(1))


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "MatMul": _product,
    "BatchMatMul": _product,
    "BatchMatMulExt": _product,
    "MatMulExt": _product,
    "Mm": _product,
    "Mv": _product,
    "Dot": _product,
    "Dense": _dense,
    "BiasAdd": _bias_add,
    "Addmm": _added_product,
    "Addmv": _added_product,
    "Baddbmm": _added_product,
    "Einsum": _einsum,
    "Ger": _outer,
}
