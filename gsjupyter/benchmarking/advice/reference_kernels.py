"""Where a fast kernel lacks and a slow way is taken in silence: oneDNN's, float16 on a CPU, a fallback to the CPU."""

from typing import Final

import onnx_ir as ir

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.onnx_network import OnnxNetwork
from gsjupyter.benchmarking.advice.wording import (
    counted,
    gain_of_share,
    is_or_are,
    measured_gain,
    percent,
    plural,
    times,
)
from gsjupyter.benchmarking.records import Finding

COPIES: Final = ("MemcpyFromHost", "MemcpyToHost")
_LEAST_CASTS: Final = 4
_LEAST_SHARE: Final = 0.05


def slow_convolutions(evidence: Evidence) -> Finding | None:
    """Say that MindSpore's convolutions take oneDNN's slow path on this machine."""
    found, network = evidence.slow_convolutions, evidence.mindir
    if found is None or network is None:
        return None
    share = evidence.share_of([kind for kind in evidence.shares if kind.startswith("Conv")])
    took = f" Here {percent(share)} of the operators' time goes into them." if share is not None else ""
    factor = 1 / (1 - share + share / found.factor) if share is not None else found.factor
    gain = f"about {times(factor)}" if share is not None else f"up to {times(factor)}, for what convolutions take"
    symptom = f"{plural(network.convolutions, 'convolution')}: {found.symptom}{took}"
    return Finding("slow-convolutions", symptom, found.remedy, gain)


def float16_on_cpu(evidence: Evidence) -> Finding | None:
    """Say that float16 is computed in float32 on a CPU, with casts where they can't be avoided."""
    if evidence.row.setting.target != "cpu" or evidence.numbers != "float16" or evidence.has_feature("asimdhp"):
        return None
    if evidence.mindir is not None:
        return _mindspore_float16(evidence, evidence.mindir.float16_operators)
    if not evidence.is_x86 or evidence.running is None:
        return None
    casts = _casts(evidence.running)
    sister = evidence.float_sister
    comparison = evidence.against(sister) if sister is not None else None
    is_no_faster = comparison is not None and comparison.speed_up is not None and comparison.speed_up.low > 1 / 1.05
    if casts < _LEAST_CASTS and not is_no_faster:
        return None
    share = evidence.share_of(("Cast",))
    took = f", {percent(share)} of the operators' time," if share is not None and casts else ""
    around = f", and {plural(casts, 'cast')}{took} convert between the two at every call" if casts else ""
    symptom = f"this processor has no kernels for float16, so ONNX Runtime computes in float32{around}"
    return Finding(
        "float16-on-cpu", symptom, _FLOAT32, _float_gain(evidence) or gain_of_share(share if casts else None)
    )


_FLOAT32: Final = "Export in float32 for the CPU: without --float16 (float16=False). float16 is for GPUs"


def _mindspore_float16(evidence: Evidence, layers: int) -> Finding | None:
    if not layers:
        return None
    symptom = (
        f"{plural(layers, 'layer')} {is_or_are(layers)} computed in float16, which MindSpore has slow kernels for on a "
        "CPU"
    )
    remedy = "Let the network compute in float32 on a CPU (net.to_float(mindspore.float32)), and convert it again"
    return Finding("float16-on-cpu", symptom, remedy, _float_gain(evidence))


def _float_gain(evidence: Evidence) -> str:
    sister = evidence.float_sister
    found = evidence.faster([sister]) if sister is not None else None
    return measured_gain(found[1], evidence.name_of(found[0])) if found is not None else ""


def _casts(running: OnnxNetwork) -> int:
    """Return how often floats become other floats, what the network takes and gives left out."""
    return sum(
        node.op_type == "Cast"
        and not (node.inputs[0] is not None and node.inputs[0].is_graph_input())
        and not node.outputs[0].is_graph_output()
        for node in running.nodes
    )


def fallback_to_cpu(evidence: Evidence) -> Finding | None:
    """Say which operators a GPU or NPU leaves to the CPU, with values copied there and back."""
    if evidence.row.setting.engine != "onnxruntime" or evidence.row.setting.target == "cpu":
        return None
    share = evidence.share_of(COPIES)
    running = evidence.running
    nodes = [node for node in running.nodes if node.op_type in COPIES] if running is not None else []
    copies = len(nodes) or sum(item.operator in COPIES for item in evidence.row.operators)
    if not copies or (share is not None and share < _LEAST_SHARE):
        return None
    on_cpu = _between_copies(nodes)
    which = f" for {counted(node.op_type for node in on_cpu)}" if on_cpu else ""
    took = f"; the copies take {percent(share)} of the operators' time" if share is not None else ""
    symptom = f"values are copied {copies} times between device and host{which}, which only run on the CPU{took}"
    remedy = (
        "Replace these operators by others that the provider has (the table of operators names their layers), or move "
        "them to the network's end"
    )
    return Finding("fallback-to-cpu", symptom, remedy, gain_of_share(share))


def _between_copies(nodes: list[ir.Node]) -> list[ir.Node]:
    """Return what runs on the host: what reads a value that was copied there, and all behind it until it is back."""
    found: dict[int, ir.Node] = {}
    pending = [node for node in nodes if node.op_type == "MemcpyToHost"]
    while pending:
        for output in pending.pop().outputs:
            for reader, _ in output.uses():
                if reader.op_type not in COPIES and id(reader) not in found:
                    found[id(reader)] = reader
                    pending.append(reader)
    return list(found.values())
