from configparser import ConfigParser

import numpy as np
import pytest

from gsjupyter.conversion import convert
from gsjupyter.errors import OptionError, UnsupportedError
from gsjupyter.formats.lite import LiteScheme, LiteSettings, configuration_text, lite_scheme
from gsjupyter.options import ConvertOptions
from tests.networks import LeNet

CONV1 = "Default/conv1-Conv2d/Conv2D-op0"
LAST = "Default/classifier-SequentialCell/4-Dense/MatMul-op0"
FILES = ({"x": "calibration/input0"}, 8)


@pytest.fixture(scope="module")
def lenet():
    return convert(LeNet(), np.zeros(LeNet.input_shape, np.float32)).float_model


@pytest.fixture
def scheme(lenet):
    """Give Lite's scheme for a conversion's options."""

    def of(quantization, device="cpu", **options):
        return lite_scheme(LiteSettings(device=device, quantization=quantization), ConvertOptions(**options), lenet)

    return of


def parsed(text):
    """Read a configuration as any reader of such files does."""
    reader = ConfigParser(interpolation=None, strict=True, delimiters=("=",), comment_prefixes=("#",))
    reader.optionxform = str
    reader.read_string(text)
    return {name: dict(reader[name]) for name in reader.sections()}


def test_weights_are_all_quantized_whatever_their_size(scheme):
    assert parsed(configuration_text(scheme("weight", weights="int4"))) == {
        "common_quant_param": {
            "quant_type": "WEIGHT_QUANT",
            "bit_num": "4",
            "min_quant_weight_size": "0",
            "min_quant_weight_channel": "0",
        }
    }


def test_full_quantization_reads_its_data(scheme):
    found = scheme("full", weights="int8", activations="int8", bias_correction=True)
    assert parsed(configuration_text(found, *FILES)) == {
        "common_quant_param": {"quant_type": "FULL_QUANT", "bit_num": "8"},
        "data_preprocess_param": {
            "calibrate_path": "x:calibration/input0",
            "calibrate_size": "8",
            "input_type": "BIN",
        },
        "full_quant_param": {
            "activation_quant_method": "MAX_MIN",
            "bias_correction": "true",
            "per_channel": "true",
        },
    }
    assert found.notes == ()


def test_dynamic_quantization_needs_nothing_more(scheme):
    assert parsed(configuration_text(scheme("dynamic", weights="int8"))) == {
        "common_quant_param": {"quant_type": "DYNAMIC_QUANT", "bit_num": "8"}
    }


def test_a_conversion_that_quantizes_nothing_gets_lites_eight_bits(scheme):
    found = scheme("weight")
    assert (found.bits, found.skipped, found.per_channel) == (8, (), True)


@pytest.mark.parametrize("quantization", ["weight", "full", "dynamic"])
def test_layers_kept_in_float_are_skipped_by_the_names_of_their_operators(scheme, quantization):
    found = scheme(quantization, weights="int8", layers={"conv1": "float32", "*.4": "float16"})
    assert found.skipped == (CONV1, LAST)
    assert parsed(configuration_text(found, *FILES))["common_quant_param"]["skip_quant_node"] == f"{CONV1},{LAST}"


def test_layers_that_are_not_named_are_skipped_where_a_few_are_quantized(scheme):
    found = scheme("weight", layers={"conv2": "int6"})
    assert found.bits == 6
    assert CONV1 in found.skipped
    assert len(found.skipped) == 4


@pytest.mark.parametrize(
    ("observer", "method", "told"),
    [
        ("minmax", "MAX_MIN", False),
        ("entropy", "KL", False),
        ("percentile", "REMOVAL_OUTLIER", True),
        ("mse", "REMOVAL_OUTLIER", True),
    ],
)
def test_each_observer_has_its_nearest_method(scheme, observer, method, told):
    found = scheme("full", weights="int8", activations="int8", activation_observer=observer)
    assert found.activation_method == method
    assert any(f"no observer {observer}" in note for note in found.notes) == told


def test_one_scale_for_a_tensor_is_said_where_it_can_be(scheme):
    found = scheme("full", weights="int8", granularity="tensor")
    assert parsed(configuration_text(found, *FILES))["full_quant_param"]["per_channel"] == "false"


def test_ascend_is_named_as_the_target_and_nothing_else_is(scheme):
    assert scheme("full", device="ascend", weights="int8").target == "ASCEND"
    assert scheme("full", device="gpu", weights="int8").target == ""
    text = configuration_text(scheme("full", device="ascend", weights="int8"), *FILES)
    assert parsed(text)["full_quant_param"]["target_device"] == "ASCEND"


@pytest.mark.parametrize(
    ("quantization", "options", "words", "advice"),
    [
        ("weight", {"budget": "4x"}, "chosen them layer by layer", "weights=int8"),
        ("full", {"max_drop": "30dB"}, "chosen them layer by layer", "weights=int8"),
        ("weight", {"weights": "int8", "layers": {"conv1": "int4"}}, "the same bits in all layers", "the same bits"),
        ("full", {"weights": "int4"}, "full quantization has 8 bits, and this conversion 4", "quantization=weight"),
        ("dynamic", {"weights": "int6"}, "dynamic quantization has 8 bits, and this conversion 6", "weights=int8"),
        ("weight", {"weights": "int8", "granularity": "group:64"}, "none for group:64", "granularity=channel"),
        ("weight", {"weights": "int8", "granularity": "tensor"}, "have one for their tensor", "granularity=channel"),
        (
            "full",
            {"weights": "int8", "layers": {"conv1": {"granularity": "tensor"}}},
            "each channel in all layers, and here layers have one for their tensor",
            "granularity=channel",
        ),
        ("none", {"weights": "int8"}, "quantization=none needs no configuration", ""),
        ("carried", {"weights": "int8"}, "quantization=carried needs no configuration", ""),
    ],
)
def test_what_lite_cannot_express_is_refused(scheme, quantization, options, words, advice):
    with pytest.raises(OptionError, match=words) as caught:
        scheme(quantization, **options)
    assert advice in caught.value.advice


def test_a_conversion_that_keeps_all_layers_has_nothing_to_quantize(scheme):
    with pytest.raises(UnsupportedError, match="no layer is left for MindSpore Lite to quantize"):
        scheme("weight", weights="float16")


def test_what_lite_does_by_itself_is_told(scheme):
    found = scheme(
        "weight",
        weights="int8",
        symmetric=False,
        weight_observer="mse",
        clipping=0.9,
        rounding="gptq",
        equalize=True,
        smooth=True,
        bias_correction=True,
    )
    first = found.notes[0]
    for name in ("asymmetric grids", "weight_observer", "clipping", "rounding=gptq", "equalize", "smooth"):
        assert name in first
    assert "bias_correction had no effect" in first


def test_inputs_that_stay_in_float_are_told(scheme):
    found = scheme("full", weights="int8", activations="int8", layers={"conv1": {"activations": "float32"}})
    assert found.skipped == ()
    assert any("inputs of all layers whose weights it quantizes" in note for note in found.notes)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ((None, 0), "needs calibration data"),
        (({"x": "calibration"}, 0), "needs calibration data"),
        (({"x": "calibration"}, 70_000), "takes 65,535 batches of calibration data, not 70,000"),
        (({"a:b": "calibration"}, 8), "can't be told of input 'a:b'"),
        (({"a,b": "calibration"}, 8), "can't be told of input 'a,b'"),
        (({"x": "calibration\n[registry]"}, 8), "can't be told of"),
    ],
)
def test_data_that_the_file_cannot_name_is_refused(files, words):
    with pytest.raises(OptionError, match=words):
        configuration_text(LiteScheme("full"), *files)


def test_a_name_cannot_add_a_line():
    with pytest.raises(OptionError, match="can't be told of"):
        configuration_text(LiteScheme("weight", skipped=("a\n[registry]\nplugin_path=/evil.so",)))
