"""Fast kernels that are missing: oneDNN's slow path, float16 on a CPU, operators that fall back to the CPU."""

from __future__ import annotations

import socket
from dataclasses import replace

import mindspore as ms
import numpy as np
import onnx
import pytest
from mindspore import nn
from onnx import TensorProto, helper

import gsjupyter as gs
from gsjupyter.benchmarking.advice import MachineFacts
from gsjupyter.benchmarking.advice import evidence as evidence_module
from gsjupyter.benchmarking.advice.onnx_network import OnnxNetwork
from gsjupyter.benchmarking.advice.reference_kernels import fallback_to_cpu, float16_on_cpu, slow_convolutions
from gsjupyter.benchmarking.targets.onednn import ConvolutionTimes, SlowConvolutions
from tests.benchmarking.advice.cases import ARM, X86, evidence, mindspore, row, time
from tests.networks import MLP, filled

HERE = replace(X86, host=socket.gethostname())
TRAP = MachineFacts({}, slow_convolutions=SlowConvolutions(0.42, 0.004))


@pytest.fixture(scope="module")
def mindirs(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("mindirs"), np.random.default_rng(1)
    image = rng.standard_normal((1, 3, 6, 6)).astype(np.float32)
    vector = rng.standard_normal(MLP.input_shape).astype(np.float32)
    half = nn.Dense(8, 4).to_float(ms.float16)
    sources = {"half": (half, vector), "convolution": (nn.Conv2d(3, 4, 3), image), "products": (MLP(), vector)}
    files = {}
    for name, (network, x) in sources.items():
        files[name] = gs.export(gs.convert(filled(network, rng), x), folder / f"{name}.mindir").path
    return files


def test_the_slow_path_is_told_with_what_it_costs_here(mindirs):
    operators = [time("Conv2D", 0.99), time("MatMul", 0.01)]
    case = evidence(mindirs, mindspore("convolution", operators=operators), machine=HERE, facts=TRAP)
    found = slow_convolutions(case)
    assert found.symptom.startswith("1 convolution: MindSpore's convolutions take a slow path on this processor")
    assert found.symptom.endswith("Here 99 % of the operators' time goes into them.")
    assert 'os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"' in found.remedy
    # Amdahl's law: the hundredth that is left counts as much as the convolutions do then.
    assert found.gain == "about 51x"


def test_without_the_operators_times_the_gain_is_a_bound(mindirs):
    found = slow_convolutions(evidence(mindirs, mindspore("convolution"), machine=HERE, facts=TRAP))
    assert found.gain == "up to 105x, for what convolutions take"


@pytest.mark.parametrize(
    ("name", "facts"),
    [("products", TRAP), ("convolution", MachineFacts({"ONEDNN_MAX_CPU_ISA": "AVX2"})), ("missing", TRAP)],
)
def test_it_is_no_matter_without_convolutions_or_where_onednn_is_held_back(name, facts, mindirs):
    assert slow_convolutions(evidence(mindirs, mindspore(name), machine=HERE, facts=facts)) is None


def test_another_machine_is_not_measured_in_place_of_the_rows_own(mindirs, monkeypatch):
    monkeypatch.setattr(evidence_module, "measure_convolution", lambda: pytest.fail("measured here"))
    case = evidence(mindirs, mindspore("convolution"), machine=X86, facts=MachineFacts({}))
    assert slow_convolutions(case) is None


def test_it_is_measured_once(mindirs, monkeypatch):
    calls = []

    def measured():
        calls.append(1)
        return ConvolutionTimes((0.4, 0.4, 0.4), (0.004, 0.004, 0.004))

    monkeypatch.setattr(evidence_module, "measure_convolution", measured)
    facts = MachineFacts({})
    for _ in range(2):
        case = evidence(mindirs, mindspore("convolution"), machine=HERE, facts=facts)
        assert "100 times as fast" in slow_convolutions(case).symptom
    assert len(calls) == 1


def test_float16_is_computed_in_float32_on_a_cpu(files):
    operators = [time("Cast", 0.2), time("MatMul", 0.8)]
    found = float16_on_cpu(evidence(files, row("half blocks", operators=operators)))
    casts = found.symptom.partition(", and ")[2]
    assert int(casts.split()[0]) >= 4
    assert casts.endswith("casts, 20 % of the operators' time, convert between the two at every call")
    assert "--float16" in found.remedy
    assert found.gain == "at most 1.25x, as that takes 20 % of the operators' time"


def test_float16_that_is_no_faster_than_float32_is_told_without_casts(files):
    rows = [row("half", median_s=1e-3), row("float", median_s=1e-3)]
    assert float16_on_cpu(evidence(files, *rows)).gain == ""
    rows = [row("half", median_s=1.2e-3), row("float", median_s=1e-3)]
    assert float16_on_cpu(evidence(files, *rows)).gain == "about 1.20x, as float shows in this benchmark"


def test_float16_is_right_elsewhere(files):
    assert float16_on_cpu(evidence(files, row("half"))) is None
    assert float16_on_cpu(evidence(files, row("float"))) is None
    assert float16_on_cpu(evidence(files, row("half blocks"), machine=ARM)) is None
    assert float16_on_cpu(evidence(files, row("half blocks", target="gpu", provider="cuda"))) is None


def test_a_network_that_computes_in_float16_is_slow_on_mindspores_cpu(mindirs):
    rows = [mindspore("half", median_s=2e-3), mindspore("products", median_s=1e-3)]
    found = float16_on_cpu(evidence(mindirs, *rows))
    assert found.symptom.startswith("1 layer is computed in float16")
    assert "to_float(mindspore.float32)" in found.remedy
    assert float16_on_cpu(evidence(mindirs, mindspore("products"))) is None


@pytest.fixture(scope="module")
def on_gpu(tmp_path_factory):
    """Give a network as ONNX Runtime writes it for CUDA, where Unique and what follows it run on the CPU."""
    names = ("MatMul", "MemcpyToHost", "Unique", "Neg", "MemcpyFromHost", "Relu")
    nodes = [helper.make_node(name, [f"v{index}"], [f"v{index + 1}"], name=name) for index, name in enumerate(names)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("v0", f"v{len(names)}")]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:])
    path = tmp_path_factory.mktemp("gpu") / "gpu.onnx"
    onnx.save(helper.make_model(graph), path)
    return OnnxNetwork.read(path)


def test_what_falls_back_to_the_cpu_is_named(on_gpu):
    operators = [time("MemcpyToHost", 0.2), time("MemcpyFromHost", 0.3), time("MatMul", 0.5)]
    case = evidence({}, row("net", target="gpu", provider="cuda", operators=operators))
    object.__setattr__(case, "running", on_gpu)
    found = fallback_to_cpu(case)
    assert found.symptom == (
        "values are copied 2 times between device and host for 1 Unique, 1 Neg, which only run on the CPU; the copies "
        "take 50 % of the operators' time"
    )
    assert found.gain == "at most 2.0x, as that takes 50 % of the operators' time"


def test_copies_that_take_no_time_are_no_matter(on_gpu):
    operators = [time("MemcpyToHost", 0.01), time("MatMul", 0.99)]
    assert fallback_to_cpu(evidence({}, row("net", target="gpu", provider="cuda", operators=operators))) is None
    assert fallback_to_cpu(evidence({}, row("net", target="gpu", provider="cuda"))) is None
    assert fallback_to_cpu(evidence({}, row("net"))) is None
