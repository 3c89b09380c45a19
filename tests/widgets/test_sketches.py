"""The sketches and clippings that a browser is given, against those of the weights."""

from __future__ import annotations

import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.errors import OptionError
from gsjupyter.quantization import Scheme, WeightSketch, weight_clipping
from gsjupyter.widgets.opened import open_network
from gsjupyter.widgets.sketch_format import decode
from gsjupyter.widgets.sketches import SketchStore
from tests.networks import MLP, filled


def weight(lenet, layer):
    return lenet.network.groups[layer].weights[0].weight.array


def test_a_block_holds_the_sketches_of_the_layers_in_the_order_asked_for(lenet):
    block = lenet.sketches.block("channel", True, [3, 0])
    assert block["layers"] == [3, 0]
    assert (block["granularity"], block["symmetric"]) == ("channel", True)
    for layer, found in zip((3, 0), decode(block["data"]), strict=True):
        expected = WeightSketch.of(weight(lenet, layer), 0, "channel")
        assert found.sqnr_db(4) == pytest.approx(expected.sqnr_db(4), abs=1e-3)
        assert found.size == expected.size


def test_a_sketch_is_made_once(lenet, monkeypatch):
    store = SketchStore(lenet.network)
    first = store.sketch(1, "tensor", symmetric=False)
    monkeypatch.setattr(WeightSketch, "of", None)
    assert store.sketch(1, "tensor", symmetric=False) is first
    assert store.clippings("minmax", "tensor", False, True, [1])["ratios"] == {"1": [1.0] * 7}


def test_only_a_few_kinds_of_grids_are_kept(lenet):
    store = SketchStore(lenet.network)
    first = store.sketch(0, "channel", symmetric=True)
    for size in range(5, 11):
        store.sketch(0, f"group:{size}", symmetric=True)
    assert store.sketch(0, "channel", symmetric=True) is not first


@pytest.mark.parametrize("observer", ["minmax", "percentile", "mse", "entropy"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_clippings_are_what_the_observer_chooses(lenet, observer, symmetric):
    table = lenet.sketches.clippings(observer, "tensor", symmetric, False, [1, 4])
    assert {name: table[name] for name in ("observer", "granularity", "symmetric", "narrow_range")} == {
        "observer": observer,
        "granularity": "tensor",
        "symmetric": symmetric,
        "narrow_range": False,
    }
    assert list(table["ratios"]) == ["1", "4"]
    for layer in (1, 4):
        sketch = WeightSketch.of(weight(lenet, layer), 0, "tensor", symmetric=symmetric)
        schemes = [Scheme(bits, symmetric, False, "tensor") for bits in range(2, 9)]
        assert table["ratios"][str(layer)] == [weight_clipping(sketch, scheme, observer) for scheme in schemes]


def test_asymmetric_grids_have_no_narrow_range(lenet):
    narrow, wide = (lenet.sketches.clippings("mse", "channel", False, narrow, [1]) for narrow in (True, False))
    assert narrow["ratios"] == wide["ratios"]


def test_layers_that_no_option_changes_are_left_out(rng):
    network, x = filled(MLP(), rng), rng.standard_normal((3, 8)).astype(np.float32)
    model = gs.convert(network, x, weights="int8", keep="fc2").model
    store = SketchStore(open_network(model, x))
    assert store.block("channel", True, [0, 1])["layers"] == [1]
    assert list(store.clippings("percentile", "channel", True, True, [0, 1])["ratios"]) == ["1"]


def test_what_does_not_exist_is_refused(lenet):
    with pytest.raises(OptionError, match="granularity"):
        lenet.sketches.block("row", True, [0])
    with pytest.raises(OptionError, match="observer"):
        lenet.sketches.clippings("median", "channel", True, True, [0])
