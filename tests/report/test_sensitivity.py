import math

import pytest

from gsjupyter.errors import OptionError
from tests.report.samples import ATTACK
from tests.report.sensitivities import SENSITIVITY, sensitivity_of


def test_a_setting_is_predicted_in_decibel():
    error = 30 * 4.0**-8 + 4.0**-4
    assert SENSITIVITY.predict({"conv1": 8, "fc": 4}) == pytest.approx(-10 * math.log10(error))
    assert SENSITIVITY.predict(4) == pytest.approx(-10 * math.log10(31 * 4.0**-4))


def test_layers_are_shown_at_the_current_bits():
    conv, dense = SENSITIVITY.at({"conv1": 8, "fc": 4}).layers
    assert (conv.name, conv.parameters, conv.bits, conv.size_bytes) == ("conv1", 1_000, 8, 1_000)
    assert (dense.bits, dense.size_bytes) == (4, 50_000)
    assert conv.gain == pytest.approx(30)
    assert conv.alone_db == pytest.approx(-10 * math.log10(30 * 4.0**-8))
    assert conv.share + dense.share == pytest.approx(1)
    assert dense.share / conv.share == pytest.approx(4.0**4 / 30)


def test_layers_that_cannot_have_the_current_bits_take_the_nearest():
    assert {layer.bits for layer in SENSITIVITY.at(16).layers} == {8}
    assert [layer.bits for layer in SENSITIVITY.at({"fc": 3}).layers] == [8, 3]


def test_a_budget_is_spent_where_it_helps():
    allocation = SENSITIVITY.allocate("8x")
    assert allocation.size_bytes <= 4 * 101_000 / 8
    assert allocation.bits == {"conv1": 7, "fc": 3} or allocation.bits["conv1"] > allocation.bits["fc"]
    assert SENSITIVITY.allocate(10**6).bits == {"conv1": 8, "fc": 8}
    with pytest.raises(OptionError, match="the smallest takes 25,250 bytes"):
        SENSITIVITY.allocate("20x")


def test_the_first_setting_that_reaches_an_sqnr():
    curve = SENSITIVITY.curve
    index = SENSITIVITY.first_reaching(20.0)
    assert curve.sqnrs_db[index] >= 20.0 > curve.sqnrs_db[index - 1]
    assert SENSITIVITY.first_reaching(-100.0) == 0
    assert SENSITIVITY.first_reaching(1e9) == len(curve.settings) - 1


def test_what_is_shown():
    text = repr(SENSITIVITY)
    assert text.startswith("Net: sensitivity of 2 layers")
    assert "11 runs on 4 given samples, 2.2 s" in text
    assert f"int4 {SENSITIVITY.predict(4):.1f} dB" in text
    table = SENSITIVITY.table()
    assert [row["name"] for row in table.rows] == ["conv1", "fc"]
    assert {column.key for column in table.columns} <= set(table.rows[0])


def test_names_are_escaped():
    html = sensitivity_of({ATTACK: 1.0}, {ATTACK: 10}, name=ATTACK).to_html()
    assert ATTACK not in html
    assert "&lt;img" in html


def test_a_network_without_error_is_shown():
    nothing = sensitivity_of({"fc": 0.0}, {"fc": 10})
    assert nothing.layers[0].share == 0.0
    assert nothing.layers[0].alone_db == math.inf
    assert "fc" in repr(nothing)


def test_data_frame():
    frame = SENSITIVITY.at(4).to_pandas()
    assert list(frame.index) == ["conv1", "fc"]
    assert frame.loc["conv1", "bits"] == 4
    assert frame["share"].sum() == pytest.approx(1)
