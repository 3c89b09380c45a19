from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.report import LayerRecord
from gsjupyter.widgets.names import Names
from gsjupyter.widgets.network_data import network_data
from gsjupyter.widgets.opened import open_network
from gsjupyter.widgets.results import decibel_data, exported_data, is_of, layer_results, result_data
from tests.networks import MLP, filled


@pytest.fixture(scope="module")
def made():
    """Give a network, its input, what a panel knows of it, and a conversion."""
    rng = np.random.default_rng(3)
    net, x = filled(MLP(), rng), rng.standard_normal(MLP.input_shape).astype(np.float32)
    network = network_data(open_network(net, x), Names(source="net").to_json())
    return net, x, network, gs.convert(net, x, weights="int8", activations="int8", layers={"fc2": "float32"})


def test_a_decibel_is_a_number_inf_or_nothing():
    assert [decibel_data(value) for value in (31.25, math.inf, -math.inf, math.nan, None)] == [
        *(31.25, "inf", None, None, None),
    ]


def test_a_result_holds_what_was_found_in_the_browsers_words(made):
    _, _, network, conversion = made
    result = result_data(conversion, network, number=3, code="%gs_convert net x", bound_to="qnet", predicted_db=40.0)
    first, second = conversion.layers
    assert result["layers"] == {
        "0": {
            "weights": first.weights,
            "activations": first.activations,
            "bytes": first.bytes_after,
            "sqnr_db": first.sqnr_db,
            "input_sqnr_db": first.activation_sqnr_db,
            "clipped_share": 0.0,
            "error_share": None,
            "rmse_over_scale": pytest.approx(12**-0.5, abs=0.05),
            "note": "",
        },
        "1": {
            "weights": "float32",
            "activations": "float32",
            "bytes": 4 * 16 * 4,
            "sqnr_db": None,
            "input_sqnr_db": None,
            "clipped_share": None,
            "error_share": None,
            "rmse_over_scale": None,
            "note": second.note,
        },
    }
    assert result["weight_bytes"] == first.bytes_after + second.bytes_after
    assert (result["source_bytes"], result["size_bytes"]) == (conversion.source.size_bytes, conversion.model.size_bytes)
    assert result["sqnr_db"] == conversion.verification.sqnr_db
    assert result["options"]["layers"] == {"fc2": {"weights": "float32"}}
    assert (result["number"], result["bound_to"], result["predicted_db"]) == (3, "qnet", 40.0)
    assert result["document"]["title"] == result["title"] == "MLP: int8 weights, int8 activations"


def test_the_report_of_a_result_leaves_out_the_chart_that_the_panel_has_anyway(made):
    *_, network, conversion = made
    result = result_data(conversion, network, number=1, code="")
    kinds = [block["type"] for block in conversion.document().to_json()["blocks"]]
    assert kinds.count("layers") == 1
    assert [block["type"] for block in result["document"]["blocks"]] == [kind for kind in kinds if kind != "layers"]


def record(name, parameters, before, after, **figures):
    return LayerRecord(name, "MatMul", (parameters,), parameters, "int8", "float32", before, after, **figures)


def layer(names, parameters, **figures):
    return {"names": names, "parameters": parameters, "float_bytes": 4 * parameters, **figures}


def test_a_shared_weight_counts_once_and_a_layer_without_a_record_is_left_out():
    records = [record("a", 100, 400, 110, error_share=0.25), record("b", 100, 400, 110, error_share=0.25)]
    found = layer_results(records, [layer(["gone"], 10), layer(["a", "b"], 100)])
    assert list(found) == ["1"]
    assert (found["1"]["bytes"], found["1"]["error_share"]) == (110, 0.25)


def test_of_several_weights_under_one_name_all_count():
    found = layer_results([record("lstm", 100, 400, 100)], [layer(["lstm"], 300)])
    assert found["0"]["bytes"] == 300


def test_a_weight_that_came_in_integers_takes_what_it_took():
    found = layer_results([record("fc", 100, 400, 104)], [{**layer(["fc"], 100), "float_bytes": 104}])
    assert found["0"]["bytes"] == 104


def test_a_conversion_is_of_the_network_and_input_it_was_made_from_and_of_no_other(made):
    _, x, network, conversion = made
    assert is_of(conversion, network, (x,))
    assert not is_of(conversion, network, (x + 1,))
    assert not is_of(conversion, network, (x, x))
    assert not is_of(conversion, {**network, "layers": network["layers"][:1]}, (x,))
    assert not is_of(conversion, {**network, "layers": []}, (x,))
    first = network["layers"][0]
    assert not is_of(conversion, {**network, "layers": [{**first, "shape": [1, 2]}, network["layers"][1]]}, (x,))
    # Trained on since then.
    trained = {**first, "low": 2 * first["low"], "high": 2 * first["high"]}
    assert not is_of(conversion, {**network, "layers": [trained, network["layers"][1]]}, (x,))
    balanced = replace(conversion, options=gs.ConvertOptions(weights="int8", equalize=True))
    assert is_of(balanced, {**network, "layers": [trained, network["layers"][1]]}, (x,))


def test_an_exported_file_is_told_with_its_place_and_size(made, tmp_path):
    artifact = gs.export(made[-1], tmp_path / "mlp.mindir")
    assert exported_data(artifact) == {
        "path": str(tmp_path / "mlp.mindir"),
        "size_bytes": (tmp_path / "mlp.mindir").stat().st_size,
        "summary": "mlp.mindir: MLP, int8 weights, int8 activations",
    }
