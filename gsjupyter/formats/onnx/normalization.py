"""Normalization as ONNX: every deep network has it, and one that leaves it out computes something else.

Groups are normalized as instances of reshaped data: ONNX Runtime has no kernel for GroupNormalization on CPUs, and what
it puts in its place takes twice as long.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.builder import Lowered
from gsjupyter.formats.onnx.convolution import check_format
from gsjupyter.formats.onnx.kernels import kernel_type
from gsjupyter.formats.onnx.operation import Lowering, Operation
from gsjupyter.formats.onnx.reduction import mean_and_variance


def _batch_norm(epsilon: int) -> Lowering:
    """Return the lowering of data, gamma, beta, mean, variance, is_training, and others; `epsilon` says which it is."""

    def lower(operation: Operation) -> Lowered:
        if operation.setting("is_training", 5):
            raise operation.unsupported("it is in training mode, where its output depends on the whole batch")
        check_format(operation, 8)
        if operation.reads_beyond_first():
            raise operation.unsupported("statistics of training are read")
        own, exact = operation.input_dtype(0), operation.input_dtype(3)
        shape = operation.input_shape(3)
        gamma, beta = operation.optional(1), operation.optional(2)
        result = operation.add(
            "BatchNormalization",
            operation.tensor(0, exact),
            np.ones(shape, exact) if gamma is None else gamma,
            np.zeros(shape, exact) if beta is None else beta,
            operation.tensor(3),
            operation.tensor(4),
            epsilon=operation.setting("epsilon", epsilon),
        )
        return operation.cast(result, own, exact), None, None, None, None

    return lower


def _layer_norm(operation: Operation) -> Lowered:
    """Lower data, gamma, beta, begin_norm_axis, begin_params_axis, epsilon."""
    rank = operation.rank(0)
    first, first_scaled = (
        operation.setting("begin_norm_axis", 3) % rank,
        operation.setting("begin_params_axis", 4) % rank,
    )
    epsilon = operation.setting("epsilon", 5)
    normalized = operation.input_shape(0)[first:]
    data, gamma, beta = (operation.tensor(index) for index in range(3))
    if first == first_scaled:
        result = operation.add("LayerNormalization", data, gamma, beta, axis=first, epsilon=epsilon)
    elif min(normalized) < 0:
        raise operation.unsupported("the axes that it normalizes are of free size, and not those that it scales")
    else:
        ones = np.ones(normalized, operation.input_dtype(0))
        plain = operation.add("LayerNormalization", data, ones, axis=first, epsilon=epsilon)
        result = operation.add("Add", operation.add("Mul", plain, gamma), beta)
    if not operation.reads_beyond_first():
        return result, None, None
    mean, variance = mean_and_variance(operation, operation.tensor(0, np.float32), range(first, rank))
    is_inverse = operation.node.op == "LayerNormV3"
    return result, mean, _inverse_root(operation, variance, epsilon) if is_inverse else variance


def _layer_norm_of_mint(operation: Operation) -> Lowered:
    """Lower data, normalized_shape, gamma, beta, epsilon."""
    first = operation.rank(0) - len(operation.setting("normalized_shape", 1))
    gamma, beta = operation.optional(2), operation.optional(3)
    epsilon = operation.setting("eps", 4)
    scale = np.ones(operation.setting("normalized_shape", 1), operation.input_dtype(0)) if gamma is None else gamma
    result = operation.add("LayerNormalization", operation.tensor(0), scale, beta, axis=first, epsilon=epsilon)
    if not operation.reads_beyond_first():
        return result, None, None
    mean, variance = mean_and_variance(operation, operation.tensor(0, np.float32), range(first, operation.rank(0)))
    return result, mean, _inverse_root(operation, variance, epsilon)


def _inverse_root(operation: Operation, variance: ir.Value, epsilon: float) -> ir.Value:
    root = operation.add("Sqrt", operation.add("Add", variance, operation.number(epsilon)))
    return operation.add("Reciprocal", root)


def _group_norm(operation: Operation) -> Lowered:
    """Lower data, groups, gamma, beta, epsilon."""
    groups, epsilon = operation.setting("num_groups", 1), operation.setting("eps", 4)
    shape = operation.input_shape(0)
    own = operation.input_dtype(0)
    kind = kernel_type("InstanceNormalization", own)
    data, gamma, beta = (operation.tensor(index, kind) for index in (0, 2, 3))
    if groups == shape[1] and len(shape) > 2:
        result = operation.add("InstanceNormalization", data, gamma, beta, epsilon=epsilon)
    else:
        ones, zeros = np.ones(groups, kind), np.zeros(groups, kind)
        apart = _by_group(operation, data, groups)
        plain = operation.add("InstanceNormalization", apart, ones, zeros, epsilon=epsilon)
        scaled = operation.add("Mul", _in_shape_of(operation, plain, data), _per_channel(operation, gamma))
        result = operation.add("Add", scaled, _per_channel(operation, beta))
    result = operation.cast(result, own, kind)
    if not operation.reads_beyond_first():
        return result, None, None
    mean, variance = mean_and_variance(operation, _by_group(operation, data, groups), [2])
    inverse = _inverse_root(operation, variance, epsilon)
    return result, operation.add("Squeeze", mean, np.array([2])), operation.add("Squeeze", inverse, np.array([2]))


def _by_group(operation: Operation, data: ir.Value, groups: int) -> ir.Value:
    return operation.add("Reshape", data, np.array([0, groups, -1]))


def _in_shape_of(operation: Operation, value: ir.Value, data: ir.Value) -> ir.Value:
    shape = operation.input_shape(0)
    if min(shape) >= 0:
        return operation.reshape(value, shape)
    return operation.add("Reshape", value, operation.add("Shape", data))


def _per_channel(operation: Operation, vector: ir.Value) -> ir.Value:
    """Return a vector in a shape that meets the channel axis."""
    behind = operation.rank(0) - 2
    return operation.add("Unsqueeze", vector, np.arange(1, 1 + behind)) if behind else vector


def _instance_norm(operation: Operation) -> Lowered:
    if operation.reads_beyond_first():
        raise operation.unsupported("its statistics are read")
    data, gamma, beta = (operation.tensor(index) for index in range(3))
    epsilon = operation.setting("epsilon")
    return operation.add("InstanceNormalization", data, gamma, beta, epsilon=epsilon), None, None


def _rms_norm(operation: Operation) -> Lowered:
    """Lower data, gamma, epsilon: the form that ONNX Runtime makes one node of."""
    data, own = operation.tensor(0, np.float32), operation.input_dtype(0)
    axes = np.arange(-operation.rank(1), 0)
    square = operation.add("Pow", data, operation.number(2))
    mean = operation.add("ReduceMean", square, axes)
    root = operation.add("Sqrt", operation.add("Add", mean, operation.number(operation.setting("eps", 2))))
    result = operation.add("Mul", operation.add("Div", data, root), operation.tensor(1, np.float32))
    inverse = operation.add("Reciprocal", root) if operation.reads_beyond_first() else None
    return operation.cast(result, own, np.float32), inverse


def _local_response(operation: Operation) -> ir.Value:
    """Lower the sum of squares over neighbouring channels; ONNX divides alpha by how many they are."""
    size = 2 * operation.setting("depth_radius") + 1
    alpha, beta, bias = (operation.setting(name) for name in ("alpha", "beta", "bias"))
    return operation.add("LRN", operation.tensor(0), size=size, alpha=alpha * size, beta=beta, bias=bias)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    "BatchNorm": _batch_norm(6),
    "BatchNormExt": _batch_norm(7),
    "LayerNorm": _layer_norm,
    "LayerNormV3": _layer_norm,
    "LayerNormExt": _layer_norm_of_mint,
    "GroupNorm": _group_norm,
    "InstanceNorm": _instance_norm,
    "RmsNorm": _rms_norm,
    "LRN": _local_response,
}
