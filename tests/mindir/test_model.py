from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.errors import UnsupportedError
from gsjupyter.mindir import InputSpec, Model


@pytest.fixture
def model(mlp_bytes):
    return Model.from_bytes(mlp_bytes, "MLP")


def test_a_model_tells_what_it_takes(model):
    assert model.inputs == (InputSpec("x", (3, 8), "float32"),)


def test_sizes_are_those_of_the_file(model):
    assert model.size_bytes == len(model.to_bytes())
    assert model.parameter_bytes == 4 * (8 * 16 + 16 + 16 * 4 + 4)


def test_each_graph_is_a_graph_of_its_own(model):
    first, second = model.graph(), model.graph()
    first.output = first.inputs[0]
    assert first.nodes() == []
    assert len(second.nodes("MatMul")) == 2


def test_a_map_parameter_is_refused(model):
    model.proto.graph.map_parameter.add(name="table")
    assert not model.is_editable
    with pytest.raises(UnsupportedError, match="MLP holds a MapParameter"):
        model.graph()


def test_an_edited_graph_keeps_name_and_keys(model):
    model.output_keys = ("logits",)
    edited = model.with_graph(model.graph())
    assert (edited.name, edited.output_keys) == ("MLP", ("logits",))
    assert model.with_graph(model.graph(), output_keys=()).output_keys == ()


def test_a_parameter_tells_its_shape_type_and_bytes(model):
    weight = model.graph().parameters()[0]
    assert (weight.shape, weight.dtype, weight.size_bytes) == ((16, 8), np.float32, 512)
