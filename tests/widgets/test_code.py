from __future__ import annotations

import ast
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import example, given
from IPython.core.inputtransformer2 import TransformerManager

from gsjupyter import ConvertOptions
from gsjupyter.magics.arguments import parse
from gsjupyter.magics.pipeline import PipelineMagics
from gsjupyter.magics.settings import settings_of_cell, settings_of_line
from gsjupyter.options import options_from
from gsjupyter.widgets.code import as_magic
from gsjupyter.widgets.names import Names

NAMES = Names("net", "x")
ATTACK = "</script><img src=x onerror=alert(1)>\"&'"

GRANULARITIES = st.sampled_from(["channel", "tensor", "group:64", "group:7"])
OBSERVERS = st.sampled_from(["minmax", "percentile", "mse", "entropy"])
WEIGHTS = st.sampled_from(["float32", "float16", "int8", "int4", "int2"])
ACTIVATIONS = st.sampled_from(["float32", "int8"])
CLIPPINGS = st.floats(0, 1, exclude_min=True) | st.none()
LAYERS = st.one_of(
    st.sampled_from(["conv1", "conv2", "fc.1", "0", "1.10", "conv*", "*", "[ab]*", "c?nv1", "yes", "null", "1e3", "~"]),
    st.sampled_from(["--weights", "-o", "a b", "a\nb", "'''", '"""', "a\\", "it's", "# a", "a #b", "fc?", "{x}", "$x"]),
    st.sampled_from(
        ["%a", "!a", "a: b", "- a", "", " ", "a\x85b", "a\u2028b", "\x00", "\u202e", "\xa0", "\u5377\u79ef"]
    ),
    st.sampled_from([ATTACK, "long" * 300]),
    st.text(max_size=12),
)
OVERRIDES = WEIGHTS | st.fixed_dictionaries(
    {},
    optional={
        "weights": WEIGHTS,
        "activations": ACTIVATIONS,
        "granularity": GRANULARITIES,
        "symmetric": st.booleans(),
        "narrow_range": st.booleans(),
        "observer": OBSERVERS,
        "clipping": CLIPPINGS,
    },
)
ALL_OPTIONS = st.builds(
    ConvertOptions,
    weights=WEIGHTS,
    activations=ACTIVATIONS,
    granularity=GRANULARITIES,
    symmetric=st.booleans(),
    narrow_range=st.booleans(),
    weight_observer=OBSERVERS,
    activation_observer=OBSERVERS,
    clipping=CLIPPINGS,
    rounding=st.sampled_from(["nearest", "gptq"]),
    equalize=st.booleans(),
    smooth=st.booleans(),
    bias_correction=st.booleans(),
    layers=st.dictionaries(LAYERS, OVERRIDES, max_size=5),
    simulate=st.booleans(),
)
SIZES = st.sampled_from(["6.2x", "500KB", "500 KB", "61706", 61706])


def arguments_of(code):
    """Return what IPython hands to the magic: the line, and the cell if there is one."""
    call = ast.parse(TransformerManager().transform_cell(code)).body[-1].value
    return [ast.literal_eval(argument) for argument in call.args]


def read_back(code):
    """Return the options and the other arguments, as the magic reads them."""
    name, line, *cell = arguments_of(code)
    assert name == "gs_convert"
    arguments = parse(PipelineMagics.gs_convert.parser, line)
    settings = {**settings_of_cell(cell[0] if cell else None), **settings_of_line(arguments)}
    named = {kind: settings.pop(kind, None) for kind in ("ckpt", "calibration", "labels")}
    named.update(source=arguments["source"], inputs=" ".join(arguments["inputs"]), output=arguments["output"])
    return options_from(
        {key: value for key, value in settings.items() if key != "keep"}, settings.get("keep", ())
    ), named


def plainly(options):
    """Return options with each override as a mapping, since a format alone means the same."""
    layers = {
        name: {"weights": chosen} if isinstance(chosen, str) else dict(chosen)
        for name, chosen in options.layers.items()
    }
    return replace(options, layers=layers, budget=options.budget and str(options.budget))


def assert_same(found, options):
    assert plainly(found) == plainly(options)
    # Of two globs the first decides, so their order counts.
    for layer in [*options.layers, "conv1", "a", "fc.1"]:
        assert found.settings.setting(layer) == options.settings.setting(layer)


@given(ALL_OPTIONS)
@example(ConvertOptions(layers={"conv*": "int4", "c*": "float32", "conv1": "float32"}))
@example(ConvertOptions(layers={"'''": "float32", "a\nb": {"clipping": 0.5}}))
def test_what_is_copied_means_the_same_when_it_is_read_back(options):
    found, named = read_back(as_magic(options, NAMES))
    assert_same(found, options)
    assert named == {
        "source": "net",
        "inputs": "x",
        "output": "qnet",
        "ckpt": None,
        "calibration": None,
        "labels": None,
    }


@given(SIZES, st.dictionaries(LAYERS, OVERRIDES, max_size=2))
def test_a_budget_is_copied(budget, layers):
    assert_same(
        read_back(as_magic(ConvertOptions(budget=budget, layers=layers), NAMES))[0],
        ConvertOptions(budget=budget, layers=layers),
    )


@pytest.mark.parametrize("max_drop", ["30dB", "1%", "0.5 %"])
def test_a_loss_is_copied(max_drop):
    assert read_back(as_magic(ConvertOptions(max_drop=max_drop), NAMES))[0].max_drop == max_drop


def test_only_what_differs_from_the_defaults_is_named():
    assert as_magic(ConvertOptions(), NAMES) == "%gs_convert net x -o qnet"
    options = ConvertOptions("int4", "int8", granularity="group:64", symmetric=False, clipping=0.8, smooth=True)
    assert as_magic(options, replace(NAMES, calibration="batches", output="small")) == (
        "%gs_convert net x --weights int4 --activations int8 --granularity group:64 --asymmetric --clipping 0.8"
        " --smooth --calibration batches -o small"
    )


def test_layers_in_float_are_kept_on_the_line():
    layers = {"conv1": "float32", "fc*": {"weights": "float32"}}
    code = as_magic(ConvertOptions("int8", layers=layers), NAMES)
    assert code == "%gs_convert net x --weights int8 --keep conv1 'fc*' -o qnet"


def test_layers_with_settings_of_their_own_make_a_cell():
    layers = {"conv1": "float32", "conv*": "int4", "fc": {"weights": "int2", "symmetric": False, "clipping": 0.7}}
    assert as_magic(ConvertOptions("int8", layers=layers), NAMES).split("\n") == [
        "%%gs_convert net x -o qnet",
        "weights: int8",
        "keep: [conv1]",
        "layers:",
        "  conv*: int4",
        "  fc: {weights: int2, symmetric: false, clipping: 0.7}",
    ]


def test_a_glob_stays_behind_the_glob_that_goes_before_it():
    options = ConvertOptions("int8", layers={"conv*": "int4", "c*": "float32"})
    found, _ = read_back(as_magic(options, NAMES))
    assert list(found.layers) == ["conv*", "c*"]
    assert found.settings.of("conv1") == "int4"


@pytest.mark.parametrize("name", [ATTACK, "a\nb", "-o", "it's", 'a"b', "a\\"])
def test_what_a_line_can_not_say_makes_a_cell(name):
    code = as_magic(ConvertOptions("int8", layers={name: "float32"}), NAMES)
    assert code.startswith("%%gs_convert")
    assert list(read_back(code)[0].layers) == [name]


def test_what_nobody_sees_is_written_so_that_it_is_seen():
    assert as_magic(ConvertOptions("int8", layers={"a\u202eb": "int4"}), NAMES).isascii()
    assert "\u5377\u79ef" in as_magic(ConvertOptions("int8", layers={"\u5377\u79ef": "int4"}), NAMES)


def test_files_keep_their_paths():
    names = Names("my nets/le net.mindir", ckpt="~/a b.ckpt")
    _, named = read_back(as_magic(ConvertOptions("int8"), names))
    assert (named["source"], named["ckpt"]) == ("my nets/le net.mindir", "~/a b.ckpt")
    _, named = read_back(as_magic(ConvertOptions("int8"), replace(names, ckpt="a\n'b'.ckpt")))
    assert named["ckpt"] == "a\n'b'.ckpt"


@pytest.mark.parametrize("layers", [{}, {"conv1": "int4"}])
def test_what_has_no_name_is_asked_for(layers):
    names = Names(
        "your_network", "x", calibration="your_calibration_data", unnamed=frozenset({"source", "calibration"})
    )
    code = as_magic(ConvertOptions("int8", layers=layers), names)
    assert "# Put the name of the network in place of your_network." in code.split("\n")
    assert "# Put the name of the calibration data in place of your_calibration_data." in code.split("\n")
    options, named = read_back(code)
    assert options == ConvertOptions("int8", layers=layers)
    assert (named["source"], named["calibration"]) == ("your_network", "your_calibration_data")


def test_a_path_that_no_line_takes_is_asked_for():
    code = as_magic(ConvertOptions(), Names("it's/net.mindir"))
    assert code.split("\n") == [
        "# Put the name of the network in place of your_network.",
        "%gs_convert your_network -o qnet",
    ]


def test_the_result_never_takes_the_networks_place():
    assert as_magic(ConvertOptions(), Names("qnet", "x")) == "%gs_convert qnet x -o qnet_2"
