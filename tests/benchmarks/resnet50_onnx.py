"""ResNet-50 as ONNX, with random weights, for tools that take nothing else."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Width, blocks and stride of each stage."""
_EXPANSION = 4
_OPSET = 17


class _Builder:
    """Nodes and weights of a network under way."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], **attributes: object) -> str:
        """Add a node; return the name of its output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def parameter(self, *shape: int) -> str:
        """Add random numbers, of the size that keeps activations from growing; return their name."""
        name = f"parameter_{len(self.weights)}"
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 10_000
        array = (self._rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def convolution(self, x: str, channels: tuple[int, int], size: int, stride: int) -> str:
        """Add a convolution with a bias, BatchNorm being folded."""
        pads = [size // 2] * 4
        weights = [self.parameter(channels[1], channels[0], size, size), self.parameter(channels[1])]
        return self.add("Conv", [x, *weights], kernel_shape=[size] * 2, strides=[stride] * 2, pads=pads)

    def block(self, x: str, channels: int, width: int, stride: int) -> str:
        """Add a bottleneck block."""
        y = self.add("Relu", [self.convolution(x, (channels, width), 1, 1)])
        y = self.add("Relu", [self.convolution(y, (width, width), 3, stride)])
        y = self.convolution(y, (width, width * _EXPANSION), 1, 1)
        if channels != width * _EXPANSION:
            x = self.convolution(x, (channels, width * _EXPANSION), 1, stride)
        return self.add("Relu", [self.add("Add", [x, y])])


def resnet50(rng: np.random.Generator) -> onnx.ModelProto:
    """Return ResNet-50 for one image ``x`` of 224 x 224."""
    build = _Builder(rng)
    y = build.add("Relu", [build.convolution("x", (3, 64), 7, 2)])
    y = build.add("MaxPool", [y], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for width, blocks, stride in _STAGES:
        for index in range(blocks):
            y = build.block(y, channels, width, stride if index == 0 else 1)
            channels = width * _EXPANSION
    y = build.add("Flatten", [build.add("GlobalAveragePool", [y])])
    y = build.add("Gemm", [y, build.parameter(1000, channels), build.parameter(1000)], transB=1)
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        build.nodes,
        "resnet50",
        [helper.make_tensor_value_info("x", float32, [1, 3, 224, 224])],
        [helper.make_tensor_value_info(y, float32, [1, 1000])],
        build.weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
