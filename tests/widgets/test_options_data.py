from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.options import ConvertOptions
from gsjupyter.widgets.options_data import RefusedOptionError, data_from, data_of, defaults, options_of

FORMATS = ("float32", "float16", "int8", "int4", "int2")
overrides = st.fixed_dictionaries(
    {},
    optional={
        "weights": st.sampled_from(FORMATS),
        "activations": st.sampled_from(("float32", "int8")),
        "granularity": st.sampled_from(("tensor", "channel", "group:64")),
        "symmetric": st.booleans(),
        "narrow_range": st.booleans(),
        "observer": st.sampled_from(("minmax", "percentile", "mse", "entropy")),
        "clipping": st.floats(0.01, 1),
    },
)
chosen = st.fixed_dictionaries(
    {},
    optional={
        "activations": st.sampled_from(("float32", "int8")),
        "granularity": st.sampled_from(("tensor", "channel", "group:32")),
        "symmetric": st.booleans(),
        "narrow_range": st.booleans(),
        "weight_observer": st.sampled_from(("minmax", "mse")),
        "activation_observer": st.sampled_from(("minmax", "entropy")),
        "clipping": st.none() | st.floats(0.01, 1),
        "rounding": st.sampled_from(("nearest", "gptq")),
        "equalize": st.booleans(),
        "smooth": st.booleans(),
        "bias_correction": st.booleans(),
        "simulate": st.booleans(),
        "layers": st.dictionaries(st.text(min_size=1, max_size=12), overrides.filter(bool), max_size=3),
    },
)
bits = st.one_of(
    st.builds(lambda weights: {"weights": weights}, st.sampled_from(FORMATS)),
    st.sampled_from([{"budget": "6.2x"}, {"budget": "500KB"}, {"budget": "61706"}, {"max_drop": "30dB"}]),
)


@given(chosen, bits)
def test_options_survive_the_way_to_the_browser_and_back(data, more):
    options = options_of({**data, **more})
    sent = json.loads(json.dumps(data_of(options)))
    assert options_of(sent) == options
    assert data_from(sent) == sent
    assert sent == {**defaults(), **data, **more}


def test_the_defaults_are_those_of_a_conversion_under_the_browsers_names():
    assert options_of(defaults()) == options_of({}) == ConvertOptions()
    text = Path(__file__).parents[2].joinpath("labextension/src/panel/types.ts").read_text("utf-8")
    fields = re.findall(
        r"^  (\w+): ", text[text.index("export interface Options {") :].partition("\n}")[0], re.MULTILINE
    )
    assert list(defaults()) == fields


def test_a_format_alone_is_written_as_people_write_it():
    options = options_of({"layers": {"fc": {"weights": "int8"}, "conv*": {"weights": "int4", "symmetric": False}}})
    assert options.layers == {"fc": "int8", "conv*": {"weights": "int4", "symmetric": False}}
    assert data_of(ConvertOptions(layers={"fc": "float32"}))["layers"] == {"fc": {"weights": "float32"}}


def test_a_number_of_bytes_is_text_in_the_browser():
    assert data_of(ConvertOptions(budget=61706))["budget"] == "61706"
    assert options_of({"budget": 61706}).budget == "61706"


def nested(depth):
    value = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("data", "option", "message"),
    [
        (None, None, "options must map names to values, not NoneType."),
        ([], None, "options must map names to values, not list."),
        ({"weights": "int9"}, "weights", "not 'int9'.\nDid you mean int8?"),
        ({"weights": ["int8"]}, "weights", "not ['int8']."),
        ({"weigths": "int8"}, "weigths", "Did you mean weights?"),
        ({1: 2}, "1", "an option must be one of"),
        ({"symmetric": "yes"}, "symmetric", "symmetric must be true or false, not 'yes'."),
        ({"clipping": 0}, "clipping", "clipping must be more than 0 and 1 at most, not 0.0."),
        ({"clipping": "0.5"}, "clipping", "clipping must be more than 0"),
        ({"budget": 3.5}, "budget", "budget must be text, not 3.5."),
        ({"budget": True}, "budget", "budget must be text, not True."),
        ({"budget": "lots"}, "budget", "budget can't be 'lots'."),
        ({"max_drop": 3}, "max_drop", "max_drop must be text, not 3."),
        ({"max_drop": "3"}, "max_drop", "max_drop can't be '3'."),
        ({"budget": "4x", "max_drop": "30dB"}, "budget", "budget and max_drop both choose the bits."),
        ({"weights": "int8", "budget": "4x"}, "budget", "weights=int8 has no effect"),
        ({"weights": "int8", "max_drop": "1%"}, "max_drop", "weights=int8 has no effect"),
        ({"layers": []}, "layers", "layers must map names or globs to formats"),
        ({"layers": {"fc": 3}}, "layers", "layers['fc'] must be one of"),
        ({"layers": {"fc": {"bits": 3}}}, "layers", "a setting in layers['fc'] must be one of"),
        ({"layers": {"fc": {"observer": None}}}, "layers", "observer in layers['fc'] must be one of"),
        ({"layers": {1: "int8"}}, "layers", "a layer's name must be text, not 1."),
        ({"layers": {"a" * (1 << 20): "int8"}}, None, "characters, and 1,048,576 are read."),
        ({"layers": nested(100_000)}, None, "options must be plain values, text and lists."),
        ({"weights": {1, 2}}, None, "options must be plain values, text and lists."),
    ],
)
def test_what_is_wrong_is_told_with_the_option_that_is_to_blame(data, option, message):
    with pytest.raises(RefusedOptionError, match=re.escape(message)) as found:
        options_of(data)
    assert found.value.option == option
