"""Small ONNX files, made with ONNX's own library: what the engine reads is not what our lowering writes."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


class OnnxFile:
    """A network that is put together node by node."""

    def __init__(self, **inputs):
        """Take the shape of each input."""
        self.inputs = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()]
        self.nodes = []
        self.tensors = []

    def stored(self, name, array):
        """Add a stored tensor."""
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator, inputs, name, **attributes):
        """Add a node and return its output."""
        self.nodes.append(helper.make_node(operator, inputs, [name], name=f"{name}_node", **attributes))
        return name

    def weight(self, name, rng, shape, axis):
        """Add an int8 weight with a scale for each index of an axis; return it in float32, and its numbers."""
        stored = rng.integers(-127, 128, shape).astype(np.int8)
        scale = rng.uniform(0.001, 0.01, shape[axis]).astype(np.float32)
        inputs = [self.stored(f"{name}_stored", stored), self.stored(f"{name}_scale", scale)]
        numbers = stored * scale.reshape([-1 if index == axis else 1 for index in range(len(shape))])
        return self.node("DequantizeLinear", inputs, name, axis=axis), numbers

    def int4_weight(self, name, rng, shape, block=32):
        """Add an int4 weight with a scale for each block of rows; return it in float32, and its numbers."""
        stored = rng.integers(-8, 8, shape)
        scale = rng.uniform(0.01, 0.1, (shape[0] // block, shape[1])).astype(np.float32)
        self.tensors.append(helper.make_tensor(f"{name}_stored", TensorProto.INT4, shape, stored.ravel().tolist()))
        inputs = [f"{name}_stored", self.stored(f"{name}_scale", scale)]
        numbers = (stored * np.repeat(scale, block, axis=0)).astype(np.float32)
        return self.node("DequantizeLinear", inputs, name, axis=0, block_size=block), numbers

    def rounded(self, name, value, scale, zero_point=128):
        """Add a uint8 activation: a value rounded, and as a number again."""
        inputs = [
            self.stored(f"{name}_scale", np.float32(scale)),
            self.stored(f"{name}_zero_point", np.uint8(zero_point)),
        ]
        self.node("QuantizeLinear", [value, *inputs], f"{name}_rounded")
        return self.node("DequantizeLinear", [f"{name}_rounded", *inputs], name)

    def model(self, *outputs, kind=FLOAT, domains=()):
        """Return the ONNX model."""
        graph = helper.make_graph(
            self.nodes,
            "graph",
            self.inputs,
            [helper.make_tensor_value_info(name, kind, None) for name in outputs],
            self.tensors,
        )
        opsets = [helper.make_opsetid("", 21), *(helper.make_opsetid(domain, 1) for domain in domains)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def save(self, path, *outputs, **options):
        """Write the file, and return its path."""
        onnx.save(self.model(*outputs, **options), path)
        return path


def affine(path, batch="batch"):
    """Write ``y = 2 x + 1`` for float32 of shape (batch, 3)."""
    file = OnnxFile(x=[batch, 3])
    doubled = file.node("Mul", ["x", file.stored("two", np.float32(2))], "doubled")
    file.node("Add", [doubled, file.stored("one", np.float32(1))], "y")
    return file.save(path, "y")


def with_values_elsewhere(path, location):
    """Write ``y = x + w`` for float32 of shape (4,), with the values of w in another file."""
    file = OnnxFile(x=[4])
    file.node("Add", ["x", "w"], "y")
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    file.tensors.append(tensor)
    return file.save(path, "y")


def operators(path):
    """Return the operators of a file, in running order."""
    return [node.op_type for node in onnx.load(path).graph.node]


def stored_in_integers(path):
    """Return the dequantizations of stored values in a file, which are done at every call."""
    graph = onnx.load(path).graph
    stored = {tensor.name for tensor in graph.initializer}
    return [node.name for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]
