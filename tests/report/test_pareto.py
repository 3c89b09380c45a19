import pytest

from tests.report.sensitivities import SENSITIVITY, sensitivity_of

PARETO = SENSITIVITY.curve


def test_the_same_bytes_never_give_less_than_the_same_bits_everywhere():
    assert [item.bits for item in PARETO.uniform] == [2, 3, 4, 5, 6, 7, 8]
    for item in PARETO.uniform:
        assert item.sqnr_db == pytest.approx(SENSITIVITY.predict(item.bits))
        assert item.best_sqnr_db >= item.sqnr_db
    assert PARETO.uniform[2].size_bytes == 50_500


def test_the_curve_has_the_predictions_of_its_settings():
    for setting, sqnr in zip(PARETO.settings, PARETO.sqnrs_db, strict=True):
        assert sqnr == pytest.approx(SENSITIVITY.predict(setting.bits))


def test_what_is_shown():
    text = repr(PARETO)
    assert "each the best of its size" in text
    assert "404 kB in float32" in text
    assert len(PARETO.document().blocks[1].rows) == 7


def test_data_frame():
    frame = PARETO.to_pandas()
    assert list(frame.columns) == ["size_bytes", "compression", "sqnr_db", "mean_bits"]
    assert frame["size_bytes"].is_monotonic_increasing
    assert frame["sqnr_db"].is_monotonic_increasing
    assert frame["compression"].iloc[0] == pytest.approx(16)
    assert frame["mean_bits"].iloc[[0, -1]].tolist() == [2, 8]


def test_what_is_fixed_counts():
    fixed = sensitivity_of({"fc": 1.0}, {"fc": 800}, fixed_bytes=1_000).curve
    assert fixed.uniform[0].size_bytes == 1_000 + 200
    assert fixed.sizes_bytes[0] == 1_200
