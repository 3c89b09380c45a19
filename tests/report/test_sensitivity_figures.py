import numpy as np
import pytest
from matplotlib import pyplot as plt

from tests.report.sensitivities import SENSITIVITY, sensitivity_of


@pytest.fixture(autouse=True)
def closed_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


def test_each_layer_has_a_bar_as_high_as_its_share():
    axes = SENSITIVITY.at(4).plot()
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([100 * 30 / 31, 100 / 31])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["conv1", "fc"]
    assert "%" in axes.get_ylabel()


def test_the_curve_is_drawn_with_the_same_bits_beside_it():
    axes = SENSITIVITY.curve.plot()
    curve, uniform = axes.lines
    np.testing.assert_allclose(curve.get_xdata(), SENSITIVITY.curve.sizes_bytes / 1e3)
    np.testing.assert_allclose(curve.get_ydata(), SENSITIVITY.curve.sqnrs_db)
    assert len(uniform.get_xdata()) == 7
    assert [text.get_text() for text in axes.texts] == list("2345678")
    assert "(kB)" in axes.get_xlabel()
    assert "(dB)" in axes.get_ylabel()


def test_a_chosen_setting_is_pointed_out():
    chosen = SENSITIVITY.allocate("8x")
    star = SENSITIVITY.curve.plot(mark=[chosen]).lines[-1]
    assert star.get_xdata() == pytest.approx([chosen.size_bytes / 1e3])
    assert star.get_ydata() == pytest.approx([SENSITIVITY.predict(chosen.bits)])


def test_the_users_own_axes_are_drawn_on():
    _, axes = plt.subplots(1, 2)
    assert SENSITIVITY.plot(axes[0]) is axes[0]
    assert SENSITIVITY.curve.plot(axes[1]) is axes[1]
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", ["$", "a$b$c_d^e", r"\frac", "<img>"])
def test_any_name_can_be_drawn(name, tmp_path):
    axes = sensitivity_of({name: 1.0}, {name: 10}).plot()
    axes.figure.savefig(tmp_path / "figure.png")
    assert axes.get_xticklabels()[0].get_text() == name


def test_a_network_without_error_can_be_drawn(tmp_path):
    nothing = sensitivity_of({"fc": 0.0}, {"fc": 10})
    nothing.plot().figure.savefig(tmp_path / "shares.png")
    nothing.curve.plot().figure.savefig(tmp_path / "curve.png")
