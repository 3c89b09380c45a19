"""Each operator whose settings older_mindir.py moves, computed by MindSpore and by the real engine on what it wrote."""

from __future__ import annotations

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from gsjupyter.mindir import load_model, model_from_cell, save_model
from tests.lite import older_mindir
from tests.lite.older_mindir import ARITHMETIC, OPERATORS, older_form
from tests.lite.programs import converted, converter_lite, outputs_of
from tests.networks import MLP, filled, random_input

IMAGES, ROWS, POSITIVE = (2, 4, 6, 6), (3, 8), (4, 5)

_normalization = ops.BatchNorm(epsilon=1e-3)
_layers = ops.LayerNorm(begin_norm_axis=1, begin_params_axis=1, epsilon=1e-3)
_statistics = [Tensor(values, mindspore.float32) for values in ([1, 2, 3, 4], [0, 1, 0, 1], [1, 0, 2, 0], [1, 2, 3, 4])]
_matrix = Tensor(np.linspace(-1, 1, 40).reshape(5, 8), mindspore.float32)
_stack = Tensor(np.linspace(-1, 1, 2 * 4 * 3 * 6).reshape(2, 4, 3, 6), mindspore.float32)
_scale, _shift = Tensor(np.linspace(0.5, 2, 8), mindspore.float32), Tensor(np.linspace(-1, 1, 8), mindspore.float32)
_places = Tensor([2, 0], mindspore.int32)

COMPUTED = (
    "Add",
    "ArgMaxWithValue",
    "AvgPool",
    "BatchMatMul",
    "BatchNorm",
    "BiasAdd",
    "BroadcastTo",
    "Concat",
    "CumSum",
    "Div",
    "Elu",
    "Gather",
    "LayerNorm",
    "LogSoftmax",
    "MatMul",
    "MatMulExt",
    "Maximum",
    "Minimum",
    "Mul",
    "Muls",
    "Pow",
    "RealDiv",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ResizeNearestNeighbor",
    "Softmax",
    "Split",
    "Squeeze",
    "StridedSlice",
    "Sub",
)


class Everything(nn.Cell):
    """All the operators that are changed, in their order, each with an output of its own."""

    def construct(self, images, rows, positive):
        return (
            ops.Add()(rows, 0.5),
            ops.ArgMaxWithValue(axis=1, keep_dims=True)(rows)[1],
            ops.AvgPool((3, 2), (2, 1), "same")(images),
            ops.BatchMatMul(transpose_b=True)(images, _stack),
            _normalization(images, *_statistics)[0],
            ops.BiasAdd()(rows, _shift),
            ops.BroadcastTo((2, 3, 8))(rows),
            ops.Concat(axis=1)((rows, rows + 1)),
            ops.CumSum(reverse=True)(rows, 1),
            ops.Div()(rows, 3.0),
            ops.Elu()(rows),
            ops.Gather()(rows, _places, 0),
            _layers(rows, _scale, _shift)[0],
            ops.LogSoftmax(axis=0)(rows),
            ops.MatMul(transpose_b=True)(rows, _matrix),
            ops.matmul(rows, _matrix.T),
            ops.Maximum()(rows, 0.25),
            ops.Minimum()(rows, 0.25),
            ops.Mul()(rows, 0.5),
            rows * 0.25,
            ops.Pow()(positive, 1.5),
            ops.RealDiv()(rows, 3.0),
            ops.ReduceMax(keep_dims=True)(rows, 1),
            ops.ReduceMean()(images, (2, 3)),
            ops.ReduceMin()(rows, 0),
            ops.ReduceProd(keep_dims=True)(rows, 1),
            ops.ReduceSum(keep_dims=True)(images, (1, 3)),
            ops.ResizeNearestNeighbor((12, 12))(images),
            ops.Softmax(axis=0)(rows),
            ops.Split(axis=1, output_num=4)(rows)[1],
            ops.Squeeze(axis=1)(images[:, 1:2]),
            images[:, ::2, 1:-1, 3],
            ops.Sub()(1.0, rows),
        )


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(7)
    images, rows = (rng.standard_normal(shape).astype(np.float32) for shape in (IMAGES, ROWS))
    return images, rows, rng.uniform(0.5, 2, POSITIVE).astype(np.float32)


@pytest.fixture(scope="module")
def everything(given):
    return model_from_cell(Everything(), tuple(map(Tensor, given)))


@pytest.fixture(scope="module")
def computed(given):
    return dict(zip(COMPUTED, Everything()(*map(Tensor, given)), strict=True))


@pytest.fixture(scope="module")
def by_the_engine(lite_home, everything, given, tmp_path_factory):
    file = converted(lite_home, everything, tmp_path_factory.mktemp("everything"))
    return dict(zip(COMPUTED, outputs_of(lite_home, file, *given), strict=True))


def test_each_operator_that_is_changed_is_computed(everything):
    outputs = everything.graph().output.inputs
    made = [item.inputs[0] if item.op == "TupleGetItem" else item for item in outputs]
    assert tuple(node.op for node in made) == COMPUTED
    assert set(COMPUTED) == {*OPERATORS, *ARITHMETIC}


@pytest.mark.parametrize("operator", COMPUTED)
def test_the_engine_computes_what_mindspore_computes(operator, computed, by_the_engine):
    expected = computed[operator].asnumpy()
    assert by_the_engine[operator].shape == expected.shape
    np.testing.assert_allclose(by_the_engine[operator], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_settings_are_attributes_in_the_older_form(tmp_path):
    model = model_from_cell(nn.Dense(8, 4), (Tensor(np.zeros(ROWS, np.float32)),))
    save_model(model, tmp_path / "net.mindir")
    (tmp_path / "older").mkdir()
    older = load_model(older_form(tmp_path / "net.mindir", tmp_path / "older"))
    product, bias = older.graph().nodes("MatMul", "BiasAdd")
    assert (len(product.inputs), len(bias.inputs)) == (2, 2)
    assert (product.attributes["transpose_a"], product.attributes["transpose_b"]) == (False, True)
    assert bias.attributes["format"] == "NCHW"
    assert older.proto.mind_ir_version == 1


def test_parameters_beside_the_model_are_found_from_where_it_is_rewritten(lite_home, tmp_path, rng):
    network = filled(MLP(), rng)
    rows = random_input(network, rng)
    whole = model_from_cell(network, (Tensor(rows),))
    save_model(whole, tmp_path / "net.mindir", external_data_bytes=0)
    assert (tmp_path / "net_variables").is_dir()
    flags = (f"--modelFile={tmp_path / 'net.mindir'}", f"--outputFile={tmp_path / 'net'}", "--saveType=MINDIR_LITE")
    finished = converter_lite(lite_home, "--fmk=MINDIR", *flags)
    assert finished.returncode == 0, finished.stderr
    (output,) = outputs_of(lite_home, tmp_path / "net.ms", rows)
    np.testing.assert_allclose(output, network(Tensor(rows)).asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x0a\xff"])
def test_what_is_no_newer_model_is_left_to_the_engine(tmp_path, content):
    file = tmp_path / "net.mindir"
    file.write_bytes(content)
    assert older_form(file, tmp_path / "older") == file


def test_a_model_of_the_older_form_is_left_as_it_is(tmp_path):
    file = tmp_path / "net.mindir"
    file.write_bytes(older_mindir.pb.ModelProto(mind_ir_version=1).SerializeToString())
    assert older_form(file, tmp_path / "older") == file


def test_a_model_whose_settings_are_computed_is_left_to_the_engine(tmp_path):
    proto = older_mindir.pb.ModelProto(mind_ir_version=3)
    proto.primitives.add(name="bias", op_type="BiasAdd")
    proto.graph.node.add(op_type="REF::bias", input=["x", "b", "computed"], output=["y"])
    file = tmp_path / "net.mindir"
    file.write_bytes(proto.SerializeToString())
    assert older_form(file, tmp_path / "older") == file
