import ipywidgets
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from mindspore import save_checkpoint
from traitlets.config import Config

import gsjupyter as gs
from tests.networks import MLP, TwoInputs, filled


@pytest.fixture(scope="module")
def ipython(tmp_path_factory):
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    shell = InteractiveShell.instance(ipython_dir=str(tmp_path_factory.mktemp("ipython")), config=config)
    shell.run_line_magic("load_ext", "gsjupyter")
    rng = np.random.default_rng(7)
    net, x = filled(MLP(), rng), rng.standard_normal(MLP.input_shape).astype(np.float32)
    left, right = rng.standard_normal((2, 8)).astype(np.float32), rng.standard_normal((2, 4)).astype(np.float32)
    made = gs.convert(net, x, weights="int4")
    both = filled(TwoInputs(), rng)
    shell.user_ns.update(
        net=net, MLP=MLP, x=x, batches=[3 * x], made=made, number=3, two_inputs=both, left=left, right=right
    )
    yield shell
    shell.run_line_magic("unload_ext", "gsjupyter")
    InteractiveShell.clear_instance()


@pytest.fixture
def run(ipython):
    """Give a function that runs a cell as a user would and returns the panel that it shows."""

    def panels():
        return [widget for widget in ipywidgets.widgets.widget._instances.values() if isinstance(widget, gs.Panel)]

    def run(cell):
        with capture_output() as captured:
            result = ipython.run_cell(cell)
        run.error, run.text = result.error_in_exec, captured.stdout
        run.outputs = captured.outputs
        return result.result

    run.names = ipython.user_ns
    yield run
    for panel in panels():
        panel.close()


def test_a_panel_is_shown_and_calls_things_as_the_line_does(run):
    panel = run("%gs_panel net x --calibration batches -o qnet")
    assert run.names["_"] is panel
    assert panel.code == "%gs_convert net x --weights int8 --calibration batches -o qnet"
    (output,) = run.outputs
    assert set(output.data) == {
        *("text/plain", "text/html", "application/vnd.gsjupyter.view+json"),
        "application/vnd.jupyter.widget-view+json",
    }
    assert output.data["text/plain"] == f"Panel of MLP, 2 layers\n{panel.code}"
    made = panel.apply()
    assert run.names["qnet"] is made
    assert panel.results[0]["bound_to"] == "qnet"
    names = run.names
    names["wanted"] = None
    run(panel.code.replace("-o qnet", "-o wanted"))
    assert names["wanted"].model.to_bytes() == made.model.to_bytes()


def test_without_a_name_no_conversion_is_bound(run):
    panel = run("panel = %gs_panel net x")
    assert (panel, run.outputs) == (None, [])
    panel = run.names.pop("panel")
    before = dict(run.names)
    panel.apply()
    assert run.names == before
    assert panel.code.endswith("-o qnet")


def test_a_class_with_a_checkpoint_and_several_inputs_open_as_they_convert(run, tmp_path):
    save_checkpoint(run.names["net"], str(tmp_path / "mlp.ckpt"))
    panel = run(f"%gs_panel MLP x --ckpt {tmp_path / 'mlp.ckpt'}")
    assert panel.code == f"%gs_convert MLP x --weights int8 --ckpt {tmp_path / 'mlp.ckpt'} -o qnet"
    panel.close()
    assert run("%gs_panel two_inputs left right").code == "%gs_convert two_inputs left right --weights int8 -o qnet"


@pytest.mark.parametrize("line", ["%gs_panel net x --like made", "%gs_panel made"])
def test_a_panel_opens_in_the_state_of_a_conversion(run, line):
    panel = run(line)
    assert panel.convert_options == run.names["made"].options
    assert panel.conversion is run.names["made"]
    # The conversion's source has no name in the notebook.
    wanted = "%gs_convert net x --weights int4 -o qnet" if "like" in line else "your_network"
    assert wanted in panel.code


@pytest.mark.parametrize(
    "line",
    [
        "--weights int4 --keep fc2",
        "--activations int8 --calibration batches --annotate-only",
        "--budget 2x --granularity tensor --asymmetric --equalize --bias-correction",
        "--weights int8 --rounding gptq --smooth --clipping 0.9 --full-range",
    ],
)
def test_a_panel_opens_in_the_state_that_its_line_describes(run, line):
    panel = run(f"%gs_panel net x {line}")
    converted = run(f"%gs_convert net x {line}")
    assert panel.convert_options == converted.options
    assert panel.apply().model.to_bytes() == converted.model.to_bytes()


def test_options_of_the_line_go_before_those_of_a_conversion_that_is_opened(run):
    assert run("%gs_panel made --weights int3").convert_options == gs.ConvertOptions(weights="int3")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("%gs_panel nett x", "gs_panel: there is no nett in this notebook.\nDid you mean net?"),
        ("%gs_panel net x --lke made", "gs_panel: no option --lke. Did you mean --like?"),
        ("%gs_panel net x -o net", "gs_panel: -o net would replace what the panel shows.\nGive another name."),
        ("%gs_panel net x -o 3", "gs_panel: -o needs a name to bind the result to, not '3'."),
        ("%gs_panel net x --like number", "gs_panel: --like number: int is no conversion."),
        (
            "%gs_panel net x --like made --weights int8",
            "gs_panel: --like made gives all options, so no others go beside it.\nLeave out --like, or the others.",
        ),
        ("%gs_panel net x --weights int9", "gs_panel: weights must be one of float32, float16, "),
        ("%gs_panel net", "gs_panel: to convert MLP, an example of its input is needed."),
        ("%gs_panel number x", "gs_panel: int 3 is no network."),
    ],
)
def test_a_mistake_is_told_in_words(run, line, text):
    assert run(line) is None
    assert str(run.error).startswith(text)
