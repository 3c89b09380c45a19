"""Activation functions as ONNX: without them no network but a linear one could leave MindSpore."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.formats.onnx.kernels import computed, elementwise, kernel_type, settled
from gsjupyter.formats.onnx.operation import Lowering, Operation

_TANH_APPROXIMATION: Final = 1


def _relu(operation: Operation) -> ir.Value:
    if operation.dtype.kind == "f":
        return operation.add("Relu", operation.tensor(0))
    return computed(operation, "Max", 0, operation.number(0, kernel_type("Max", operation.dtype)))


def _relu6(operation: Operation) -> ir.Value:
    low, high = (operation.number(limit, operation.dtype) for limit in (0, 6))
    return operation.add("Clip", operation.tensor(0), low, high)


def _hard_tanh(operation: Operation) -> ir.Value:
    low, high = (
        operation.number(operation.setting(name, index), operation.dtype)
        for name, index in (("min_val", 1), ("max_val", 2))
    )
    return operation.add("Clip", operation.tensor(0, operation.dtype), low, high)


def _gelu(operation: Operation) -> ir.Value:
    return computed(operation, "Gelu", 0, approximate="tanh")


def _gelu_of_kind(operation: Operation) -> ir.Value:
    is_tanh = operation.setting("approximate", 1, 0) == _TANH_APPROXIMATION
    return computed(operation, "Gelu", 0, approximate="tanh" if is_tanh else "none")


def _fast_gelu(operation: Operation) -> ir.Value:
    value = operation.tensor(0)
    gate = operation.add("Sigmoid", operation.add("Mul", value, operation.number(1.702, operation.dtype)))
    return operation.add("Mul", value, gate)


def _silu(operation: Operation) -> ir.Value:
    value = operation.tensor(0, operation.dtype)
    return operation.add("Mul", value, operation.add("Sigmoid", value))


def _hard_sigmoid(operation: Operation) -> ir.Value:
    return computed(operation, "HardSigmoid", 0, alpha=1 / 6, beta=0.5)


def _hard_shrink(operation: Operation) -> ir.Value:
    return computed(operation, "Shrink", 0, lambd=operation.setting("lambd", 1, 0.5), bias=0.0)


def _soft_shrink(operation: Operation) -> ir.Value:
    threshold = operation.setting("lambd", 1, 0.5)
    return computed(operation, "Shrink", 0, lambd=threshold, bias=threshold)


def _with_alpha(operator: str, usual: float, name: str = "alpha") -> Lowering:
    return lambda operation: computed(operation, operator, 0, alpha=float(operation.setting(name, 1, usual)))


def _celu(operation: Operation) -> ir.Value:
    alpha = float(operation.setting("alpha", 1, 1.0))
    if operation.builder.type_of(operation.dtype) == np.float32:
        return operation.add("Celu", operation.tensor(0), alpha=alpha)
    # ONNX has it for float32 only.
    scale = operation.number(alpha, kernel_type("Elu", operation.dtype))
    scaled = operation.add("Div", operation.tensor(0, scale.dtype), scale)
    return settled(operation, operation.add("Mul", operation.add("Elu", scaled, alpha=1.0), scale), scale.dtype)


def _prelu(operation: Operation) -> ir.Value:
    """Lower the activation with a slope for each channel, axis 1, or one for all."""
    kernel = kernel_type("PRelu", operation.dtype)
    slope = operation.tensor(1, kernel)
    if operation.rank(0) > 2:
        slope = operation.add("Reshape", slope, np.array([-1, *[1] * (operation.rank(0) - 2)], np.int64))
    return settled(operation, operation.add("PRelu", operation.tensor(0, kernel), slope), kernel)


def _softplus_with_threshold(operation: Operation) -> ir.Value:
    """Lower log(1 + exp(beta x)) / beta, which is x above a threshold of beta x."""
    kernel = kernel_type("Softplus", operation.dtype)
    beta, threshold = (
        operation.number(operation.setting(name, index, usual), kernel)
        for name, index, usual in (("beta", 1, 1), ("threshold", 2, 20))
    )
    value = operation.tensor(0, kernel)
    scaled = value if beta == 1 else operation.add("Mul", value, beta)
    smooth = operation.add("Softplus", scaled)
    smooth = smooth if beta == 1 else operation.add("Div", smooth, beta)
    is_linear = operation.add("Greater", scaled, threshold)
    return settled(operation, operation.add("Where", is_linear, value, smooth), kernel)


def _log_sigmoid(operation: Operation) -> tuple[ir.Value, None]:
    """Lower log(sigmoid(x)) = -softplus(-x); the second output serves the gradient."""
    dtype = operation.input_dtype(0)
    kernel = kernel_type("Softplus", dtype)
    smooth = operation.add("Softplus", operation.add("Neg", operation.tensor(0, kernel)))
    value = operation.add("Neg", smooth)
    return operation.cast(value, dtype, kernel), None


def _softmax(operator: str) -> Lowering:
    def lower(operation: Operation) -> ir.Value:
        axes = operation.setting("axis", 1, -1)
        if isinstance(axes, tuple) and len(axes) != 1:
            raise operation.unsupported(f"it has {len(axes)} axes")
        return computed(operation, operator, 0, axis=axes[0] if isinstance(axes, tuple) else axes)

    return lower


def _log_softmax_of_kind(operation: Operation) -> ir.Value:
    axis = operation.setting("dim", 1, None)
    usual = 0 if operation.rank(0) in (0, 1, 3) else 1
    return computed(operation, "LogSoftmax", 0, axis=usual if axis is None else axis)


def _halves(operation: Operation, name: str) -> tuple[ir.Value, ...]:
    axis = operation.setting(name, 1, -1)
    return operation.add_many("Split", operation.tensor(0), outputs=2, axis=axis, num_outputs=2)


def _gated(operation: Operation) -> ir.Value:
    value, gate = _halves(operation, "axis")
    return operation.add("Mul", value, operation.add("Sigmoid", gate))


def _swish_gated(operation: Operation) -> ir.Value:
    gate, value = _halves(operation, "dim")
    return operation.add("Mul", operation.add("Mul", gate, operation.add("Sigmoid", gate)), value)


def _threshold(operation: Operation) -> ir.Value:
    kernel = kernel_type("Where", operation.dtype)
    limit, other = (
        operation.number(operation.setting(name, index), kernel) for name, index in (("threshold", 1), ("value", 2))
    )
    value = operation.tensor(0, kernel)
    return settled(operation, operation.add("Where", operation.add("Greater", value, limit), value, other), kernel)


LOWERINGS: Final[Mapping[str, Lowering]] = {
    **{name: elementwise(name) for name in ("Mish", "Sigmoid", "Softplus", "Softsign")},
    "MishExt": elementwise("Mish"),
    "ReLU": _relu,
    "ReLU6": _relu6,
    "Hardtanh": _hard_tanh,
    "GeLU": _gelu,
    "GeluExt": _gelu_of_kind,
    "FastGeLU": _fast_gelu,
    **dict.fromkeys(("SiLU", "Swish"), _silu),
    "HSwish": elementwise("HardSwish"),
    "HSigmoid": _hard_sigmoid,
    "HShrink": _hard_shrink,
    "SoftShrink": _soft_shrink,
    **dict.fromkeys(("Elu", "EluExt"), _with_alpha("Elu", 1.0)),
    **dict.fromkeys(("SeLU", "SeLUExt"), elementwise("Selu")),
    "CeLU": _celu,
    **dict.fromkeys(("LeakyReLU", "LeakyReLUExt"), _with_alpha("LeakyRelu", 0.01, "negative_slope")),
    "PReLU": _prelu,
    "SoftplusExt": _softplus_with_threshold,
    "LogSigmoid": _log_sigmoid,
    "Softmax": _softmax("Softmax"),
    "LogSoftmax": _softmax("LogSoftmax"),
    "LogSoftmaxExt": _log_softmax_of_kind,
    "GLU": _gated,
    "Swiglu": _swish_gated,
    "Threshold": _threshold,
}
