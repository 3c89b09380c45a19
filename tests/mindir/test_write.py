from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import Model, Parameter, Runner, Scope, model_from_cell
from tests import networks
from tests.networks import filled, random_input

NETWORKS = ["LeNet", "MLP", "Depthwise", "Functional", "Shared"]


def exported(name, rng):
    network = filled(getattr(networks, name)(), rng)
    x = random_input(network, rng)
    return model_from_cell(network, [x]), x


def rewritten(model):
    return model.with_graph(model.graph())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_rewritten_model_gives_the_same_output(name, rng):
    model, x = exported(name, rng)
    np.testing.assert_array_equal(Runner(rewritten(model))(x), Runner(model)(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_two_exports_of_a_network_give_the_same_bytes(name):
    first, second = (rewritten(exported(name, np.random.default_rng(1))[0]).to_bytes() for _ in range(2))
    assert first == second


def test_writing_what_was_written_changes_nothing(rng):
    once = rewritten(exported("LeNet", rng)[0])
    again = rewritten(Model.from_bytes(once.to_bytes(), "LeNet"))
    assert again.to_bytes() == once.to_bytes()


def test_the_bytes_do_not_depend_on_the_implementation_of_protobuf(rng, tmp_path):
    # MindSpore makes protobuf run in Python, unless something imported it before: then it is C.
    data = rewritten(exported("MLP", rng)[0]).to_bytes()
    (tmp_path / "model").write_bytes(data)
    code = (
        "import sys, pathlib, google.protobuf.descriptor_pb2\n"
        "from gsjupyter.mindir import Model\n"
        "data = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "model = Model.from_bytes(data, 'MLP')\n"
        "assert model.with_graph(model.graph()).to_bytes() == data"
    )
    root = networks.__file__.rpartition("tests")[0]
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model")], check=True, cwd=root, timeout=60)


def test_annotations_and_parameters_survive(rng):
    model, _ = exported("MLP", rng)
    graph = model.graph()
    graph.nodes("MatMul")[0].annotate("scheme", "int8 per channel")
    restored = Model.from_bytes(model.with_graph(graph).to_bytes()).graph()
    assert restored.nodes("MatMul")[0].annotations["scheme"] == "int8 per channel"
    for before, after in zip(graph.parameters(), restored.parameters(), strict=True):
        assert before.name == after.name
        np.testing.assert_array_equal(before.array, after.array)


def test_two_parameters_of_one_name_are_refused(rng):
    model, _ = exported("MLP", rng)
    graph = model.graph()
    twin = Parameter.of(graph.parameters()[0].name, np.ones((3, 4), np.float32))
    graph.output = graph.add("Add", [graph.output, twin], scope=Scope.parse(""))
    with pytest.raises(UnsupportedError, match="two parameters are called"):
        model.with_graph(graph)


@pytest.mark.parametrize("name", ["", "a:b", "rm -rf /", "网络", "<img src=x>", "0"])
def test_any_name_of_a_network_can_be_written_and_loaded(name, rng):
    model, x = exported("MLP", rng)
    model.name = name
    assert Runner(rewritten(model))(x).shape == (3, 4)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.float16])
def test_a_parameter_of_any_type_reaches_mindspore(kind, rng):
    model, _ = exported("MLP", rng)
    graph = model.graph()
    values = rng.integers(0, 100, (3, 4)).astype(kind)
    parameter = Parameter.of("values", values)
    graph.output = graph.add_tuple([graph.output, parameter])
    outputs = Runner(model.with_graph(graph))(rng.standard_normal((3, 8)).astype(np.float32))
    np.testing.assert_array_equal(outputs[1], values)
