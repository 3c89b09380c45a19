"""Small ONNX networks that show what makes int8 slow, as other exporters write them."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from tests.engines.onnx_files import OnnxFile

CHANNELS = 16
PIXELS = 8
_WINDOWS = {"MaxPool": {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}}


class QuantizedFile(OnnxFile):
    """A network of convolutions, or of matrix products, between QuantizeLinear and DequantizeLinear."""

    def __init__(self, operator="Conv", channels=CHANNELS, pixels=PIXELS):
        """Take the kind of its layers."""
        super().__init__(x=[1, channels, pixels, pixels] if operator.startswith("Conv") else [4, channels])
        self.operator = operator
        self.channels = channels
        self.rng = np.random.default_rng(0)

    def grid(self, name, value, dtype=np.uint8, zero=None, *, has_zero=True, scale=0.02):
        """Round a value to integers, and make it a number again."""
        zero = np.iinfo(dtype).min + 128 if zero is None else zero
        scale = np.asarray(scale, np.float32)
        grid = [self.stored(f"{name}/scale", scale)]
        if has_zero:
            grid.append(self.stored(f"{name}/zero", np.full(scale.shape, zero, dtype)))
        axis = {"axis": 1} if scale.ndim else {}
        self.node("QuantizeLinear", [value, *grid], f"{name}/rounded", **axis)
        return self.node("DequantizeLinear", [f"{name}/rounded", *grid], f"{name}/value", **axis)

    def integer_weight(self, name, dtype=np.int8, *, axis=None, has_zero=True, block=0):
        """Store a weight in integers, with a scale for each output channel."""
        is_convolution = self.operator.startswith("Conv")
        shape = (self.channels, self.channels, *((3, 3) if is_convolution else ()))
        axis = (0 if is_convolution else 1) if axis is None else axis
        scale = np.full(self.channels, 0.01, np.float32)
        if block:
            scale = np.full((self.channels // block, self.channels), 0.01, np.float32)
        if dtype == "int4":
            numbers = self.rng.integers(-7, 8, shape).ravel().tolist()
            self.tensors.append(helper.make_tensor(f"{name}/weight", TensorProto.INT4, shape, numbers))
            stored = [f"{name}/weight", self.stored(f"{name}/weight_scale", scale)]
        else:
            limits = np.iinfo(dtype)
            numbers = self.rng.integers(limits.min + 1, limits.max, shape).astype(dtype)
            stored = [self.stored(f"{name}/weight", numbers), self.stored(f"{name}/weight_scale", scale)]
            if has_zero:
                zero = 128 if dtype == np.uint8 else 0
                stored.append(self.stored(f"{name}/weight_zero", np.full(scale.shape, zero, dtype)))
        blocks = {"block_size": block} if block else {}
        return self.node("DequantizeLinear", stored, f"{name}/number", axis=axis, **blocks)

    def layer(self, name, value, weight, *more, operator=None):
        """Add a layer; it is called ``name/Conv`` for example, and gives a value of that name."""
        operator = operator or self.operator
        padding = {"pads": [1, 1, 1, 1]} if operator.startswith("Conv") else {}
        output = f"{name}/{operator}"
        self.nodes.append(helper.make_node(operator, [value, weight, *more], [output], name=output, **padding))
        return output


def chain(path, *, operator="Conv", activations=np.uint8, weights=np.int8, between="", layers=3, **sizes):
    """Write layers in a row, each with a ReLU, with operators of another kind between them."""
    file = QuantizedFile(operator, **sizes)
    lowest = np.iinfo(activations).min
    value = file.grid("x", "x", activations)
    for number in range(layers):
        name = f"layer{number}"
        value = file.layer(name, value, file.integer_weight(name, weights))
        value = file.node("Relu", [value], f"{name}/Relu")
        value = file.grid(f"{name}/output", value, activations, lowest)
        if between:
            value = file.node(between, [value], f"{name}/{between}", **_WINDOWS.get(between, {}))
            value = file.grid(f"{name}/between", value, activations)
    file.node("Identity", [value], "y")
    return file.save(path, "y")


def float_chain(path, *, operator="Conv", layers=3, dtype=np.float32, **sizes):
    """Write the layers of `chain` in floating point."""
    file = QuantizedFile(operator, **sizes)
    shape = (file.channels, file.channels, *((3, 3) if operator == "Conv" else ()))
    value = "x" if dtype == np.float32 else file.node("Cast", ["x"], "half", to=TensorProto.FLOAT16)
    for number in range(layers):
        weight = file.stored(f"layer{number}/weight", file.rng.standard_normal(shape).astype(dtype) / 8)
        value = file.layer(f"layer{number}", value, weight)
        value = file.node("Relu", [value], f"layer{number}/Relu")
    file.node("Cast", [value], "y", to=TensorProto.FLOAT)
    return file.save(path, "y")


def weights_in_integers(path, *, operator="MatMul", layers=3, **sizes):
    """Write layers whose weights alone are integers."""
    file = QuantizedFile(operator, **sizes)
    value = "x"
    for number in range(layers):
        value = file.layer(f"layer{number}", value, file.integer_weight(f"layer{number}"))
        value = file.node("Relu", [value], f"layer{number}/Relu")
    file.node("Identity", [value], "y")
    return file.save(path, "y")


def weights_in_blocks(path, *, layers=3, channels=32):
    """Write the products that ONNX Runtime's own quantizer makes of weights: it reads their integers as they are."""
    file = QuantizedFile("MatMul", channels=channels)
    value = "x"
    settings = {"K": channels, "N": channels, "bits": 4, "block_size": 32, "accuracy_level": 4}
    for number in range(layers):
        name = f"layer{number}"
        numbers = file.rng.integers(0, 256, (channels, channels // 32, 16)).astype(np.uint8)
        stored = [file.stored(f"{name}/weight", numbers)]
        stored.append(file.stored(f"{name}/scale", np.full(channels * (channels // 32), 0.01, np.float32)))
        value = file.node("MatMulNBits", [value, *stored], f"{name}/y", domain="com.microsoft", **settings)
    file.node("Identity", [value], "y")
    return file.save(path, "y", domains=["com.microsoft"])


def dynamic_chain(path, *, layers=3):
    """Write convolutions that quantize their input at each call."""
    file = QuantizedFile()
    value = "x"
    for number in range(layers):
        name = f"layer{number}"
        outputs = [f"{name}/{part}" for part in ("rounded", "scale", "zero")]
        file.nodes.append(helper.make_node("DynamicQuantizeLinear", [value], outputs, name=f"{name}/Quantize"))
        weight = file.rng.integers(1, 255, (CHANNELS, CHANNELS, 3, 3)).astype(np.uint8)
        stored = [file.stored(f"{name}/weight", weight), outputs[2], file.stored(f"{name}/weight_zero", np.uint8(128))]
        file.layer(name, outputs[0], *stored, operator="ConvInteger")
        value = file.node("Cast", [f"{name}/ConvInteger"], f"{name}/cast", to=TensorProto.FLOAT)
        value = file.node("Mul", [value, outputs[1]], f"{name}/scaled")
    file.node("Identity", [value], "y")
    return file.save(path, "y")


def integer_operators(path, activations, *, layers=3):
    """Write products of integers as they are, without QuantizeLinear around each: nothing can change their type."""
    file = QuantizedFile("MatMul")
    grid = [
        file.stored("scale", np.float32(0.02)),
        file.stored("zero", np.array(np.iinfo(activations).min + 128, activations)),
    ]
    value = file.node("QuantizeLinear", ["x", *grid], "rounded")
    for number in range(layers):
        numbers = file.rng.integers(-127, 128, (CHANNELS, CHANNELS)).astype(np.int8)
        weight = [file.stored(f"w{number}", numbers), file.stored(f"w{number}/scale", np.float32(0.01))]
        weight.append(file.stored(f"w{number}/zero", np.int8(0)))
        name = f"layer{number}/QLinearMatMul"
        file.nodes.append(helper.make_node("QLinearMatMul", [value, *grid, *weight, *grid], [name], name=name))
        value = name
    file.node("DequantizeLinear", [value, *grid], "y")
    return file.save(path, "y")


def half_precision_blocks(path, *, blocks=3):
    """Write convolutions in float16 with a LayerNorm over their channels behind each, as in ConvNeXt."""
    file = OnnxFile(x=[1, CHANNELS, PIXELS, PIXELS])
    rng = np.random.default_rng(0)
    value = file.node("Cast", ["x"], "half", to=TensorProto.FLOAT16)
    ones = file.stored("ones", np.ones(CHANNELS, np.float16))
    for number in range(blocks):
        weight = file.stored(f"w{number}", rng.standard_normal((CHANNELS, CHANNELS, 3, 3)).astype(np.float16))
        value = file.node("Conv", [value, weight], f"conv{number}", pads=[1, 1, 1, 1])
        value = file.node("Transpose", [value], f"to_last{number}", perm=[0, 2, 3, 1])
        value = file.node("LayerNormalization", [value, ones], f"norm{number}", axis=-1)
        value = file.node("Transpose", [value], f"to_first{number}", perm=[0, 3, 1, 2])
    file.node("Cast", [value], "y", to=TensorProto.FLOAT)
    return file.save(path, "y")


def changing_layouts(path, *, blocks=3):
    """Write convolutions with a product between them that wants the channels last."""
    file = OnnxFile(x=[1, CHANNELS, PIXELS, PIXELS])
    rng = np.random.default_rng(0)
    value = "x"
    for number in range(blocks):
        weight = file.stored(f"w{number}", rng.standard_normal((CHANNELS, CHANNELS, 3, 3)).astype(np.float32))
        value = file.node("Conv", [value, weight], f"conv{number}", pads=[1, 1, 1, 1])
        value = file.node("Transpose", [value], f"to_last{number}", perm=[0, 2, 3, 1])
        matrix = file.stored(f"m{number}", rng.standard_normal((CHANNELS, CHANNELS)).astype(np.float32))
        value = file.node("MatMul", [value, matrix], f"product{number}")
        value = file.node("Transpose", [value], f"to_first{number}", perm=[0, 3, 1, 2])
    file.node("Identity", [value], "y")
    return file.save(path, "y")
