"""Integers that are only stored: the file is smaller, the arithmetic is the same.

MindSpore computes whatever it is given in float on a CPU. So does ONNX Runtime with weights alone in integers, and its
CUDA provider with everything. Where the weights are made float at every call that is dear: 5.9 ms instead of 0.23 for
four products of 1024 x 1024 in a plain session of ONNX Runtime 1.32, 1.26 times the time of ResNet-18 for
`mindspore.load`.
"""

from typing import Final

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.integer_kernels import READS_FLOATS
from gsjupyter.benchmarking.advice.onnx_network import INTEGERS, OnnxNetwork
from gsjupyter.benchmarking.advice.wording import is_or_are, measured_gain, percent, plural
from gsjupyter.benchmarking.records import TARGET_TITLES, Finding

IN_ONNXRUNTIME: Final = (
    "15x for MobileNetV2 and 17x for ResNet-50 against float in MindSpore, as measured on another machine"
)
IN_INTEGERS: Final = "1.7x for MobileNetV2 and 3.2x for ResNet-50 against float, as measured on another machine"
_OPERATORS_EACH: Final = 5


def no_integer_kernels(evidence: Evidence) -> Finding | None:
    """Say that MindSpore computes stored integers in float."""
    network = evidence.mindir
    if network is None or not network.integer_layers:
        return None
    target = evidence.row.setting.target
    layers = len(network.integer_layers)
    symptom = (
        f"{plural(layers, 'weight')} of {len(network.layers)} {is_or_are(layers)} stored in integers, and MindSpore "
        f"computes them in float on {TARGET_TITLES[target]}: int8 makes this file small, and not fast"
    )
    if network.simulated:
        symptom += (
            f". {plural(network.simulated, 'activation')} {is_or_are(network.simulated)} quantized in float besides, "
            f"by {_OPERATORS_EACH} operators each, at every call"
        )
    gain = _gain_in_onnxruntime(evidence) if target == "cpu" else ""
    return Finding("no-integer-kernels", symptom, _mindir_remedy(target, is_simulated=network.simulated > 0), gain)


def _gain_in_onnxruntime(evidence: Evidence) -> str:
    # Where MindSpore is slow for another reason, that reason has its own finding.
    sisters = evidence.sisters("engine", "provider", numbers="integers") if not evidence.slow_convolutions else []
    found = evidence.faster([row for row in sisters if row.setting.engine == "onnxruntime"])
    return measured_gain(found[1], evidence.name_of(found[0])) if found is not None else IN_ONNXRUNTIME


def _mindir_remedy(target: str, *, is_simulated: bool) -> str:
    if target != "cpu":
        return (
            "For speed export the float conversion as ONNX with --float16 (float16=True) and let ONNX Runtime run it "
            "there; keep this file where size counts"
        )
    quantize = "" if is_simulated else "Quantize activations as well (--activations int8 --calibration data), and "
    export = "export to ONNX, which ONNX Runtime computes in integers: %gs_export qnet net.onnx"
    note = (
        ". For MindSpore convert with --annotate-only (simulate=False), which leaves that out"
        if is_simulated
        else ". Load the .mindir with gs.load, which makes floats of the weights once: mindspore.load does at each call"
    )
    text = f"{quantize}{export}{note}"
    return text[0].upper() + text[1:]


def weights_only(evidence: Evidence) -> Finding | None:
    """Say that integer weights alone leave the computation in float in ONNX Runtime."""
    network = evidence.onnx
    if network is None or network.numbers != "integer weights":
        return None
    # MatMulNBits needs no floats of its weights, and is faster than float for few rows.
    layers = [layer for layer in network.layers if layer.weight in INTEGERS and layer.node.op_type != READS_FLOATS]
    sister = evidence.float_sister
    comparison = evidence.against(sister) if sister is not None else None
    if not layers or (comparison is not None and comparison.verdict == "slower"):
        return None
    running = evidence.running
    at_each_call = _dequantized_weights(running) if running is not None else 0
    symptom = (
        f"{plural(len(layers), 'weight')} {is_or_are(len(layers))} stored in integers and no activation is, so ONNX "
        "Runtime computes in float: that makes the file small, and not fast"
    )
    if at_each_call:
        share = evidence.share_of(("DequantizeLinear",))
        took = f", which takes {percent(share)} of the operators' time" if share is not None else ""
        symptom += f". {plural(at_each_call, 'weight')} {is_or_are(at_each_call)} made float at every call{took}"
    elif network.operators["DequantizeLinear"]:
        symptom += ". gsjupyter makes floats of them once, at load; a plain InferenceSession may do so at every call"
    if evidence.row.setting.target != "cpu":
        remedy = "For a GPU export the float conversion with --float16 (float16=True)"
        return Finding("weights-only", symptom, remedy)
    found = evidence.faster(evidence.sisters(numbers="integers"))
    gain = measured_gain(found[1], evidence.name_of(found[0])) if found is not None else IN_INTEGERS
    remedy = "For speed quantize weights and activations to int8: --weights int8 --activations int8 --calibration data"
    return Finding("weights-only", symptom, remedy, gain)


def no_integer_kernels_on_cuda(evidence: Evidence) -> Finding | None:
    """Say that ONNX Runtime's CUDA provider computes quantized layers in float."""
    network = evidence.onnx
    if network is None or evidence.row.setting.provider != "cuda" or network.numbers != "integers":
        return None
    layers = sum(layer.is_quantized for layer in network.layers)
    share = evidence.share_of(("QuantizeLinear", "DequantizeLinear"))
    took = f", which take {percent(share)} of the operators' time" if share is not None else ""
    symptom = (
        f"ONNX Runtime's CUDA provider has no integer kernels: {plural(layers, 'quantized layer')} "
        f"{is_or_are(layers)} computed in float, between QuantizeLinear and DequantizeLinear{took}"
    )
    remedy = (
        "Run it with TensorRT, which computes it in integers; or export the float conversion with --float16 "
        "(float16=True)"
    )
    found = evidence.faster(evidence.sisters("provider"))
    gain = measured_gain(found[1], evidence.name_of(found[0])) if found is not None else ""
    return Finding("no-integer-kernels", symptom, remedy, gain)


def _dequantized_weights(running: OnnxNetwork) -> int:
    """Return how many stored weights, scales and vectors left out, are made float whenever the network runs."""
    return sum(
        node.op_type == "DequantizeLinear"
        and node.inputs[0] is not None
        and node.inputs[0].producer() is None
        and node.inputs[0].is_initializer()
        and len(node.inputs[0].shape or ()) > 1
        for node in running.nodes
    )
