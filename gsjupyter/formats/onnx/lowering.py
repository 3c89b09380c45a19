"""From MindIR to an ONNX model: each operator by the function that the table has for it, in running order.

What can't be lowered is named before anything is written.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from gsjupyter.errors import UnsupportedError
from gsjupyter.formats.onnx.builder import OPSET, Builder, Lowered
from gsjupyter.formats.onnx.operation import Operation
from gsjupyter.formats.onnx.table import LOWERINGS
from gsjupyter.formats.onnx.tuples import MAKERS
from gsjupyter.formats.onnx.write_quantization import WriteQuantization
from gsjupyter.mindir import Graph, Model, Node, Value
from gsjupyter.passes import Functionalize, InferenceMode, Pipeline, RemoveDeadCode, UnpackWeights
from gsjupyter.signature import OUTPUTS

_IR_VERSION: Final = 10
# How many operators that can't be lowered a message names.
_NAMED: Final = 4


def to_onnx(
    model: Model,
    *,
    float_type: npt.DTypeLike = np.float32,
    free_batch: bool = False,
) -> ir.Model:
    """Return a network as an ONNX model.

    Parameters
    ----------
    model : Model
        The network.
    float_type : {numpy.float32, numpy.float16}
        What is computed in float32 by MindSpore, and its weights; inputs and outputs stay as they are.
    free_batch : bool
        Whether the first axis is to take any size, whatever the network was exported with. Sizes that follow from it
        are made free too; whether that was all of them, only running it tells.

    Raises
    ------
    UnsupportedError
        If an operator has no counterpart in ONNX; the message names all such, with their layers.
    """
    prepared, _ = Pipeline([InferenceMode(), Functionalize(), RemoveDeadCode(), UnpackWeights()]).run(model)
    graph = prepared.graph()
    WriteQuantization().run(graph)
    return lowered_graph(prepared, graph, float_type=float_type, free_batch=free_batch)


def lowered_graph(
    model: Model, graph: Graph, *, float_type: npt.DTypeLike = np.float32, free_batch: bool = False
) -> ir.Model:
    """Return a graph that is ready for it as an ONNX model.

    Parameters
    ----------
    model : Model
        What the graph was taken from: its name, and how its outputs are called.
    graph : Graph
        The graph, without side effects.
    float_type, free_batch
        As in `to_onnx`.

    Raises
    ------
    UnsupportedError
        If an operator has no counterpart in ONNX.
    """
    nodes = graph.nodes()
    check_operators(nodes)
    builder = Builder(graph, float_type=float_type, free_batch=free_batch)
    for node in nodes:
        builder.set(node, _lowered(node, builder))
    outputs = _outputs(builder, graph.output, model.output_keys)
    onnx_graph = ir.Graph(
        builder.inputs,
        list(outputs.values()),
        nodes=builder.nodes,
        initializers=list(builder.initializers.values()),
        opset_imports={"": OPSET},
        name=model.name,
    )
    onnx_model = ir.Model(
        onnx_graph,
        ir_version=_IR_VERSION,
        producer_name="gsjupyter",
        producer_version=version("gsjupyter"),
        metadata_props={OUTPUTS: json.dumps(list(outputs))} if list(outputs) != ["output"] else {},
    )
    # What a lowering took from further back leaves behind what nobody reads; ONNX Runtime would compute it.
    RemoveUnusedNodesPass()(onnx_model)
    return onnx_model


def check_operators(nodes: Sequence[Node]) -> None:
    """Check that there is a lowering for each node.

    Raises
    ------
    UnsupportedError
        If there is none; the message names the operators, each with a layer that has it.
    """
    missing: dict[str, list[str]] = {}
    for node in nodes:
        if node.op not in LOWERINGS:
            missing.setdefault(node.op, []).append(node.layer or "the network itself")
    if not missing:
        return
    named = [
        f"{operator} ({layers[0]}{_and_more(len(dict.fromkeys(layers)) - 1)})" for operator, layers in missing.items()
    ]
    raise UnsupportedError(
        f"ONNX export knows no counterpart of {', '.join(named[:_NAMED])}{_and_more(len(named) - _NAMED)}.",
        advice="Replace these layers by ones of other operators, or export to .mindir.",
    )


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _lowered(node: Node, builder: Builder) -> Lowered:
    operation = Operation(node, builder)
    try:
        return LOWERINGS[node.op](operation)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        # A setting of a kind that nobody has seen yet: a file from elsewhere may hold anything.
        raise operation.unsupported(f"its settings can't be read ({error})") from error


def _outputs(builder: Builder, output: Value, keys: Sequence[str]) -> dict[str, ir.Value]:
    """Return the outputs by name, those of nested tuples joined by dots; each a value that no input or other is."""
    lowered = builder.get(output)
    if not isinstance(lowered, tuple):
        flat: list[tuple[str, Lowered]] = [("output", lowered)]
    elif keys:
        flat = [pair for key, item in zip(keys, lowered, strict=True) for pair in _flat(key, item)]
    else:
        flat = _flat("", lowered)
    dtypes = _types_of(output, lowered)
    return {name: _output(builder, name, item, dtype) for (name, item), dtype in zip(flat, dtypes, strict=True)}


def _flat(name: str, lowered: Lowered) -> list[tuple[str, Lowered]]:
    if not isinstance(lowered, tuple):
        return [(name, lowered)]
    items = [(f"{name}.{index}" if name else str(index), item) for index, item in enumerate(lowered)]
    return [pair for key, item in items for pair in _flat(key, item)]


def _types_of(output: Value, lowered: Lowered) -> list[np.dtype[np.generic] | None]:
    """Return the data types of a value's tensors, those of nested tuples one after the other; None for numbers."""
    if isinstance(output, Node) and output.op in MAKERS and isinstance(lowered, tuple):
        pairs = zip(output.inputs, lowered, strict=True)
        return [dtype for value, item in pairs for dtype in _types_of(value, item)]
    dtypes, count = list(output.dtypes), len(_flat("", lowered))
    return dtypes if len(dtypes) == count else [None] * count


def _output(builder: Builder, name: str, lowered: Lowered, dtype: np.dtype[np.generic] | None) -> ir.Value:
    if not isinstance(lowered, ir.Value | int | float | np.ndarray | np.generic):
        raise UnsupportedError(f"output {name} is no tensor: {lowered!r}.")
    value = lowered if isinstance(lowered, ir.Value) else builder.initializer(np.asarray(lowered))
    if dtype == np.float32 and builder.float_type != np.float32:
        operator, attributes = "Cast", {"to": ir.DataType.FLOAT}
    else:
        operator, attributes = "Identity", {}
    result = builder.add("output", operator, [value], attributes)[0]
    result.name = builder.unique(name)
    if dtype is not None:
        result.type = ir.TensorType(ir.DataType.from_numpy(dtype))
    return result
