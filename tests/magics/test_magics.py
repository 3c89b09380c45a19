import os
import re

import mindspore
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import gsjupyter as gs
from gsjupyter.options import WEIGHTS
from tests.networks import MLP, TwoInputs, filled


@pytest.fixture(scope="module")
def ipython(tmp_path_factory):
    """Give a shell with the extension loaded, without the user's own settings and history."""
    from traitlets.config import Config

    folder = tmp_path_factory.mktemp("ipython")
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    shell = InteractiveShell.instance(ipython_dir=str(folder), config=config)
    shell.run_line_magic("load_ext", "gsjupyter")
    yield shell
    shell.run_line_magic("unload_ext", "gsjupyter")
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(ipython, rng):
    """Give a function that runs a cell as a user would, in a namespace with a network and an input."""
    ipython.reset(new_session=False)
    x = rng.standard_normal(MLP.input_shape).astype(np.float32)
    ipython.user_ns.update(net=filled(MLP(), rng), x=x, batches=[3 * x])

    def run(cell):
        with capture_output() as captured:
            result = ipython.run_cell(cell)
        run.error = result.error_in_exec
        run.text = captured.stdout  # progress goes to stderr
        return result.result

    run.names = ipython.user_ns
    return run


def test_a_line_converts_and_binds_the_result(notebook):
    assert notebook("%gs_convert net x --weights int8 --activations int8 --calibration batches -o qnet") is None
    qnet, x = notebook.names["qnet"], notebook.names["x"]
    assert isinstance(qnet, gs.Conversion)
    assert qnet.options == gs.ConvertOptions(weights="int8", activations="int8")
    assert qnet.layers[0].activation_high == pytest.approx(3 * x.max())
    assert re.fullmatch(
        r"qnet: MLP, int8 weights, int8 activations, \d+% of the size, SQNR [\d.]+ dB, .* on 3 given samples\n",
        notebook.text,
    )


def test_without_a_name_the_result_is_what_the_cell_gives(notebook):
    result = notebook("%gs_convert net x --weights float16")
    assert isinstance(result, gs.Conversion)
    assert notebook.names["_"] is result
    assert "MLP: float16 weights" in notebook.text


def test_a_result_can_be_assigned_as_with_any_magic(notebook):
    notebook("qnet = %gs_convert net x --weights int8")
    assert isinstance(notebook.names["qnet"], gs.Conversion)


def test_a_magic_gives_what_the_function_gives(notebook):
    notebook("%gs_convert net x --weights int8 --granularity tensor --keep fc2 -o qnet")
    names = notebook.names
    wanted = gs.convert(names["net"], names["x"], weights="int8", granularity="tensor", keep=["fc2"])
    assert names["qnet"].model.to_bytes() == wanted.model.to_bytes()


@pytest.mark.parametrize("cell", ["%gs_convert {} x --ckpt {}", "%%gs_convert {} x\nckpt: {}"], ids=["line", "cell"])
@pytest.mark.parametrize("network", ["net", "MLP"])
def test_a_checkpoint_gives_the_values(notebook, cell, network, tmp_path, rng):
    trained = filled(MLP(), rng)
    mindspore.save_checkpoint(trained, str(tmp_path / "trained.ckpt"))
    notebook.names["MLP"] = MLP
    result = notebook(cell.format(network, tmp_path / "trained.ckpt"))
    assert notebook.error is None
    np.testing.assert_array_equal(
        result(notebook.names["x"]), gs.convert(trained, notebook.names["x"])(notebook.names["x"])
    )


def test_several_inputs_are_several_names(notebook, rng):
    notebook.names.update(
        two=filled(TwoInputs(), rng), image=np.ones((2, 8), np.float32), text=np.ones((2, 4), np.float32)
    )
    assert notebook("%gs_convert two image text").name == "TwoInputs"


def test_layers_to_keep_may_be_names_and_globs(notebook):
    result = notebook("%gs_convert net x --weights int8 --keep fc1 *2")
    assert [layer.weights for layer in result.layers] == ["float32", "float32"]


def test_annotations_can_be_asked_for(notebook):
    result = notebook("%gs_convert net x --activations int8 --annotate-only")
    assert result.options.simulate is False


def test_a_cell_of_yaml_holds_the_same_options(notebook):
    notebook(
        "%%gs_convert net x -o qnet\n"
        "weights: int8\n"
        "activations: int8\n"
        "calibration: batches\n"
        "layers: {fc2: float32, 'f*': int8}\n"
        "simulate: false\n"
    )
    assert notebook.error is None
    assert notebook.names["qnet"].options == gs.ConvertOptions(
        weights="int8", activations="int8", layers={"fc2": "float32", "f*": "int8"}, simulate=False
    )


def test_the_numbered_layers_of_a_sequential_cell_need_no_quotes(notebook):
    notebook("from mindspore import nn\nnumbered = nn.SequentialCell(nn.Dense(8, 8), nn.Dense(8, 8), nn.Dense(8, 4))")
    result = notebook("%%gs_convert numbered x\nweights: int8\nlayers: {1: float16}\nkeep: 2")
    assert [layer.weights for layer in result.layers] == ["int8 per channel", "float16", "float32"]


def test_the_line_goes_before_the_cell(notebook):
    assert notebook("%%gs_convert net x --weights float16\nweights: int8\nkeep: fc1").options.weights == "float16"


def test_an_empty_cell_is_a_line(notebook):
    assert notebook("%%gs_convert net x\n\n").options == gs.ConvertOptions()


def test_export_writes_and_says_where(notebook, tmp_path):
    notebook("%gs_convert net x --weights int8 -o qnet")
    path = tmp_path / "mlp.mindir"
    notebook(f"%gs_export qnet {path} -o artifact")
    assert notebook.text == f"artifact: {path}\n"
    assert notebook.names["artifact"].path == path
    assert isinstance(notebook(f"%gs_export qnet {path} --overwrite"), gs.Artifact)


def test_a_path_with_spaces_goes_in_quotes(notebook, tmp_path):
    notebook("%gs_convert net x -o qnet")
    notebook(f'%gs_export qnet "{tmp_path}/my net.mindir"')
    assert (tmp_path / "my net.mindir").is_file()
    assert notebook(f'%gs_convert "{tmp_path}/my net.mindir" x').name == "my net"


def test_a_file_that_exists_is_told_and_left(notebook, tmp_path):
    notebook("%gs_convert net x --weights int8 -o qnet")
    path = tmp_path / "mlp.mindir"
    notebook(f"%gs_export qnet {path}")
    before = path.stat().st_mtime_ns
    notebook(f"%gs_export qnet {path}")
    assert path.stat().st_mtime_ns == before
    assert notebook.text.startswith("gs_export: mlp.mindir exists (")
    assert "Add --overwrite" in notebook.text


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%gs_convert net x --weigths int8", "gs_convert: no option --weigths. Did you mean --weights?"),
        (
            "%gs_convert net x --weights=int9",
            f"gs_convert: weights must be one of {', '.join(WEIGHTS)}, not 'int9'.",
        ),
        ("%gs_convert net x --frobnicate", "gs_convert: no option --frobnicate. There are --ckpt, --weights, "),
        ("%gs_convert", "gs_convert: the following arguments are required: source"),
        ("%gs_convert net x --weights", "gs_convert: argument --weights: expected one argument"),
        ("%gs_convert nte x", "gs_convert: there is no nte in this notebook.\nDid you mean net?"),
        ("%gs_convert net y9", "gs_convert: there is no y9 in this notebook."),
        (
            "%gs_convert net x --calibration batchs",
            "gs_convert: there is no batchs in this notebook.\nDid you mean batches?",
        ),
        ("%gs_convert x net", "gs_convert: this ndarray is no network."),
        ("%gs_convert net", "gs_convert: to convert MLP, an example of its input is needed."),
        ("%gs_convert net x x", "gs_convert: MLP takes 1 input"),
        ("%gs_convert net x --keep fc3 --weights int8", "gs_convert: the network has no layer 'fc3' with a weight."),
        ("%gs_convert missing.mindir", "gs_convert: there is no file missing.mindir."),
        ("%gs_convert lenet.onnx x", "gs_convert: lenet.onnx is an ONNX file, which a conversion can end in but not "),
        ("%gs_convert 'net x", "gs_convert: "),
        ("%gs_export net a.mindir", "gs_export: MLP is no conversion."),
        ("%gs_export", "gs_export: the following arguments are required: conversion, path"),
        ("%gs_export qnet", "gs_export: the following arguments are required: path"),
        ("%gs_export net a.mindir b.mindir", "gs_export: 'b.mindir' is one argument too many."),
        ("%%gs_convert net x\nweigths: int8", "gs_convert: no option 'weigths' in the cell"),
        ("%%gs_convert net x\nweights: [int8", "gs_convert: the cell is no YAML at line "),
        ("%%gs_convert net x\nint8", "gs_convert: the cell must map options to values"),
        ("%%gs_convert net x\nlayers: {fc9: int8}", "gs_convert: the network has no layer 'fc9' with a weight."),
        ("%%gs_convert net x\nlayers: int8", "gs_convert: layers must map names or globs to formats"),
        ("%%gs_convert net x\nkeep: 5", "gs_convert: the network has no layer '5' with a weight."),
        ("%%gs_convert net x\nkeep: [1.5]", "gs_convert: a layer's name must be text, not 1.5.\nPut it in quotes."),
        ("%%gs_convert net x\nkeep: {a: b}", "gs_convert: a layer's name must be text, not {'a': 'b'}."),
        ("%%gs_convert net x\ncalibration: [1]", "gs_convert: "),
        ("%%gs_convert net x\nweights: !!python/object/apply:os.getcwd []", "gs_convert: the cell is no YAML"),
    ],
)
def test_a_mistake_is_told_in_words_without_a_traceback(cell, message, notebook):
    before = set(notebook.names)
    notebook(cell + (" -o qnet" if cell.startswith("%gs") else ""))
    assert isinstance(notebook.error, gs.GsError)
    assert notebook.text.startswith(message)
    assert "Traceback" not in notebook.text
    assert len(notebook.text.strip().splitlines()) <= 3
    assert "qnet" not in set(notebook.names) - before


def test_an_onnx_file_is_run_and_held_against_the_source(notebook, tmp_path):
    notebook("%gs_convert net x --weights int8 --activations int8 -o qnet")
    artifact = notebook(f"%gs_export qnet {tmp_path}/mlp.onnx")
    assert artifact.verification.sqnr_db > 25
    notebook(f"%gs_export qnet {tmp_path}/fixed.onnx --fixed-batch -o fixed")
    assert notebook.text.startswith(f"fixed: {tmp_path}/fixed.onnx, in ONNX Runtime SQNR ")
    notebook(f"%gs_export qnet {tmp_path}/half.onnx --float16")
    assert notebook.text.startswith("gs_export: float16 is for networks that compute in floating point;")
    assert not (tmp_path / "half.onnx").exists()


@pytest.mark.parametrize("name", ["1net", "a.b", "class", "a b", "x[0]", "None", "lambda"])
def test_a_result_is_bound_to_names_only_and_that_is_checked_first(name, notebook):
    notebook.names["net"] = "not a network: if this is looked at, it is too late"
    notebook(f"%gs_convert net x -o '{name}'")
    assert notebook.text.startswith(f"gs_convert: -o needs a name to bind the result to, not {name!r}.")


@pytest.mark.parametrize("argument", ["{1+1}", "$x", "{x}", "net()", "x+1", "x[0]", "__import__('os')", "{boom()}"])
def test_nothing_that_is_typed_is_evaluated(argument, notebook):
    def boom():
        raise AssertionError("evaluated")

    notebook.names["boom"] = boom
    notebook(f'%gs_convert net "{argument}"')
    assert notebook.text.startswith(f"gs_convert: {argument!r} is no name.\nMagics take names, not expressions: ")


def test_a_path_is_not_expanded_either(notebook, tmp_path):
    notebook("%gs_convert net x -o qnet")
    notebook(f"%gs_export qnet {tmp_path}/{{1+1}}$x.mindir")
    assert (tmp_path / "{1+1}$x.mindir").is_file()


def test_a_failed_conversion_leaves_an_older_result_alone(notebook):
    notebook("%gs_convert net x -o qnet")
    first = notebook.names["qnet"]
    notebook("%gs_convert net x --weights int9 -o qnet")
    assert notebook.names["qnet"] is first


def test_a_bundle_for_mindspore_lite_needs_none_here(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_HOME", "/nowhere")
    notebook("%gs_convert net x -o qnet")
    artifact = notebook(f"%gs_export qnet {tmp_path}/mlp.ms --bundle --device gpu")
    assert artifact.path == tmp_path / "mlp.ms.zip"
    assert "--optimize=gpu_oriented" in artifact.manifest.options["lite"]["command"]
    notebook(f"%gs_export qnet {tmp_path}/mlp.ms --bundle")
    assert notebook.text.startswith("gs_export: mlp.ms.zip exists (")


def test_where_mindspore_lite_is_can_be_configured(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_HOME", "/nowhere")
    notebook("%gs_convert net x -o qnet")
    notebook(f"%gs_export qnet {tmp_path}/mlp.ms")
    assert notebook.text.startswith("gs_export: LITE_HOME is /nowhere, and there is nothing.")
    notebook(f'%config GsJupyter.lite_home = "{tmp_path}"')
    notebook(f"%gs_export qnet {tmp_path}/mlp.ms")
    assert notebook.text.startswith(f"gs_export: LITE_HOME is {tmp_path}, and there is no tools/converter/")
    notebook(f"%gs_export qnet {tmp_path}/mlp.onnx")
    assert (tmp_path / "mlp.onnx").exists()
    notebook('%config GsJupyter.lite_home = ""')
    assert os.environ["LITE_HOME"] == "/nowhere"


@pytest.mark.parametrize("shape", ["x", "x:", "x:1,a", ":1,2"])
def test_a_shape_that_cannot_be_read_is_told(shape, notebook, tmp_path):
    notebook("%gs_convert net x -o qnet")
    notebook(f"%gs_export qnet {tmp_path}/mlp.ms --input-shape {shape}")
    assert notebook.text.startswith(f"gs_export: --input-shape {shape} names no input with its shape.")


@pytest.mark.parametrize("magic", ["gs_convert", "gs_export"])
def test_the_help_is_a_page_with_every_option(magic, ipython):
    text = getattr(ipython.magics_manager.magics["line"][magic], "__doc__", "")
    for option in ("--output", "%gs_"):
        assert option in text


def test_loading_twice_and_unloading_leave_no_trace(ipython):
    matchers = len(ipython.Completer.custom_matchers)
    ipython.run_line_magic("reload_ext", "gsjupyter")
    assert len(ipython.Completer.custom_matchers) == matchers
    ipython.run_line_magic("unload_ext", "gsjupyter")
    assert "gs_convert" not in ipython.magics_manager.magics["line"]
    assert "gs_convert" not in ipython.magics_manager.magics["cell"]
    assert len(ipython.Completer.custom_matchers) == matchers - 1
    ipython.run_line_magic("load_ext", "gsjupyter")


def test_a_cell_takes_options_as_they_are_written_on_the_line(notebook):
    qnet = notebook(
        "%%gs_convert net x\nweights: int4\nasymmetric: true\nweight-observer: mse\n"
        "layers: {fc2: {asymmetric: false, observer: minmax}}"
    )
    assert [record.weights for record in qnet.layers] == ["uint4 per channel", "int4 per channel"]
    assert qnet.options.weight_observer == "mse"


def test_clipping_is_taken_from_the_line_and_the_cell(notebook):
    assert notebook("%gs_convert net x --weights int4 --clipping 0.8").options.clipping == 0.8
    qnet = notebook("%%gs_convert net x\nweights: int4\nclipping: 1\nlayers: {fc2: {clipping: 0.5}}")
    assert qnet.options.clipping == 1
    assert qnet.layers[1].clipped_share > qnet.layers[0].clipped_share == 0.0
