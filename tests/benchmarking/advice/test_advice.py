"""All rules together: on a real benchmark, on damaged files, and when they are stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from gsjupyter.benchmarking import advice
from gsjupyter.benchmarking.advice import MachineFacts, advise
from gsjupyter.benchmarking.options import BenchmarkOptions
from gsjupyter.benchmarking.protocol.subjects import subjects_of
from gsjupyter.benchmarking.records import Finding
from gsjupyter.benchmarking.run import measure
from tests.benchmarking.advice import networks
from tests.benchmarking.advice.cases import X86, mindspore, row

NO_TRAP = MachineFacts({"ONEDNN_MAX_CPU_ISA": "AVX2"})


def rules(measurement):
    return {finding.rule for finding in measurement.findings}


def test_a_real_benchmark_comes_with_advice(tmp_path):
    sizes = {"channels": 32, "pixels": 28}
    paths = [
        networks.chain(tmp_path / "healthy.onnx", **sizes),
        networks.weights_in_integers(tmp_path / "weights.onnx", operator="Conv", **sizes),
    ]
    place = tmp_path / "subjects"
    place.mkdir()
    options = BenchmarkOptions(launches=1, duration_s=0.05)
    x = np.random.default_rng(0).standard_normal((1, 32, 28, 28)).astype(np.float32)
    result = measure(subjects_of(paths, None, place), (x,), options=options)
    healthy, weights = map(rules, result.rows)
    assert healthy & {"unfused-layers", "conversions", "signed-activations", "weights-only"} == set()
    assert "weights-only" in weights


def test_damaged_files_give_no_findings_and_no_error(files, tmp_path):
    rng = np.random.default_rng(0)
    whole = files["signed operators"].read_bytes()
    damaged = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "noise": rng.bytes(2000),
        "turned": bytes(byte ^ (0x55 if index % 97 == 0 else 0) for index, byte in enumerate(whole)),
    }
    paths = {}
    for name, content in damaged.items():
        for row_of in (row, mindspore):
            path = tmp_path / f"{name}.{row_of.__name__}"
            path.write_bytes(content)
            paths[row_of(name).setting] = path
    rows = [row_of(name) for name in damaged for row_of in (row, mindspore)]
    rows.append(row("missing"))
    paths[rows[-1].setting] = tmp_path / "missing.onnx"
    assert advise(rows, {"here": X86}, paths, facts=NO_TRAP) == tuple(rows)


def test_values_that_read_each_other_in_a_circle_end(tmp_path, files):
    model = onnx.load(files["products"])
    for node in model.graph.node:
        node.input[0] = model.graph.node[-1].output[0]
    onnx.save(model, tmp_path / "circle.onnx")
    only = row("circle")
    assert advise([only], {"here": X86}, {only.setting: tmp_path / "circle.onnx"}, facts=NO_TRAP) == (only,)


def test_rows_without_figures_and_hosts_that_nobody_knows_are_left_alone(files):
    failed = replace(row("signed operators"), blocks=(), obstacle="it crashed")
    elsewhere = row("signed operators", host="there")
    paths = {item.setting: files["signed operators"] for item in (failed, elsewhere)}
    assert advise([failed, elsewhere], {}, paths) == (failed, elsewhere)


def test_a_rule_that_fails_costs_its_own_finding_only(files, monkeypatch):
    def failing(evidence):
        raise RuntimeError(evidence)

    monkeypatch.setattr(advice, "RULES", (failing, *advice.RULES))
    only = row("signed operators")
    (advised,) = advise([only], {"here": X86}, {only.setting: files["signed operators"]})
    assert rules(advised) == {"signed-activations"}


def test_an_interrupt_costs_the_findings_that_are_left_only(files, monkeypatch):
    first, second = row("signed operators"), row("unsigned weights")
    paths = {item.setting: files[item.setting.subject] for item in (first, second)}
    real = advice.findings_of

    def interrupted(evidence):
        if evidence.row is second:
            raise KeyboardInterrupt
        return real(evidence)

    monkeypatch.setattr(advice, "findings_of", interrupted)
    advised = advise([first, second], {"here": X86}, paths)
    assert rules(advised[0]) == {"signed-activations"}
    assert advised[1] == second


def test_what_was_found_before_stays(files):
    other, old = Finding("wrong-output", "a", "b"), Finding("signed-activations", "old", "old")
    before = replace(row("signed operators"), findings=(other, old))
    (advised,) = advise([before], {"here": X86}, {before.setting: files["signed operators"]})
    assert rules(advised) == {"wrong-output", "signed-activations"}
    assert old not in advised.findings


@pytest.mark.parametrize("name", ["healthy", "products", "signed", "unsigned operators", "float", "float products"])
def test_healthy_networks_have_no_findings(name, files):
    only = row(name)
    assert advise([only], {"here": X86}, {only.setting: files[name]}) == (only,)
