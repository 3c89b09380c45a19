"""ONNX files: sound by onnx's own checker, and in two where one is too small."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest

from gsjupyter.errors import WriteError
from gsjupyter.formats.onnx import file, save
from tests.formats.onnx.agreement import lowered
from tests.networks import MLP, filled
from tests.passes.networks import normal


@pytest.fixture
def x(rng):
    return normal(rng, *MLP.input_shape)


@pytest.fixture
def mlp(rng, x):
    return lowered(filled(MLP(), rng), x)


def run(path, x):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def test_one_file_with_the_shapes_of_inner_values(mlp, x, tmp_path):
    path = tmp_path / "mlp.onnx"
    assert save(mlp, path) == (path,)
    shapes = {
        tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim) for value in onnx.load(path).graph.value_info
    }
    assert (3, 16) in shapes


def test_above_the_limit_values_lie_beside_it(mlp, x, tmp_path, monkeypatch):
    whole = tmp_path / "whole.onnx"
    save(mlp, whole)
    monkeypatch.setattr(file, "EXTERNAL_DATA_BYTES", 300)
    path = tmp_path / "mlp.onnx"
    files = save(mlp, path)
    assert files == (path, tmp_path / "mlp.onnx.data")
    assert sorted(tmp_path.iterdir()) == sorted([whole, *files])
    assert path.stat().st_size < whole.stat().st_size
    np.testing.assert_array_equal(run(path, x), run(whole, x))


def test_an_unsound_model_is_an_error_of_ours(tmp_path):
    value = ir.val("x", ir.DataType.FLOAT, [2])
    node = ir.node("Relu", [value], {"no_such_attribute": 1}, outputs=[ir.Value(name="y")])
    node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph([value], node.outputs, nodes=[node], opset_imports={"": 21}, name="unsound")
    with pytest.raises(WriteError, match=r"x\.onnx would be no sound ONNX model: .*no_such_attribute"):
        save(ir.Model(graph, ir_version=10), tmp_path / "x.onnx")
