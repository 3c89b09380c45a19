"""Time that goes into the order of values in memory: no operator in it computes anything."""

from collections.abc import Sequence
from typing import Final

import onnx_ir as ir

from gsjupyter.benchmarking.advice.evidence import Evidence
from gsjupyter.benchmarking.advice.integer_kernels import CONVERSIONS, LAYOUTS
from gsjupyter.benchmarking.advice.onnx_network import OnnxNetwork
from gsjupyter.benchmarking.advice.wording import counted, gain_of_share, listed, percent
from gsjupyter.benchmarking.records import Finding, OperatorTime

_LEAST_SHARE: Final = 0.15


def layout_changes(evidence: Evidence) -> Finding | None:
    """Say that transposes and reorders take a large share of the time, and around which operators."""
    share = evidence.share_of(LAYOUTS)
    if share is None or share < _LEAST_SHARE:
        return None
    changes = [item for item in evidence.row.operators if item.operator in LAYOUTS]
    running = evidence.running
    around = _between_changes(running) if running is not None else []
    symptom = (
        f"{percent(share)} of the operators' time goes into the order of values in memory "
        f"({counted(item.operator for item in changes)})"
    )
    if around:
        symptom += f", mostly around {counted(node.op_type for node in around)}"
    remedy = _remedy(changes, around, converts=running is not None and _converts(running))
    return Finding("layout-changes", symptom, remedy, gain_of_share(share))


def _remedy(changes: Sequence[OperatorTime], around: Sequence[ir.Node], *, converts: bool) -> str:
    if converts:
        return "Let these layers be computed in integers like their neighbours, or keep those in float too (--keep)"
    kinds = {node.op_type for node in around}
    if kinds & {"MatMul", "Gemm", "FusedMatMul"}:
        return "Stay in one layout: a Dense between two transposes is a 1 x 1 convolution without them (nn.Conv2d)"
    layers = listed(item.layer for item in changes)
    where = f" ({layers})" if layers else ""
    what = (
        f" {listed(sorted(kinds))} for operators that work in the convolutions' layout, or move them together"
        * bool(kinds)
    )
    return f"Stay in one layout{where}: exchange{what}" if what else f"Stay in one layout{where}"


def _between_changes(running: OnnxNetwork) -> list[ir.Node]:
    """Return the operators that need another layout than their neighbours: a change before them, and one behind."""
    found = []
    for node in running.nodes:
        if node.op_type in (*LAYOUTS, *CONVERSIONS):
            continue
        makers = [value.producer() for value in node.inputs if value is not None]
        if any(maker is not None and maker.op_type in LAYOUTS for maker in makers) and _is_changed_behind(node):
            found.append(node)
    return found


def _is_changed_behind(node: ir.Node) -> bool:
    """Say whether a layout changes behind an operator, or behind the operators that only it feeds."""
    for _ in range(3):
        readers = [reader for output in node.outputs for reader, _ in output.uses()]
        if any(reader.op_type in LAYOUTS for reader in readers):
            # The blocked layout of convolutions is what all others change from and to.
            return node.op_type not in ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "QLinearConv")
        if len(readers) != 1:
            return False
        node = readers[0]
    return False


def _converts(running: OnnxNetwork) -> bool:
    return sum(running.operators[kind] for kind in CONVERSIONS) >= 4 and running.operators["QLinearConv"] > 0
