"""Which layers make a converted network's error: each layer's own part, and what has come together by then.

Both networks are put into one graph with the same input. Beside each linear operator of the float network stands a copy
with the converted network's weight that reads the float network's values, through the layer's own quantization of its
input. What differs is squared and added up where it is computed, so only two or three numbers leave the graph for each
layer, and MindSpore frees the rest as it goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gsjupyter.errors import EngineError, InputError, UnsupportedError
from gsjupyter.interrupts import interruptible
from gsjupyter.mindir import Array, Constant, Graph, Model, Node, Parameter, Runner, Value
from gsjupyter.passes import FoldConstants, LinearOperator, UnpackWeights, linear_operators
from gsjupyter.passes.casting import cast
from gsjupyter.passes.simulation import is_simulated
from gsjupyter.progress import Steps
from gsjupyter.quantization.error import ratio_db
from gsjupyter.report.layer_errors import LayerError, LayerErrors
from gsjupyter.signature import sample_count
from gsjupyter.sources import arrays_of

SAMPLES_AT_ONCE: Final = 8
"""Larger batches are cut: what MindSpore needs for the simulated quantization of every layer grows with the samples."""

_FLOAT32 = np.dtype(np.float32)


def layer_errors(float_model: Model, converted_model: Model, example: Any) -> LayerErrors:
    """Measure the error that each layer's output has with the layer alone converted, and with the whole network.

    A layer that is applied several times counts once, with the errors of all its outputs. Outputs are taken behind the
    bias.

    Parameters
    ----------
    float_model : Model
        The network before it was quantized, in standard form.
    converted_model : Model
        What was made of it, with layers of the same names.
    example : Tensor, ndarray or tuple of these
        One batch of the network's input; several inputs as a tuple.

    Returns
    -------
    LayerErrors

    Raises
    ------
    UnsupportedError
        If the networks don't have the same layers.
    InputError
        If the example doesn't fit.
    EngineError
        If MindSpore can't run them.
    """
    arrays = arrays_of(example)
    if arrays is None:
        raise InputError("the example has a shape only; errors need numbers.")
    with interruptible(), Steps() as steps:
        steps.begin("put both networks into one graph")
        pairs, model = _measuring(float_model, converted_model)
        steps.begin(f"compile both networks ({len(pairs)} layers)")
        runner = Runner(model)
        steps.begin(f"run both networks on {sample_count(arrays)} samples")
        powers = _powers_on(runner, arrays) if pairs else ()
    return LayerErrors(_errors_of(pairs, powers), sample_count(arrays))


def _powers_on(runner: Runner, arrays: Sequence[Array]) -> Sequence[float]:
    """Run the measuring graph, a few samples at a time if the network takes them so; return the sums over all."""
    count = sample_count(arrays)
    if count <= SAMPLES_AT_ONCE or any(array.ndim == 0 or len(array) != count for array in arrays):
        return _run(runner, arrays)
    starts = range(0, count, SAMPLES_AT_ONCE)
    try:
        parts = [_run(runner, [array[start : start + SAMPLES_AT_ONCE] for array in arrays]) for start in starts]
    except EngineError:
        # It has its batch size built in.
        return _run(runner, arrays)
    return [sum(powers) for powers in zip(*parts, strict=True)]


def _run(runner: Runner, arrays: Sequence[Array]) -> list[float]:
    powers = runner(*arrays)
    if not isinstance(powers, tuple):
        raise EngineError("MindSpore didn't give the errors of the layers.")
    return [float(np.asarray(power)) for power in powers]


@dataclass(frozen=True)
class _Pair:
    """A linear operator of the float network and what it became.

    Parameters
    ----------
    name : str
        The layer's name.
    reference, converted : Node
        The layer's output in both networks.
    alone : Node, optional
        Its output with this layer alone converted; None if nothing of it is.
    """

    name: str
    reference: Node
    converted: Node
    alone: Node | None

    @property
    def outputs(self) -> list[Node]:
        """What is held against the reference."""
        return [self.converted] if self.alone is None else [self.converted, self.alone]


def _measuring(float_model: Model, converted_model: Model) -> tuple[list[_Pair], Model]:
    reference, converted = float_model.graph(), converted_model.graph()
    for graph in (reference, converted):
        UnpackWeights().run(graph)
    operators = _matched(linear_operators(reference), linear_operators(converted))
    for model, graph in ((float_model, reference), (converted_model, converted)):
        # Stored integers become plain numbers, whatever their form; the nodes stay the same.
        FoldConstants(model, growth_limit=False).run(graph)
    _share_inputs(reference, converted)
    pairs = [_pair(*both) for both in operators]
    # Layer after layer, so that a layer's values are needed no longer once the next is computed.
    powers = [power for pair in pairs for power in _powers(reference, pair)]
    joint = Graph(reference.inputs, reference.add_tuple(powers))
    return pairs, float_model.with_graph(joint, output_keys=())


def _matched(
    reference: Sequence[LinearOperator], converted: Sequence[LinearOperator]
) -> list[tuple[LinearOperator, LinearOperator]]:
    """Return the operators of two networks in pairs of the same name, those of a name in their order."""
    left, right = (
        {(operator.name, place): operator for operator, place in _numbered(operators)}
        for operators in (reference, converted)
    )
    if left.keys() != right.keys():
        name, _ = next(iter(left.keys() ^ right.keys()))
        raise UnsupportedError(
            f"layer {name} is not in both networks, so their layers can't be compared: "
            f"{len(reference)} against {len(converted)}."
        )
    return [(operator, right[key]) for key, operator in left.items()]


def _numbered(operators: Sequence[LinearOperator]) -> Iterator[tuple[LinearOperator, int]]:
    seen: dict[str, int] = {}
    for operator in operators:
        place = seen.get(operator.name, 0)
        seen[operator.name] = place + 1
        yield operator, place


def _share_inputs(reference: Graph, converted: Graph) -> None:
    """Let the converted network read the reference's inputs, and have parameters of its own names."""
    for own, shared in zip(converted.inputs, reference.inputs, strict=True):
        converted.replace(own, shared)
    taken = {parameter.name for parameter in reference.parameters()}
    for parameter in converted.parameters():
        name = f"{parameter.name}.converted"
        while name in taken:
            name += "_"
        taken.add(name)
        converted.replace(parameter, Parameter(name, parameter.proto))


def _pair(reference: LinearOperator, converted: LinearOperator) -> _Pair:
    outputs = _with_bias(reference.node), _with_bias(converted.node)
    has_own_input = is_simulated(converted.data) and not is_simulated(reference.data)
    if not has_own_input and _has_same_numbers(reference, converted):
        return _Pair(reference.name, *outputs, alone=None)
    data = _simulated_again(converted.data, reference.data) if has_own_input else reference.data
    alone = _copy(converted.node, converted.data_index, data)
    if outputs[1] is not converted.node:
        alone = _copy(outputs[1], 0, alone)
    return _Pair(reference.name, *outputs, alone=alone)


def _with_bias(node: Node) -> Node:
    """Return the node that gives an operator's output with its bias, where a stored one is added right behind it."""
    readers = node.readers
    bias = readers[0] if len(readers) == 1 and readers[0].op == "BiasAdd" else None
    is_stored = bias is not None and bias.inputs[0] is node and isinstance(bias.inputs[1], Parameter | Constant)
    return bias if bias is not None and is_stored else node


def _has_same_numbers(reference: LinearOperator, converted: LinearOperator) -> bool:
    before, after = (item.node.parameter(item.weight_index) for item in (reference, converted))
    return before is not None and after is not None and np.array_equal(before.array, after.array)


def _simulated_again(simulated: Value, source: Value) -> Value:
    """Return a value quantized as another one is: with the operators of `simulate_quantization`."""
    chain: list[Node] = []
    while isinstance(simulated, Node) and len(chain) < 5:
        chain.append(simulated)
        simulated = simulated.inputs[0]
    for step in reversed(chain):
        source = _copy(step, 0, source)
    return source


def _copy(node: Node, index: int, value: Value) -> Node:
    """Return a node that computes the same as another, of another value in place of one of its inputs."""
    inputs = [value if position == index else given for position, given in enumerate(node.inputs)]
    return Node(node.primitive, inputs, node.scope, node.abstract)


def _powers(graph: Graph, pair: _Pair) -> list[Value]:
    """Return the sums of squares of a layer's output and of what the others are off by."""
    reference = cast(graph, pair.reference, _FLOAT32, pair.reference.scope)
    powers = [_sum_of_squares(graph, reference, pair.reference)]
    for output in pair.outputs:
        actual = cast(graph, output, _FLOAT32, output.scope)
        error = graph.add("Sub", [reference, actual], scope=output.scope, shape=output.shape, dtype=_FLOAT32)
        powers.append(_sum_of_squares(graph, error, output))
    return powers


def _sum_of_squares(graph: Graph, value: Value, of: Node) -> Value:
    square = graph.add("Mul", [value, value], scope=of.scope, shape=of.shape, dtype=_FLOAT32)
    axes, keep, skip = Constant.of(()), Constant.of(False), Constant.of(False)
    return graph.add("ReduceSum", [square, axes, keep, skip], scope=of.scope, shape=(), dtype=_FLOAT32)


def _errors_of(pairs: Sequence[_Pair], powers: Sequence[float]) -> list[LayerError]:
    rest = iter(powers)
    totals: dict[str, list[float]] = {}
    for pair in pairs:
        signal, accumulated = next(rest), next(rest)
        # What is not converted adds nothing of its own; whether anything of the layer is, shows in the last number.
        alone = next(rest) if pair.alone is not None else 0.0
        total = totals.setdefault(pair.name, [0.0, 0.0, 0.0, 0.0])
        for index, power in enumerate((signal, accumulated, alone, float(pair.alone is not None))):
            total[index] += power
    return [
        LayerError(name, ratio_db(signal, alone) if is_converted else None, ratio_db(signal, accumulated))
        for name, (signal, accumulated, alone, is_converted) in totals.items()
    ]
