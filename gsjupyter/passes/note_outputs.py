"""Note how an engine with integer kernels is to quantize what they write: otherwise it computes them in float.

The notes are ``output_scale`` and ``output_zero_point`` on the node that makes a value, counted as uint8. MindSpore
ignores them, so its numbers stay what they are; the file carries them to where it is written as ONNX.
"""

from collections.abc import Mapping, Sequence

from gsjupyter.mindir import Graph, Node, Value
from gsjupyter.passes.base import Change, Pass
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.integer_values import IntegerValues
from gsjupyter.passes.linear import LinearOperator
from gsjupyter.passes.quantize_activations import KeptInputs, activation_inputs
from gsjupyter.passes.selection import LayerSettings
from gsjupyter.quantization import ActivationSketch, Scheme, activation_range, check_observer, scale_and_zero_point
from gsjupyter.quantization.value_range import ValueRange

_SCALE = "output_scale"
_ZERO_POINT = "output_zero_point"


def note_output(node: Node, scale: float, zero_point: int) -> None:
    """Note on a node how its output is to be quantized by an engine with integer kernels."""
    node.annotate(_SCALE, scale)
    node.annotate(_ZERO_POINT, zero_point)


def noted_output(node: Node) -> tuple[float, int] | None:
    """Return the scale and zero point that a node's output is noted to have; None if it has none."""
    notes = node.annotations
    scale, zero_point = notes.get(_SCALE), notes.get(_ZERO_POINT)
    return (scale, zero_point) if isinstance(scale, float) and isinstance(zero_point, int) else None


def noted_end(node: Node) -> Node:
    """Return where a noted value ends: the correction of biases may have given a layer one behind what was noted."""
    reader = node.readers[0] if len(node.readers) == 1 else None
    return reader if reader is not None and reader.op == "BiasAdd" and reader.inputs[0] is node else node


def watched_outputs(graph: Graph, formats: KeptInputs) -> list[Value]:
    """Return the values to calibrate for `NoteOutputs`, besides the inputs of layers; whatever the weights' formats.

    Parameters
    ----------
    graph : Graph
        The network in float.
    formats : KeptInputs
        Which layers keep their inputs in floating point.
    """
    inputs = activation_inputs(graph, formats)
    outputs = IntegerValues(graph, lambda layer: not formats.is_kept(layer.name), lambda layer: True).outputs
    return [value for value in dict.fromkeys(outputs.values()) if value not in inputs]


class NoteOutputs(Pass):
    """Note the grids of the values that integer kernels write, besides the inputs of layers.

    Runs on the graph that calibration ran on, so before inputs and weights are quantized.

    Left alone, with the reason in the change list: values that calibration never saw.

    Parameters
    ----------
    scheme : Scheme
        How an engine quantizes, per tensor.
    inputs : sequence of ActivationSketch
        What calibration saw of each of the graph's `activation_inputs`.
    outputs : sequence of ActivationSketch or ValueRange
        What it saw of each of the graph's `watched_outputs`.
    settings : LayerSettings
        How layers are quantized.
    observer : {"minmax", "percentile", "mse", "entropy"}
        What chooses each range; all but the first need sketches.

    Raises
    ------
    OptionError
        If there is no such observer.
    """

    requires = (FoldBatchNorm,)

    def __init__(
        self,
        scheme: Scheme,
        inputs: Sequence[ActivationSketch],
        outputs: Sequence[ActivationSketch | ValueRange],
        settings: LayerSettings,
        *,
        observer: str = "minmax",
    ) -> None:
        check_observer(observer)
        self.scheme = scheme
        self.inputs = inputs
        self.outputs = outputs
        self.settings = settings
        self.observer = observer

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        seen: dict[Value, ActivationSketch | ValueRange] = {
            **dict(zip(activation_inputs(graph, self.settings), self.inputs, strict=True)),
            **dict(zip(watched_outputs(graph, self.settings), self.outputs, strict=True)),
        }
        values = IntegerValues(graph, self._is_quantized, self._is_integer).outputs
        return [self._note(node, origin, seen) for node, origin in values.items()]

    def _note(self, node: Node, origin: Node, seen: Mapping[Value, ActivationSketch | ValueRange]) -> Change:
        found = seen[origin]
        if found.is_empty:
            return Change.skipped(node, "calibration saw no values")
        if isinstance(found, ValueRange):
            low, high = found.low, found.high
        else:
            low, high = activation_range(found, self.scheme, self.observer)
        scale, zero_point = scale_and_zero_point(low, high, self.scheme)
        note_output(node, float(scale), int(zero_point))
        return Change.done(node, f"output noted as {self.scheme}, for integer kernels")

    def _is_quantized(self, layer: LinearOperator) -> bool:
        return not self.settings.is_kept(layer.name)

    def _is_integer(self, layer: LinearOperator) -> bool:
        if layer.stored is not None:
            return layer.stored.is_integer
        return self.settings.setting(layer.name).scheme is not None
