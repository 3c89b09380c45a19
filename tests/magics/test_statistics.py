import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import gsjupyter as gs
from gsjupyter.layer_errors import layer_errors
from gsjupyter.report import Layers
from tests.networks import LeNet, filled, random_input

LAYERS = ["conv1", "conv2", "classifier.0", "classifier.2", "classifier.4"]


@pytest.fixture(scope="module")
def ipython(tmp_path_factory):
    """Give a shell with a conversion in it, which no cell of a test changes."""
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}})
    shell = InteractiveShell.instance(ipython_dir=str(tmp_path_factory.mktemp("ipython")), config=config)
    shell.run_line_magic("load_ext", "gsjupyter")
    rng = np.random.default_rng(7)
    network = filled(LeNet(), rng)
    x = random_input(network, rng)
    qnet = gs.convert(network, x, weights="int8", activations="int8", keep=["classifier.4"])
    shell.user_ns.update(net=network, x=x, qnet=qnet, other=-x, short=x[:, :, :20])
    yield shell
    shell.run_line_magic("unload_ext", "gsjupyter")
    InteractiveShell.clear_instance()


@pytest.fixture
def run(ipython):
    """Give a function that runs a cell as a user would."""

    def run(cell):
        with capture_output() as captured:
            result = ipython.run_cell(cell)
        run.error = result.error_in_exec
        run.text = captured.stdout  # progress goes to stderr
        return result.result

    run.names = ipython.user_ns
    return run


def names(layers):
    return [record.name for record in layers]


def test_every_figure_of_every_layer_is_shown(run):
    layers = run("%gs_stats qnet")
    assert isinstance(layers, Layers)
    assert names(layers) == LAYERS
    for heading in ("Levels used", "Outlier ratio", "RMSE / scale", "Cosine", "Inputs clipped", "Input SQNR (dB)"):
        assert heading in run.text
    assert run.names["_"] is layers


def test_layers_are_sorted_the_worst_first_and_cut(run):
    ratios = [record.sqnr_db for record in run("%gs_stats qnet --sort sqnr --top 3")]
    assert ratios == sorted(record.sqnr_db for record in run.names["qnet"].layers[:4])[:3]
    assert names(run("%gs_stats qnet --sort size --top 1")) == ["classifier.0"]
    assert names(run("%gs_stats qnet --top 0")) == []


def test_layers_are_filtered_by_name_and_glob(run):
    assert names(run("%gs_stats qnet --filter 'conv*' classifier.4")) == ["conv1", "conv2", "classifier.4"]
    assert names(run("%gs_stats qnet --filter classifier.* --sort name --top 2")) == ["classifier.0", "classifier.2"]


def test_the_table_can_be_bound_to_a_name(run):
    assert run("%gs_stats qnet --filter conv* -o table") is None
    assert run.text == "table: 2 layers of LeNet\n"
    assert names(run.names["table"]) == ["conv1", "conv2"]
    assert run.names["table"].to_pandas().loc["conv1", "levels_used"] > 0.1


def test_errors_are_measured_on_the_given_input(run):
    layers = run("%gs_stats qnet x --errors --sort isolated")
    assert run.error is None
    qnet, x = run.names["qnet"], run.names["x"]
    wanted = {error.name: error for error in layer_errors(qnet.float_model, qnet.model, x)}
    for record in layers:
        assert record.isolated_sqnr_db == wanted[record.name].isolated_sqnr_db
        assert record.accumulated_sqnr_db == wanted[record.name].accumulated_sqnr_db
    measured = [record.isolated_sqnr_db for record in layers[:4]]
    assert measured == sorted(measured)
    assert layers[4].isolated_sqnr_db is None
    assert "Accumulated (dB)" in run.text


def test_errors_are_measured_on_the_verified_input_by_default(run):
    measured = run("%gs_stats qnet --errors")
    assert list(measured) == list(run("%gs_stats qnet x --errors"))
    other = run("%gs_stats qnet other --errors")
    assert [record.accumulated_sqnr_db for record in other] != [record.accumulated_sqnr_db for record in measured]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%gs_stats qnet --sort sqrn", "gs_stats: the table has no column 'sqrn'.\nDid you mean sqnr?"),
        ("%gs_stats qnet x --errors --sort sqrn", "gs_stats: the table has no column 'sqrn'."),
        ("%gs_stats qnet --filter cnv1", "gs_stats: no layer of the table matches 'cnv1'.\nDid you mean conv1?"),
        ("%gs_stats qnet --top -1", "gs_stats: the number of layers can't be -1."),
        ("%gs_stats qnet --top many", "gs_stats: argument --top: invalid int value: 'many'"),
        ("%gs_stats qent", "gs_stats: there is no qent in this notebook.\nDid you mean qnet?"),
        ("%gs_stats net", "gs_stats: LeNet is no conversion.\nConvert it first"),
        ("%gs_stats", "gs_stats: the following arguments are required: conversion"),
        ("%gs_stats qnet --sotr sqnr", "gs_stats: no option --sotr. Did you mean --sort?"),
        ("%gs_stats qnet x", "gs_stats: x is only needed with --errors."),
        ("%gs_stats qnet xx --errors", "gs_stats: there is no xx in this notebook."),
        ("%gs_stats qnet short --errors", "gs_stats: input x of LeNet has shape"),
        ("%gs_stats qnet x x --errors", "gs_stats: LeNet takes 1 input"),
        ("%gs_stats qnet -o 'a b'", "gs_stats: -o needs a name to bind the result to, not 'a b'."),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(run, cell, message):
    assert run(cell) is None
    assert run.error is not None
    assert run.text.startswith(message)
    assert "Traceback" not in run.text
