from __future__ import annotations

import numpy as np
import pytest
from mindspore.train import mind_ir_pb2 as pb

from gsjupyter.errors import ModelFileError, UnsupportedError
from gsjupyter.mindir import Constant, Graph, Input, Parameter, Scope, model_from_cell
from tests.networks import LeNet, Shared, filled, random_input

SCOPE = Scope.parse("")


@pytest.fixture
def x():
    return Input("x", pb.ValueInfoProto(name="x"))


@pytest.fixture
def chain(x):
    """Give x -> ReLU -> Tanh -> Sigmoid."""
    graph = Graph([x], x)
    for operator in ("ReLU", "Tanh", "Sigmoid"):
        graph.output = graph.add(operator, [graph.output], scope=SCOPE)
    return graph


@pytest.fixture
def lenet(rng):
    network = filled(LeNet(), rng)
    return model_from_cell(network, [random_input(network, rng)]).graph()


def operators(graph):
    return [node.op for node in graph.nodes()]


def test_every_value_comes_after_those_it_reads(lenet):
    position = {value: index for index, value in enumerate(lenet.values())}
    for node in lenet.nodes():
        assert all(position[value] < position[node] for value in node.inputs)


def test_every_value_is_listed_once(lenet):
    assert len(set(lenet.values())) == len(lenet.values())


def test_readers_are_the_nodes_that_read(lenet):
    nodes = lenet.nodes()
    for value in lenet.values():
        assert {id(node) for node in nodes if value in node.inputs} == {
            id(reader) for reader in value.readers if reader.op != "Return"
        }


def test_a_node_that_reads_a_value_twice_reads_it_until_both_inputs_change(x):
    graph = Graph([x], x)
    double = graph.add("Add", [x, x], scope=SCOPE)
    assert x.readers.count(double) == 1
    double.set_input(0, Constant.of(1.0))
    assert double in x.readers
    double.set_input(1, Constant.of(1.0))
    assert double not in x.readers


def test_nodes_are_found_by_operator(lenet):
    assert [node.op for node in lenet.nodes("MatMul", "Conv2D")] == ["Conv2D"] * 2 + ["MatMul"] * 3


def test_replacing_a_node_removes_it_and_what_only_it_read(chain, x):
    _, tanh, sigmoid = chain.nodes()
    chain.replace(tanh, x)
    assert operators(chain) == ["Sigmoid"]
    assert sigmoid.inputs == (x,)
    assert x.readers == (sigmoid,)


def test_what_another_node_reads_stays(chain, x):
    relu, tanh, sigmoid = chain.nodes()
    chain.output = chain.add("Add", [sigmoid, relu], scope=SCOPE)
    chain.replace(tanh, x)
    assert operators(chain) == ["Sigmoid", "ReLU", "Add"]


def test_only_the_named_readers_are_changed(chain):
    relu, tanh, _ = chain.nodes()
    scaled = chain.add("Mul", [relu, Constant.of(0.5)], scope=SCOPE)
    chain.replace(relu, scaled, readers=[tanh])
    assert operators(chain) == ["ReLU", "Mul", "Tanh", "Sigmoid"]


def test_the_output_can_be_replaced(chain):
    relu, _, sigmoid = chain.nodes()
    assert chain.is_output(sigmoid)
    chain.replace(sigmoid, relu)
    assert chain.is_output(relu)
    assert operators(chain) == ["ReLU"]


def test_an_input_that_nobody_reads_remains_an_input(chain, x):
    chain.output = Parameter.of("w", np.zeros(2, np.float32))
    assert chain.inputs == [x]
    assert chain.nodes() == []


def test_a_circle_is_refused(chain):
    relu, _, sigmoid = chain.nodes()
    relu.set_input(0, sigmoid)
    with pytest.raises(ModelFileError, match="reads its own output"):
        chain.values()


def test_a_chain_of_fifty_thousand_nodes_is_no_problem(x):
    graph = Graph([x], x)
    for _ in range(50_000):
        graph.output = graph.add("ReLU", [graph.output], scope=SCOPE)
    assert len(graph.nodes()) == 50_000
    graph.output = x
    assert graph.nodes() == []
    assert [reader.op for reader in x.readers] == ["Return"]


def test_a_new_node_has_the_type_it_was_given(chain):
    node = chain.add("Conv2D", [], scope=SCOPE, shape=(2, 3), dtype=np.float16, attributes={"pad": (1, 2)})
    assert (node.shape, node.dtype, node.attributes) == ((2, 3), np.float16, {"pad": (1, 2)})


def test_a_new_parameter_never_takes_the_name_of_another(x):
    graph = Graph([x], x)
    names = []
    for _ in range(3):
        parameter = graph.new_parameter("scale", np.ones(1, np.float32))
        graph.output = graph.add("Mul", [graph.output, parameter], scope=SCOPE)
        names.append(parameter.name)
    assert names == ["scale", "scale_2", "scale_3"]


def test_editing_a_graph_leaves_its_model_as_it_was(rng):
    network = filled(Shared(), rng)
    model = model_from_cell(network, [random_input(network, rng)])
    before = model.to_bytes()
    graph = model.graph()
    for node in graph.nodes("Conv2D"):
        node.annotate("note", "edited")
        graph.replace(node, node.inputs[0])
    assert model.to_bytes() == before


def test_nodes_know_their_layer(lenet):
    assert [node.layer for node in lenet.nodes("Conv2D", "BatchNorm", "MatMul")] == [
        *("conv1", "bn1", "conv2", "classifier.0", "classifier.2", "classifier.4")
    ]


def test_a_setting_is_found_as_attribute_and_as_constant_input(lenet):
    convolution, norm = lenet.nodes("Conv2D")[1], lenet.nodes("BatchNorm")[0]
    assert convolution.argument("kernel_size") == (5, 5)
    assert norm.number("epsilon") == pytest.approx(1e-5)


def test_a_setting_that_is_not_there_is_named(lenet):
    with pytest.raises(UnsupportedError, match=r"Conv2D of layer conv1 has no constant 'colour'"):
        lenet.nodes("Conv2D")[0].argument("colour")
