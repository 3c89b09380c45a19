"""The panel without a kernel: what it does and says, asked from Python and by the messages of a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import comm
import ipywidgets
import numpy as np
import pytest
from mindspore import nn, save_checkpoint

import gsjupyter as gs
from gsjupyter.errors import CalibrationError, OptionError, SourceError, UnsupportedError, WriteError
from gsjupyter.widgets import panel as opening
from gsjupyter.widgets.names import Names
from gsjupyter.widgets.options_data import RefusedOptionError, defaults
from gsjupyter.widgets.panel_state import STATE
from gsjupyter.widgets.snapshot import as_json
from tests.networks import MLP, filled, state

ATTACK = "<img src=x onerror=alert(1)>"
NAMES = Names(source="net", inputs="x")


@pytest.fixture(scope="module")
def net():
    return filled(MLP(), np.random.default_rng(7))


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(8).standard_normal(MLP.input_shape).astype(np.float32)


@pytest.fixture
def opened(net, x):
    """Open panels, and see that closing them leaves nothing open."""
    panels = []
    before = dict(comm.get_comm_manager().comms)

    def open_panel(*arguments, **settings):
        panels.append(gs.panel(*arguments or (net, x), **{"names": NAMES, **settings}))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.close()
    assert comm.get_comm_manager().comms == before
    assert not [widget for widget in ipywidgets.widgets.widget._instances.values() if isinstance(widget, gs.Panel)]


@pytest.fixture
def panel(opened):
    return opened()


def message(panel, **data):
    panel._handle_msg({"content": {"data": data}, "buffers": []})


def send(panel, command, **fields):
    message(panel, method="custom", content={"command": command, **fields})
    return panel.problem


def test_what_a_browser_asks_for_by_itself_takes_no_options_back(panel):
    panel.options = {"weights": "int4"}
    send(panel, "ready", options={"weights": "int8"})
    assert panel.options["weights"] == "int4"


def test_a_panel_opens_with_all_that_sliders_need(panel, net):
    assert panel.options == {**defaults(), "weights": "int8"}
    assert panel.convert_options == gs.ConvertOptions(weights="int8")
    assert panel.code == "%gs_convert net x --weights int8 -o qnet"
    assert [layer["name"] for layer in panel.network["layers"]] == ["fc1", "fc2"]
    assert [(block["granularity"], block["symmetric"], block["layers"]) for block in panel.sketches] == [
        ("channel", True, [0, 1])
    ]
    assert [item["layer"] for item in panel.sensitivity["layers"]] == [0, 1]
    assert panel.sensitivity["activation_error"] > 0
    assert repr(panel) == f"Panel of MLP: 2 layers; {panel.code}; nothing applied yet"


def test_the_state_is_that_of_the_browser_in_strict_json(panel):
    text = Path(__file__).parents[2].joinpath("labextension/src/panel/types.ts").read_text("utf-8")

    def fields(name):
        definition = text[text.index(f"export interface {name} {{") :].partition("\n}")[0]
        return set(re.findall(r"^  (\w+):", definition, re.MULTILINE))

    panel.apply()
    shown = panel.state()
    assert set(STATE) == set(shown) == fields("PanelState")
    assert set(shown["task"]) == fields("Task")
    assert set(shown["benchmark"]) == fields("BenchmarkState")
    assert set(shown["results"][0]) == fields("Result")
    assert set(shown["results"][0]["layers"]["0"]) == fields("LayerResult")
    assert set(STATE) <= set(panel.keys)
    json.dumps(as_json(shown), allow_nan=False)


def test_apply_converts_as_gs_convert_does_and_shows_the_truth_beside_the_prediction(panel, net, x):
    before = state(net)
    panel.options = {"weights": "int4", "layers": {"fc2": {"weights": "int8"}}}
    made = panel.apply()
    wanted = gs.convert(net, x, weights="int4", layers={"fc2": "int8"})
    assert made.model.to_bytes() == wanted.model.to_bytes()
    assert made is panel.conversion is panel.conversions[1]
    result = panel.results[0]
    assert result["sqnr_db"] == made.verification.sqnr_db
    assert result["predicted_db"] == pytest.approx(result["sqnr_db"], abs=3)
    assert result["code"] == panel.code
    assert panel.code == "%%gs_convert net x -o qnet\nweights: int4\nlayers:\n  fc2: int8"
    assert "1 applied, the last: MLP: int4 and int8 weights, SQNR" in repr(panel)
    assert state(net) == before


def test_the_last_eight_results_are_kept_with_their_conversions(panel):
    for _ in range(10):
        send(panel, "apply", predicted_db=None)
    assert [result["number"] for result in panel.results] == list(range(3, 11)) == list(panel.conversions)
    assert panel.conversion is panel.conversions[10]


def test_options_that_cannot_be_read_are_told_in_place_and_nothing_is_applied_until_they_can(panel):
    message(panel, method="update", state={"options": {"weights": "int4"}, "language": "zh"})
    message(panel, method="update", state={"options": {"weights": "int4", "clipping": 7}, "language": "klingon"})
    assert panel.problem == {
        "command": "options",
        "message": "clipping must be more than 0 and 1 at most, not 7.0.",
        "advice": "0.8 keeps four fifths of each range; leave it out to let the observer choose.",
        "option": "clipping",
    }
    assert (panel.convert_options, panel.language) == (gs.ConvertOptions(weights="int4"), "zh")
    assert send(panel, "apply", predicted_db=None)["option"] == "clipping"
    with pytest.raises(RefusedOptionError):
        panel.apply()
    assert panel.results == []
    # Back to what they were, which changes no trait.
    message(panel, method="update", state={"options": {"weights": "int4"}})
    assert panel.problem is None
    assert panel.apply().options.weights == "int4"


def test_the_browser_says_whether_the_output_may_change_under_its_hands(panel):
    for in_place in (False, True):
        assert send(panel, "ready", in_place=in_place) is None
        assert panel._view.is_drawn_in_place is in_place


def test_what_goes_wrong_twice_in_a_row_is_told_twice(panel):
    told = []
    panel.observe(lambda change: told.append(change["new"]), "problem")
    for _ in range(2):
        message(panel, method="update", state={"options": {"weights": "int9"}})
    first, second = [problem for problem in told if problem is not None]
    assert first == second
    assert told[-2:] == [None, second]


def test_the_browser_can_set_nothing_but_options_and_language(panel):
    before = {name: panel.state()[name] for name in STATE if name != "problem"}
    message(panel, method="update", state={"network": {}, "results": [1], "code": "%rm", "_esm": "evil", "task": 3})
    for data in (
        {},
        {"method": "update", "state": 3},
        {"method": "custom"},
        {"method": ["custom"]},
        {"method": "else"},
    ):
        message(panel, **data)
    panel._handle_msg({"content": {"data": [1]}, "buffers": []})
    panel._handle_msg({"content": {}, "buffers": []})
    assert {name: panel.state()[name] for name in STATE if name != "problem"} == before
    assert panel._esm != "evil"


@pytest.mark.parametrize(
    ("command", "fields", "text"),
    [
        ("aply", {}, "Did you mean apply?"),
        ("sketch", {"layers": "all"}, "sketch lacks granularity."),
        ("export", {"path": "a.mindir", "overwrite": False, "float16": False}, "there is no conversion to export yet."),
        ("refine", {}, "without a budget there are no bits to choose."),
    ],
)
def test_what_cannot_be_done_is_told_in_words(panel, command, fields, text):
    problem = send(panel, command, **fields)
    assert problem["command"] == command
    assert text in f"{problem['message']} {problem['advice']}"


def test_an_error_of_the_users_own_code_is_told_with_its_kind_and_kept(opened, net, x):
    class Batches:
        fails = False

        def __iter__(self):
            if self.fails:
                raise ZeroDivisionError(ATTACK)
            yield x

    batches = Batches()
    panel = opened(net, x, calibration=batches)
    panel.options = {"weights": "int8", "activations": "int8"}
    batches.fails = True
    problem = send(panel, "apply", predicted_db=None)
    assert (problem["message"], panel.task["state"]) == (f"ZeroDivisionError: {ATTACK}", "failed")
    assert isinstance(panel.error, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        panel.apply()
    assert (panel.results, panel.conversion) == ([], None)
    batches.fails = False
    panel.apply()
    assert panel.problem is None


def test_export_writes_the_last_conversion_and_replaces_nothing_unasked(panel, tmp_path):
    panel.apply()
    path = tmp_path / "mlp.mindir"
    assert send(panel, "export", path=f" {path} ", overwrite=False, float16=False) is None
    assert [item["path"] for item in panel.exported] == [str(path)]
    assert gs.load(path)(np.zeros(MLP.input_shape, np.float32)).shape == (3, 4)
    problem = send(panel, "export", path=str(path), overwrite=False, float16=False)
    # The panel has a switch for it, which it names itself.
    assert "mlp.mindir exists" in problem["message"]
    assert problem["option"] == "overwrite"
    with pytest.raises(WriteError):
        panel.export(path)
    panel.export(path, overwrite=True)
    panel.export(tmp_path / "other.mindir")
    assert [item["path"] for item in panel.exported] == [str(path), str(tmp_path / "other.mindir")]
    keys = [subject["key"] for subject in panel.benchmark["subjects"]]
    assert keys == ["source", "result:1", f"file:{path}", f"file:{tmp_path / 'other.mindir'}"]
    assert "the file has no name" in send(panel, "export", path=" ", overwrite=True, float16=False)["message"]


def test_sketches_come_for_the_layers_and_grids_that_were_asked_for(panel):
    asked = {"granularity": "group:4", "symmetric": False, "narrow_range": True, "observer": "mse"}
    assert send(panel, "sketch", **asked, layers=[1, 1]) is None
    assert [block["layers"] for block in panel.sketches] == [[0, 1], [1]]
    assert [list(table["ratios"]) for table in panel.clippings] == [["1"]]
    assert len(panel.clippings[0]["ratios"]["1"]) == 7
    # More of the same grid takes the place of what it holds.
    assert send(panel, "sketch", **asked, layers=[0, 1]) is None
    assert [block["layers"] for block in panel.sketches] == [[0, 1], [0, 1]]
    assert [list(table["ratios"]) for table in panel.clippings] == [["0", "1"]]
    assert "layers must be numbers below 2" in send(panel, "sketch", **asked, layers=[2])["message"]


def test_a_budget_is_refined_by_the_exact_search_as_the_conversion_does(panel):
    panel.options = {"budget": "2.7x"}
    assert send(panel, "refine") is None
    assert panel.refinement["options"] == panel.options
    chosen = panel.apply().sensitivity.current
    assert panel.refinement["bits"] == {"0": chosen["fc1"], "1": chosen["fc2"]}
    assert panel.results[0]["weight_bytes"] == panel.refinement["size_bytes"] <= 4 * 192 / 2.7


def test_what_takes_long_to_measure_waits_for_a_press(opened, monkeypatch):
    monkeypatch.setattr(opening, "MEASURED_AT_ONCE_S", 0.0)
    panel = opened()
    assert panel.sensitivity is None
    assert 0 < panel.measuring_s < 60
    panel.options = {"budget": "6x"}
    assert "Measure the layers first" in send(panel, "refine")["advice"]
    assert send(panel, "measure") is None
    assert len(panel.sensitivity["layers"]) == 2
    # Bits are left open, so that what was measured serves when a layer is set otherwise.
    panel.options = {"layers": {"fc1": {"weights": "float32"}, "fc2": {"weights": "int4", "symmetric": False}}}
    panel.measure()
    assert [len(item["measured"]) for item in panel.sensitivity["layers"]] == [7, 7]
    assert panel.sensitivity["options"]["layers"] == {"fc1": {"activations": "float32"}, "fc2": {"symmetric": False}}


def test_a_network_without_layers_has_a_panel_all_the_same(opened):
    panel = opened(nn.ReLU(), np.ones((2, 3), np.float32))
    assert (panel.network["layers"], panel.sensitivity) == ([], None)
    assert "no layer whose weight could be quantized" in send(panel, "measure")["message"]
    assert panel.apply().verification.max_abs_error == 0


def test_a_conversion_opens_in_the_state_that_made_it(opened, net, x):
    made = gs.convert(net, x, weights="int4", granularity="group:4", layers={"fc2": "float32"})
    again = opened(made)
    assert (again.convert_options, again.conversion) == (made.options, made)
    assert again.results[0]["layers"]["0"]["weights"] == made.layers[0].weights
    assert again.apply().model.to_bytes() == made.model.to_bytes()
    beside = opened(net, x, like=made)
    assert (beside.convert_options, beside.conversion, len(beside.results)) == (made.options, made, 1)
    elsewhere = opened(net, x + 1, like=made)
    assert (elsewhere.convert_options, elsewhere.results) == (made.options, [])
    with pytest.raises(SourceError, match="like must be a conversion, not MLP"):
        opened(net, x, like=net)


def test_a_checkpoint_and_a_file_open_and_apply_as_they_convert(opened, net, x, tmp_path):
    save_checkpoint(net, str(tmp_path / "mlp.ckpt"))
    panel = opened(MLP, x, ckpt=tmp_path / "mlp.ckpt")
    wanted = gs.convert(MLP, x, ckpt=tmp_path / "mlp.ckpt", weights="int8")
    assert panel.apply().model.to_bytes() == wanted.model.to_bytes()
    gs.export(gs.convert(net, x), tmp_path / "mlp.mindir")
    file = opened(tmp_path / "mlp.mindir")
    assert file.apply().model.to_bytes() == gs.convert(tmp_path / "mlp.mindir", weights="int8").model.to_bytes()


def test_data_that_can_be_read_once_is_refused(net, x):
    with pytest.raises(CalibrationError, match="an iterator can be read once only"):
        gs.panel(net, x, calibration=iter([x]))


def test_hostile_names_are_text_in_what_is_kept(opened, rng):
    network = nn.SequentialCell()
    network.append(filled(nn.Dense(4, 4), rng))
    network.insert_child_to_cell(ATTACK, filled(nn.Dense(4, 3), rng))
    network.cell_list = tuple(network._cells.values())
    panel = opened(network, np.ones((2, 4), np.float32))
    panel.apply()
    names = [layer["name"] for layer in panel.network["layers"]]
    assert ATTACK in names
    panel.options = {"weights": "int8", "layers": {ATTACK: {"weights": "float32"}}}
    assert panel.apply().layers[names.index(ATTACK)].weights == "float32"
    data = panel._view._bundle()
    assert ATTACK not in data["text/html"]


def test_a_benchmark_measures_what_was_chosen_and_says_how_far_it_is(panel):
    panel.apply()
    asked = {"engines": ["onnxruntime"], "targets": ["cpu"], "batches": [], "threads": [1], "launches": 1}
    problem = send(panel, "benchmark", subjects=["result:9"], **asked, duration_s=0.02)
    assert (problem["command"], panel.benchmark["state"]) == ("benchmark", "none")
    seen = []
    panel.observe(lambda change: seen.append((change["new"]["state"], change["new"]["live"])), "benchmark")
    assert send(panel, "benchmark", subjects=["result:1"], **asked, duration_s=0.02) is None
    assert (panel.benchmark["state"], panel.task["state"]) == ("complete", "done")
    assert any(state == "running" and live.startswith("benchmark of 1 row") for state, live in seen)
    assert [row.setting.subject for row in panel.benchmark_result.rows] == ["#1 int8 weights"]
    assert panel.benchmark["document"] == json.loads(json.dumps(panel.benchmark_result.document().to_json()))


def test_jobs_of_two_panels_do_not_wait_for_each_other(opened):
    one, other = opened(), opened()

    def work():
        return other.apply()

    assert one._jobs.run(type(one._work.apply())("apply", work)) is other.conversion
    with pytest.raises(UnsupportedError, match="does one thing at a time"):
        one._jobs.run(type(one._work.apply())("apply", one.apply))


def test_from_python_wrong_options_raise_and_change_nothing(panel):
    before = panel.options
    with pytest.raises(OptionError, match="Did you mean weights"):
        panel.options = {"weigths": "int4"}
    assert panel.options == before
    panel.convert_options = gs.ConvertOptions(weights="int2")
    assert panel.options["weights"] == "int2"
