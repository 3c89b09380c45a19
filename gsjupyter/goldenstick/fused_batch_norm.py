"""SimQAT's convolutions with BatchNorm: one operator each, whose weight is quantized as it was trained.

While it trains, ``Conv2dBnFoldQuantOneConv`` quantizes the weight times ``s = gamma / sqrt(var + eps)`` and divides the
convolution by ``s`` again before the BatchNorm. At inference this is

    conv(x, quantized(weight * s)) + beta - s * mean

Golden Stick's own ``convert`` puts the folded weight in place of the weight, and leaves both the multiplication by
``s`` and the BatchNorm behind it: s is applied twice. ``Conv2dBnWithoutFoldQuant`` quantizes the weight as it is; its
convert leaves the ranges of that weight on the folded one, and the BatchNorm twice. Both are undone here.

Source: mindspore_gs 1.4.1, ``quantization/ops/nn/conv2d_bn_fold_quant_one_conv.py``,
``conv2d_bn_without_fold_quant.py``, ``quantization/quant_utils.py`` (fold_batchnorm).
"""

from typing import Final

import numpy as np

from gsjupyter.goldenstick.fake_quant import Doubles
from gsjupyter.mindir import Constant, Graph, Node, Parameter, Value
from gsjupyter.passes import Change, Pass, RemoveDeadCode
from gsjupyter.passes.fold_batch_norm import affine_of
from gsjupyter.passes.linear import along

_QUANTIZERS: Final = ("FakeQuantPerLayer", "FakeQuantPerChannel", "FakeQuantParam")
_FOLDING: Final = "Conv2dBnFoldQuantOneConv"
_NOT_FOLDING: Final = "Conv2dBnWithoutFoldQuant"
_FOLDED_WEIGHT: Final = "_bnfold"


class UnfuseBatchNorm(Pass):
    """Give SimQAT's fused convolutions the form of any other: a quantized weight, a bias, no BatchNorm of their own.

    Left alone, with the reason in the change list: a layer that doesn't look as Golden Stick leaves it.
    """

    requires = (RemoveDeadCode,)

    def run(self, graph: Graph) -> list[Change]:
        """Edit the graph; return what was done and what was left alone."""
        changes = []
        for norm in graph.nodes("BatchNorm"):
            convolution = _convolution_before(norm)
            if convolution is None:
                continue
            if convolution.scope.cell_class == _FOLDING:
                changes.append(_unfold(graph, norm, convolution))
            elif convolution.scope.cell_class == _NOT_FOLDING and _converted_weight(convolution) is not None:
                changes.append(_restore(graph, norm, convolution))
        return changes


def _convolution_before(norm: Node) -> Node | None:
    value = norm.inputs[0]
    while isinstance(value, Node) and value.op in ("Div", "RealDiv", "Mul", "BiasAdd"):
        value = value.inputs[0]
    return value if isinstance(value, Node) and value.op == "Conv2D" else None


def _unfold(graph: Graph, norm: Node, convolution: Node) -> Change:
    quantizer = convolution.inputs[1]
    scaled = quantizer.inputs[0] if isinstance(quantizer, Node) and quantizer.op in _QUANTIZERS else None
    weight = scaled.parameter(0) if isinstance(scaled, Node) and scaled.op == "Mul" else None
    if weight is None or not isinstance(quantizer, Node) or convolution.shape is None:
        return Change.skipped(norm, f"{convolution.layer} is not as Golden Stick leaves a {_FOLDING}")
    factor, shift = affine_of(norm)
    is_folded = weight.name.endswith(_FOLDED_WEIGHT)
    folded = weight.array if is_folded else weight.array * along(0, factor, weight.array.ndim)
    quantizer.set_input(0, Parameter.of(weight.name.removesuffix(_FOLDED_WEIGHT), folded.astype(np.float32)))
    _replace_norm(graph, norm, _with_bias(graph, convolution, weight.name, shift))
    return Change.done(norm, "its BatchNorm became a bias" + (": convert had applied it twice" if is_folded else ""))


def _with_bias(graph: Graph, convolution: Node, weight: str, shift: Doubles) -> Node:
    name = f"{weight.rpartition('.')[0]}.bias"
    bias = graph.new_parameter(name, shift.astype(np.float32))
    shape, dtype = convolution.shape, convolution.dtype
    inputs = [convolution, bias, Constant.of(0)]
    return graph.add("BiasAdd", inputs, scope=convolution.scope, shape=shape, dtype=dtype)


def _converted_weight(convolution: Node) -> Parameter | None:
    quantizer = convolution.inputs[1]
    if not isinstance(quantizer, Node) or quantizer.op != "FakeQuantParam":
        return None
    weight = quantizer.parameter(0)
    return weight if weight is not None and weight.name.endswith(_FOLDED_WEIGHT) else None


def _restore(graph: Graph, norm: Node, convolution: Node) -> Change:
    """Take the BatchNorm out of a weight again, so that the ranges beside it are its own."""
    weight = _converted_weight(convolution)
    quantizer = convolution.inputs[1]
    if weight is None or not isinstance(quantizer, Node):
        return Change.skipped(norm, f"{convolution.layer} is not as Golden Stick leaves a {_NOT_FOLDING}")
    factor, _ = affine_of(norm)
    # A factor of 0 has made the weight 0, and makes 0 of whatever is there.
    divisor = np.where(factor == 0, 1.0, factor)
    unfolded = weight.array / along(0, divisor, weight.array.ndim)
    quantizer.set_input(0, Parameter.of(weight.name.removesuffix(_FOLDED_WEIGHT), unfolded.astype(np.float32)))
    graph.replace(norm.inputs[0], convolution, readers=[norm])
    return Change.done(norm, "folded once: convert had applied it twice")


def _replace_norm(graph: Graph, norm: Node, output: Value) -> None:
    for _, item in list(norm.item_readers()):
        graph.replace(item, output)
