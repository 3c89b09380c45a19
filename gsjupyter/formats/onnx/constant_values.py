"""What a part of the ONNX graph comes to that no input reaches: weights that MindIR puts together from parameters.

onnx's own reference implementation computes it, so that no operator is written a second time.
"""

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator

from gsjupyter.formats.onnx.builder import OPSET, Builder
from gsjupyter.mindir import Array


def known_value(builder: Builder, value: ir.Value) -> Array | None:
    """Return a value as an array; None if it depends on the inputs.

    Parameters
    ----------
    builder : Builder
        The graph that the value is of.
    value : ir.Value
        The value.
    """
    if builder.is_variable(value):
        return None
    if value.const_value is not None:
        return value.const_value.numpy()
    nodes, sources = _sources(value)
    feeds = {str(source.name): source.const_value.numpy() for source in sources if source.const_value is not None}
    graph = onnx.helper.make_graph(
        [ir.serde.serialize_node(node) for node in nodes],
        "constant",
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in feeds],
        [onnx.helper.make_tensor_value_info(str(value.name), onnx.TensorProto.UNDEFINED, None)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)])
    results: Any = ReferenceEvaluator(model).run(None, feeds)
    return np.asarray(results[0])


def _sources(value: ir.Value) -> tuple[list[ir.Node], list[ir.Value]]:
    """Return the nodes that compute a value, in running order, and the stored values that they read."""
    nodes: dict[ir.Node, None] = {}
    sources: dict[ir.Value, None] = {}
    pending: list[tuple[ir.Value, bool]] = [(value, False)]
    while pending:
        current, is_done = pending.pop()
        node = current.producer()
        if node is None:
            sources[current] = None
        elif is_done:
            nodes[node] = None
        elif node not in nodes:
            pending.append((current, True))
            pending.extend((item, False) for item in node.inputs if item is not None)
    return list(nodes), list(sources)
