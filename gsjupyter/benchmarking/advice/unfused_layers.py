"""Quantized networks that go back to floats on the way: each step there and back costs more than it can gain."""

from collections.abc import Sequence
from typing import Final

import onnx_ir as ir

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.fusion_obstacles import RECTIFIERS, FusionObstacle, obstacle_of
from gsjupyter.benchmarking.advice.integer_kernels import Fusion
from gsjupyter.benchmarking.advice.integer_types import is_signed_only, signed_breaks
from gsjupyter.benchmarking.advice.onnx_network import LinearLayer
from gsjupyter.benchmarking.advice.wording import (
    capitalized,
    counted,
    gain_of_share,
    is_or_are,
    listed,
    measured_gain,
    percent,
    plural,
    times,
)
from gsjupyter.benchmarking.records import Finding, OperatorTime

STATIC: Final = "3.8x for ResNet-18 and 6.1x for MobileNetV2, as measured on another machine"
KERNEL_GAIN: Final = 3.2
"""How much faster ONNX Runtime computed ResNet-50 in integers: 19.2 ms instead of 60.6, with two threads."""

_FUNCTIONS: Final = frozenset(
    (
        *("Celu", "Elu", "Erf", "Gelu", "HardSigmoid", "HardSwish", "Mish", "PRelu", "QuickGelu", "Selu", "Sigmoid"),
        *("Softplus", "Softsign", "Tanh"),
    )
)
_LEAST_SHARE: Final = 0.1
_LEAST_CONVERSIONS: Final = 4
_LEAST_GAIN: Final = 1.5


def fusion_of(evidence: Evidence) -> Fusion | None:
    """Return how a quantized ONNX network was fused for the CPU; None if the row runs no such."""
    if evidence.row.setting.provider not in ("", "cpu") or evidence.onnx is None or evidence.numbers != "integers":
        return None
    running = evidence.running
    return Fusion(evidence.onnx, running) if running is not None else None


def unfused_layers(evidence: Evidence) -> Finding | None:
    """Name the quantized layers that are computed in float, and say why."""
    fusion = fusion_of(evidence)
    if fusion is None:
        return None
    left = tuple(layer for layer in fusion.in_float if not (evidence.is_x86 and is_signed_only(layer)))
    if not left or not _is_worth_it(fusion, evidence.row.operators, left):
        return None
    groups: dict[FusionObstacle, list[LinearLayer]] = {}
    for layer in left:
        groups.setdefault(obstacle_of(layer), []).append(layer)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    reasons = "; ".join(f"{listed(layer.name for layer in layers)}: {obstacle.reason}" for obstacle, layers in ordered)
    symptom = (
        f"{plural(len(left), 'layer')} of {len(fusion.quantized)} quantized ones {is_or_are(len(left))} computed in "
        f"float, with their values converted before and behind ({reasons})"
    )
    remedy = ". ".join(capitalized(obstacle.remedy) for obstacle, _ in ordered[:3])
    mended = [layer for obstacle, layers in ordered if not obstacle.is_final for layer in layers]
    gain = _gain(fusion, evidence.row.operators, mended) or _sister_gain(evidence)
    return Finding("unfused-layers", symptom, remedy, gain)


def _is_worth_it(fusion: Fusion, operators: Sequence[OperatorTime], left: Sequence[LinearLayer]) -> bool:
    if not operators:
        return fusion.is_much(left)
    conversion = fusion.share_of_conversions(operators, reorders=True)
    return conversion + fusion.share_of_layers(operators, left) >= _LEAST_SHARE


def _gain(fusion: Fusion, operators: Sequence[OperatorTime], mended: Sequence[LinearLayer]) -> str:
    """Return what is gained if conversions vanish and these layers run as much faster as integers made ResNet-50."""
    if not operators:
        return ""
    conversion = fusion.share_of_conversions(operators, reorders=True)
    layers = fusion.share_of_layers(operators, mended)
    if not layers:
        return gain_of_share(conversion)
    factor = 1 / max(0.01, 1 - conversion - layers * (1 - 1 / KERNEL_GAIN))
    return (
        f"up to {times(factor)}: conversions take {percent(conversion)} of the operators' time, and these layers "
        f"{percent(layers)}, which integers made {times(KERNEL_GAIN)} as fast in ResNet-50 on another machine"
    )


def conversions(evidence: Evidence) -> Finding | None:
    """Say that values go from integers to floats and back around operators without integer kernels."""
    fusion = fusion_of(evidence)
    if fusion is None or len(fusion.conversions) < _LEAST_CONVERSIONS:
        return None
    if unfused_layers(evidence) is not None or (evidence.is_x86 and signed_breaks(fusion)):
        # That is said of the layers, or of the activations.
        return None
    share = fusion.share_of_conversions(evidence.row.operators) if evidence.row.operators else None
    if not _matters(evidence, share, len(fusion.conversions) / len(fusion.running.nodes)):
        return None
    took = f"; all that takes {percent(share)} of the operators' time" if share is not None else ""
    parts, remedies = [], []
    if fusion.requantized:
        parts.append(f"{len(fusion.requantized)} times from one scale to another, with nothing in between")
        remedies.append("quantize each value once, behind its ReLU, as gs.convert does")
    if fusion.float_operators:
        kinds = counted(node.op_type for node in fusion.float_operators)
        parts.append(f"around operators that no integer kernel computes ({kinds})")
        remedies += _remedies(fusion)
    if not parts:
        return None
    symptom = (
        f"values are converted {len(fusion.conversions)} times between integers and floats: {' and '.join(parts)}{took}"
    )
    remedy = capitalized("; ".join(remedies))
    return Finding("conversions", symptom, remedy, _sister_gain(evidence) or gain_of_share(share))


def _remedies(fusion: Fusion) -> list[str]:
    """Return what to do about operators that are computed in float between integers, the cheapest first."""
    kinds = {node.op_type for node in fusion.float_operators}
    remedies = []
    if "BatchNormalization" in kinds:
        remedies.append("fold each BatchNormalization into the layer before it, as gs.convert does")
    if any(map(_is_rectifier_alone, fusion.float_operators)):
        remedies.append(
            "quantize what comes out of a ReLU from 0 on (zero is the lowest integer then), as gs.convert does, so "
            "that it needs no operator"
        )
    if remedies:
        return remedies
    layers = listed(fusion.layers_before_floats)
    which = f", for {layers}" if layers else ""
    keep = f"keep the layers around these operators in float (--keep{which})"
    other = "; or use ReLU or ReLU6 in place of activation functions, where the network allows it"
    return [f"{keep}{other if kinds & _FUNCTIONS else ''}"]


def _is_rectifier_alone(node: ir.Node) -> bool:
    """Say whether a ReLU is computed in float for no other reason than the integers on both sides of it."""
    maker = node.inputs[0].producer() if node.op_type in RECTIFIERS and node.inputs[0] is not None else None
    return maker is not None and maker.op_type == "DequantizeLinear"


def dynamic_convolutions(evidence: Evidence) -> Finding | None:
    """Say that convolutions are quantized anew at each call."""
    running = evidence.running
    if evidence.numbers != "integers" or running is None or not running.operators["ConvInteger"]:
        return None
    count = running.operators["ConvInteger"]
    share = evidence.share_of(("ConvInteger", "DynamicQuantizeLinear", "Cast", "Mul"))
    took = f", {percent(share)} of the operators' time with what belongs to them" if share is not None else ""
    symptom = (
        f"{plural(count, 'convolution')} {is_or_are(count)} quantized dynamically: the range of each input is looked "
        f"up at every call, and sums become floats by operators of their own{took}"
    )
    remedy = (
        "Quantize with ranges from calibration data: --weights int8 --activations int8 --calibration data "
        "(gs.convert(..., calibration=data)), and export that"
    )
    others = [row for row in evidence.sisters(numbers="integers") if not _is_dynamic(evidence, row.setting)]
    found = evidence.faster(others)
    gain = measured_gain(found[1], evidence.name_of(found[0])) if found is not None else STATIC
    return Finding("dynamic-convolutions", symptom, remedy, gain)


def _is_dynamic(evidence: Evidence, setting: object) -> bool:
    network = evidence.files.onnx(setting)  # type: ignore[arg-type]  # a Setting
    return network is not None and network.operators["ConvInteger"] > 0


def _matters(evidence: Evidence, share: float | None, part: float) -> bool:
    """Say whether conversions are what keeps a network slow: by their time, or by what int8 has gained."""
    if share is not None:
        return share >= _LEAST_SHARE
    sister = evidence.float_sister
    comparison = evidence.against(sister) if sister is not None else None
    if comparison is None or comparison.speed_up is None:
        return part >= 2 * _LEAST_SHARE
    return part >= _LEAST_SHARE and comparison.speed_up.high > 1 / _LEAST_GAIN


def _sister_gain(evidence: Evidence) -> str:
    """Return how much faster the fastest form of the same network is, where this benchmark has a faster one."""
    found = evidence.faster([*evidence.sisters(numbers="float32"), *evidence.sisters(numbers="integers")])
    return measured_gain(found[1], evidence.name_of(found[0])) if found is not None else ""
