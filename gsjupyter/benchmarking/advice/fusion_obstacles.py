"""Why ONNX Runtime computes a quantized layer in float: it has an integer kernel only for certain surroundings.

It looks for DequantizeLinear in front of a layer and QuantizeLinear behind it. What is said here of the surroundings
was found out with its optimizer (version 1.32, CPU), layer by layer: the tests do it again. Whether a layer really is
left in float is read off the network that ONNX Runtime runs; this only says why.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx_ir as ir

from gsjupyter.benchmarking.advice.onnx_network import (
    MOVES,
    LinearLayer,
    quantized_type,
    small_array,
)
from gsjupyter.benchmarking.advice.wording import capitalized

RECTIFIERS: Final = ("Relu", "Clip")
_LOWEST: Final = {"uint8": 0, "int8": -128}
_SAME: Final = 1e-3
# What ONNX Runtime moves a QuantizeLinear across, to where the layer is; Flatten and Split are not among them.
_PASSED: Final = ("Identity", "MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")


@dataclass(frozen=True)
class FusionObstacle:
    """Why a layer has no integer kernel.

    Parameters
    ----------
    reason : str
        In words; alike for layers with the same trouble.
    remedy : str
        What to change.
    """

    reason: str
    remedy: str

    @property
    def is_final(self) -> bool:
        """Whether the layer stays in float whatever is changed."""
        return self.remedy == capitalized(_KEEP)


_KEEP: Final = "keep these layers in float, so that nothing is converted for them (keep=[...], --keep)"
_EXPORT: Final = "convert and export the network with gsjupyter, which writes the form that ONNX Runtime fuses"
_UNKNOWN: Final = FusionObstacle("ONNX Runtime doesn't say why", f"{capitalized(_KEEP)}; or {_EXPORT}, and look again")


def obstacle_of(layer: LinearLayer) -> FusionObstacle:
    """Return why a layer is left in float, given that it is."""
    found = _of_numbers(layer) or _of_weight(layer) or _of_bias(layer) or _of_output(layer)
    return found if found is not None else _UNKNOWN


def _of_numbers(layer: LinearLayer) -> FusionObstacle | None:
    node = layer.node
    if node.op_type == "ConvTranspose":
        return FusionObstacle("transposed convolutions have no integer kernel", capitalized(_KEEP))
    if layer.data in ("int16", "uint16"):
        return FusionObstacle(
            f"its input is {layer.data}, and integer kernels take 8 bits",
            'Quantize activations to 8 bits (--activations int8, activations="int8")',
        )
    if layer.weight in ("int4", "uint4", "int2", "uint2", "int16", "uint16"):
        return FusionObstacle(
            f"its weight is {layer.weight}, and beside integer activations kernels take 8 bits",
            'Convert these layers with --weights int8 (weights="int8")',
        )
    return None


def _of_weight(layer: LinearLayer) -> FusionObstacle | None:
    node = layer.node
    dequantize = [value.producer() if value is not None else None for value in node.inputs[:2]]
    source, weight = dequantize
    if node.op_type == "Conv" or weight is None:
        return None
    if "block_size" in weight.attributes and weight.attributes["block_size"].as_int():
        return FusionObstacle(
            "its weight has a scale for each block", "Convert these layers with --granularity channel, or tensor"
        )
    if weight.op_type != "DequantizeLinear":
        return FusionObstacle("nothing dequantizes its weight just before it", capitalized(_EXPORT))
    if source is not None and source.op_type == "DequantizeLinear" and _elements(source.inputs[1]) > 1:
        return FusionObstacle(
            "its input has a scale for each channel", "Quantize its input with one scale, as gs.convert does"
        )
    if node.op_type == "MatMul" and _is_scaled_along_rows(weight):
        return FusionObstacle(
            "its weight has a scale for each row, and not for each output channel",
            "Convert these layers with --granularity channel, or tensor",
        )
    if node.op_type == "Gemm" and any(item is not None and not _has_zero_point(item) for item in (source, weight)):
        return FusionObstacle(
            "QGemm needs zero points, and a DequantizeLinear before it has none",
            f"Write zero points of 0; or {_EXPORT}",
        )
    return None


def _of_bias(layer: LinearLayer) -> FusionObstacle | None:
    """Say whether the integers of a convolution's bias have another scale than the sums that it is added to."""
    node = layer.node
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if node.op_type != "Conv":
        return None
    own, data, weight = (_scale_of(value) for value in (bias, *node.inputs[:2]))
    if own is None or data is None or weight is None:
        return None
    expected = data.astype(np.float64) * weight.astype(np.float64)
    if expected.size not in (1, own.size) or np.allclose(own, expected, rtol=_SAME, atol=0):
        return None
    return FusionObstacle(
        "the scale of its bias isn't that of its input times that of its weight",
        f"Leave the bias in float, or give it that scale; or {_EXPORT}",
    )


def _of_output(layer: LinearLayer) -> FusionObstacle | None:
    node = layer.node
    absorbed: ir.Node | None = None
    value = node.outputs[0]
    while True:
        readers = [reader for reader, _ in value.uses()]
        if value.is_graph_output() or len(readers) > 1:
            return _not_alone(readers, value)
        if not readers:
            return None
        reader = readers[0]
        if reader.op_type == "QuantizeLinear":
            return _of_ends(layer, reader, absorbed)
        if reader.op_type not in (*RECTIFIERS, *_PASSED):
            return _float_reader(reader)
        absorbed = reader if reader.op_type in RECTIFIERS else absorbed
        value = reader.outputs[0]


def _not_alone(readers: list[ir.Node], value: ir.Value) -> FusionObstacle | None:
    if all(reader.op_type == "QuantizeLinear" for reader in readers) and readers:
        return None
    if not readers or value.is_graph_output():
        return FusionObstacle("its output is the network's, in float", capitalized(_KEEP))
    kinds = " and ".join(sorted({reader.op_type for reader in readers}))
    return FusionObstacle(
        f"its output is read by {len(readers)} operators ({kinds}), not all as integers",
        f"Quantize the output once for all that read it, as gs.convert does; or {_KEEP}",
    )


def _float_reader(reader: ir.Node) -> FusionObstacle:
    kind = reader.op_type
    if kind in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return FusionObstacle(
            f"its output goes to a {kind} that is computed in float",
            f"Quantize the layer behind as well (take it out of --keep), or {_KEEP}",
        )
    if kind in MOVES:
        other = "Write it as a reshape (x.reshape((x.shape[0], -1)) for nn.Flatten)" if kind == "Flatten" else ""
        return FusionObstacle(
            f"{kind} stands between it and its QuantizeLinear, which ONNX Runtime doesn't move across that",
            f"{other}; or {_KEEP}" if other else capitalized(_KEEP),
        )
    return FusionObstacle(
        f"{kind} reads its output in float, and no kernel computes that with it",
        f"Use ReLU or ReLU6 in place of {kind} where the network allows it; or {_KEEP}",
    )


def _of_ends(layer: LinearLayer, quantize: ir.Node, rectifier: ir.Node | None) -> FusionObstacle | None:
    kind = quantized_type(quantize)
    zero_point = small_array(quantize.inputs[2]) if len(quantize.inputs) > 2 else None
    lowest = _LOWEST.get(kind)
    if rectifier is not None and lowest is not None:
        lies_at = int(zero_point.flat[0]) if zero_point is not None and zero_point.size else 0
        if lies_at != lowest:
            return FusionObstacle(
                f"the {rectifier.op_type} behind it can't be absorbed, as zero is {lies_at} there and not {lowest}",
                f"Quantize that output from 0 on, so that zero is the lowest integer; or {_EXPORT}",
            )
    if layer.data != kind:
        return FusionObstacle(
            f"its input is {layer.data} and its output {kind}", "Quantize all activations to uint8, as gs.convert does"
        )
    return None


def _scale_of(value: ir.Value | None) -> np.ndarray | None:  # type: ignore[type-arg]  # any data type
    node = value.producer() if value is not None else None
    return small_array(node.inputs[1]) if node is not None and node.op_type == "DequantizeLinear" else None


def _has_zero_point(node: ir.Node) -> bool:
    return node.op_type != "DequantizeLinear" or (len(node.inputs) > 2 and node.inputs[2] is not None)


def _is_scaled_along_rows(dequantize: ir.Node) -> bool:
    axis = dequantize.attributes.get("axis")
    rank = len(dequantize.inputs[0].shape or ()) if dequantize.inputs[0] is not None else 0
    along = axis.as_int() if axis is not None else 1
    return _elements(dequantize.inputs[1]) > 1 and rank > 0 and along % rank != rank - 1


def _elements(value: ir.Value | None) -> int:
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return int(tensor.size) if tensor is not None else 0
