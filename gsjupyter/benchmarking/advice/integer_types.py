"""Integers of the wrong kind: x86 processors multiply unsigned activations by signed weights, and nothing else fast.

Their instruction for int8 (VNNI) takes 4 products of uint8 and int8 at once. Measured with ONNX Runtime 1.32 on an AMD
EPYC with AVX-512 VNNI, one thread: kernels on int8 activations take 20 times as long (reference code), those with uint8
weights 2 to 3 times. ONNX Runtime turns int8 activations into uint8 where it can: in a chain of convolutions and ReLU
nothing is lost. Poolings and additions break the chain, and then layers end up in float: twice the time for ResNet-18.
"""

from typing import Final

import onnx_ir as ir

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.integer_kernels import Fusion
from gsjupyter.benchmarking.advice.onnx_network import LinearLayer
from gsjupyter.benchmarking.advice.wording import counted, listed, measured_gain, plural
from gsjupyter.benchmarking.records import Finding, Measurement

UNSIGNED_ACTIVATIONS: Final = "1.9x for MobileNetV2 and 3.4x for ResNet-50, as measured on another machine"
SIGNED_WEIGHTS: Final = "2.1x for products and 2.8x for 3 x 3 convolutions, as measured on another machine"

_UNSIGNED_KERNELS: Final = ("Add", "AveragePool", "Concat", "GlobalAveragePool", "MaxPool", "Mul", "Resize")


def is_signed_only(layer: LinearLayer) -> bool:
    """Say whether a layer's activations are int8, which is reason enough for being slow on x86."""
    return layer.data == "int8"


def signed_activations(evidence: Evidence) -> Finding | None:
    """Say which layers compute with int8 activations, or in float because of them."""
    fusion = _fusion(evidence)
    if fusion is None:
        return None
    signed = [layer for layer in fusion.quantized if is_signed_only(layer)]
    in_float = [layer for layer in fusion.in_float if is_signed_only(layer)]
    kernels = [kernel for kernel in fusion.kernels.values() if kernel is not None and is_signed_only(kernel)]
    if evidence.has_feature("vnni_int8"):
        # The latest processors have an instruction for two signed factors too.
        kernels = []
    broken = signed_breaks(fusion)
    if not fusion.is_much([*in_float, *kernels]) and not broken:
        return None
    parts = []
    if broken:
        kinds = counted(node.op_type for node in broken)
        parts.append(f"values become floats around {plural(len(broken), 'operator')} ({kinds})")
    if in_float:
        parts.append(f"{plural(len(in_float), 'layer')} ended up in float ({listed(layer.name for layer in in_float)})")
    if kernels:
        parts.append(f"{plural(len(kernels), 'layer')} run on a slow kernel ({listed(item.name for item in kernels)})")
    symptom = (
        f"activations are int8 in {plural(len(signed) or len(kernels), 'layer')}, and x86 processors want uint8: "
        f"{'; '.join(parts)}"
    )
    remedy = "Quantize activations to uint8 with a zero point, as gs.convert does (--activations int8), and export that"
    is_most = 2 * len(signed) >= len(fusion.quantized)
    gain = _gain(evidence, "uint8", "data", UNSIGNED_ACTIVATIONS) if is_most else ""
    return Finding("signed-activations", symptom, remedy, gain)


def signed_breaks(fusion: Fusion) -> list[ir.Node]:
    """Return the operators between signed activations that are computed in float, and in integers if these are uint8.

    The kernels are there for int8 as well; ONNX Runtime's optimizer uses them on Arm only.
    """
    if not any(map(is_signed_only, fusion.quantized)):
        return []
    return [node for node in fusion.float_operators if node.op_type in _UNSIGNED_KERNELS]


def unsigned_weights(evidence: Evidence) -> Finding | None:
    """Say which integer kernels read uint8 weights, where int8 is what the processor multiplies by."""
    fusion = _fusion(evidence)
    if fusion is None or not evidence.has_feature("vnni", "amx_int8"):
        return None
    kernels = [kernel for kernel in fusion.kernels.values() if kernel is not None and kernel.weight == "uint8"]
    kernels = [kernel for kernel in kernels if kernel.data == "uint8" and kernel.node.op_type != "ConvInteger"]
    if not fusion.is_much(kernels):
        return None
    symptom = (
        f"weights are uint8 in {plural(len(kernels), 'layer')} ({listed(item.name for item in kernels)}), and this "
        "processor multiplies uint8 activations by int8 weights"
    )
    remedy = "Convert without --asymmetric (symmetric=True), which gives int8 weights"
    is_most = 2 * len(kernels) >= len(fusion.quantized)
    gain = _gain(evidence, "int8", "weight", SIGNED_WEIGHTS) if is_most else ""
    return Finding("unsigned-weights", symptom, remedy, gain)


def _fusion(evidence: Evidence) -> Fusion | None:
    if not evidence.is_x86 or evidence.row.setting.provider not in ("", "cpu") or evidence.onnx is None:
        return None
    running = evidence.running if evidence.numbers == "integers" else None
    return Fusion(evidence.onnx, running) if running is not None else None


def _gain(evidence: Evidence, kind: str, field: str, elsewhere: str) -> str:
    """Return how much faster the same network is here with the right kind of integers; else what is known."""

    def is_right(row: Measurement) -> bool:
        network = evidence.files.onnx(row.setting)
        return network is not None and {getattr(item, field) for item in network.layers if item.is_quantized} == {kind}

    found = evidence.faster([row for row in evidence.sisters(numbers="integers") if is_right(row)])
    return measured_gain(found[1], evidence.name_of(found[0])) if found is not None else elsewhere
