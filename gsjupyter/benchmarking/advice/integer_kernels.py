"""Which layers of a quantized network ONNX Runtime really computes in integers: names survive its optimizer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import onnx_ir as ir

from gsjupyter.benchmarking.advice.onnx_network import MOVES, LinearLayer, OnnxNetwork, layer_name
from gsjupyter.benchmarking.records import OperatorTime

KERNELS: Final = frozenset(
    (
        *("ConvInteger", "DynamicQuantizeMatMul", "MatMulInteger", "MatMulIntegerToFloat", "MatMulNBits"),
        *("QAttention", "QGemm", "QLinearConv", "QLinearMatMul"),
    )
)
"""Operators with a weight that compute in integers."""
READS_FLOATS: Final = "MatMulNBits"
"""The one of them that reads floats: what was quantized before it is made float again."""

CONVERSIONS: Final = ("QuantizeLinear", "DequantizeLinear")
LAYOUTS: Final = ("ReorderInput", "ReorderOutput", "Transpose", "TransData")
"""What only changes the order in memory: of ONNX Runtime, the networks themselves, and MindSpore."""

_LEAST_PART: Final = 0.1
# A pooling compares numbers, so that it matters in which it does.
_MOVES_ONLY: Final = MOVES - {"MaxPool"}
# What the optimizer appends to a name that is taken, or to that of a kernel with another layout.
_SUFFIX: Final = re.compile(r"(_token_\d+|_nchwc)+$")


@dataclass(frozen=True)
class Fusion:
    """A quantized network as its file says, and as it runs.

    Parameters
    ----------
    written : OnnxNetwork
        The file.
    running : OnnxNetwork
        What ONNX Runtime made of it.
    """

    written: OnnxNetwork
    running: OnnxNetwork

    @cached_property
    def quantized(self) -> tuple[LinearLayer, ...]:
        """The layers whose input and weight are integers, as the file says."""
        return tuple(layer for layer in self.written.layers if layer.is_quantized)

    @cached_property
    def kernels(self) -> dict[str, LinearLayer | None]:
        """The integer kernels that run, by the name of the operator in the file."""
        layers = {id(layer.node): layer for layer in self.running.layers}
        return {original_name(node): layers.get(id(node)) for node in self.running.nodes if node.op_type in KERNELS}

    @cached_property
    def in_float(self) -> tuple[LinearLayer, ...]:
        """The quantized layers that are computed in float all the same; none if names don't tell which."""
        names = [layer.node.name for layer in self.quantized]
        if not all(names) or len(set(names)) < len(names):
            return ()
        kernels = {original_name(node) for node in self.running.nodes if node.op_type in KERNELS - {READS_FLOATS}}
        return tuple(layer for layer in self.quantized if layer.node.name not in kernels)

    @cached_property
    def conversions(self) -> tuple[ir.Node, ...]:
        """What turns values from floats into integers or back while the network runs, its ends left out."""
        return tuple(
            node
            for node in self.running.nodes
            if node.op_type in CONVERSIONS and not _is_stored(node.inputs[0]) and not _is_at_an_end(node)
        )

    @cached_property
    def requantized(self) -> tuple[ir.Node, ...]:
        """What makes floats only for them to be integers of another scale at once."""
        return tuple(
            node
            for node in self.conversions
            if node.op_type == "DequantizeLinear"
            and all(reader.op_type == "QuantizeLinear" for reader, _ in node.outputs[0].uses())
        )

    @cached_property
    def layers_before_floats(self) -> list[str]:
        """The layers whose integers are turned into floats for an operator without integer kernel."""
        found = []
        for node in self.conversions:
            if node.op_type == "DequantizeLinear" and node not in self.requantized:
                maker = _maker(node)
                while maker is not None and maker.op_type in (*MOVES, *LAYOUTS, "NhwcMaxPool"):
                    maker = _maker(maker)
                found += [layer_name(maker)] if maker is not None and maker.op_type in KERNELS else []
        return found

    @cached_property
    def float_operators(self) -> tuple[ir.Node, ...]:
        """What is computed in float between integers: it reads what was dequantized, or what such an operator gives.

        Layers with weights are not among them, nor what is behind such a layer.
        """
        reached: list[ir.Node] = []
        known = {id(layer.node) for layer in self.running.layers}
        pending = [node for node in self.conversions if node.op_type == "DequantizeLinear"]
        while pending:
            for reader, _ in pending.pop().outputs[0].uses():
                if reader.op_type not in CONVERSIONS and id(reader) not in known:
                    known.add(id(reader))
                    reached.append(reader)
                    pending += [reader] if reader.outputs else []
        return tuple(node for node in reached if node.op_type not in (*_MOVES_ONLY, *LAYOUTS))

    def is_much(self, layers: Sequence[LinearLayer]) -> bool:
        """Say whether some layers are enough of the quantized ones, by number or by weights, to be worth a word."""
        least, total = _LEAST_PART * len(self.quantized), _LEAST_PART * sum(layer.size for layer in self.quantized)
        return bool(layers) and (len(layers) >= least or sum(layer.size for layer in layers) >= total)

    def share_of_conversions(self, operators: Sequence[OperatorTime], *, reorders: bool = False) -> float:
        """Return the share of the time of conversions and of what is computed in float between them.

        Parameters
        ----------
        operators : sequence of OperatorTime
            What was measured.
        reorders : bool
            Whether what changes layouts for layers in float counts too.
        """
        names = {node.name for node in (*self.conversions, *self.float_operators)}
        kinds = ("ReorderInput", "ReorderOutput") if reorders else ()
        return sum(item.share for item in operators if item.name in names or item.operator in kinds)

    def share_of_layers(self, operators: Sequence[OperatorTime], layers: Sequence[LinearLayer]) -> float:
        """Return the share of the time of layers that are computed in float."""
        names = {node.name for node in (*self.conversions, *self.float_operators)}
        others = (*KERNELS, *CONVERSIONS, *LAYOUTS)
        cells = {layer.name for layer in layers}
        return sum(
            item.share
            for item in operators
            if item.layer in cells and item.name not in names and item.operator not in others
        )


def original_name(node: ir.Node) -> str:
    """Return what an operator was called before the optimizer gave it a new name."""
    return _SUFFIX.sub("", node.name or "")


def _maker(node: ir.Node) -> ir.Node | None:
    return node.inputs[0].producer() if node.inputs and node.inputs[0] is not None else None


def _is_stored(value: ir.Value | None) -> bool:
    return value is None or value.is_initializer() or value.const_value is not None


def _is_at_an_end(node: ir.Node) -> bool:
    if node.op_type == "QuantizeLinear":
        return node.inputs[0] is not None and node.inputs[0].is_graph_input()
    return node.outputs[0].is_graph_output()
