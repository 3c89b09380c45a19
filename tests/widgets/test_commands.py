from __future__ import annotations

import math
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import OptionError
from gsjupyter.widgets.commands import Apply, Cancel, Export, Measurement, Ready, Sketch, name_of, read_command

SKETCH = {
    "command": "sketch",
    "granularity": "group:64",
    "symmetric": True,
    "narrow_range": False,
    "observer": "mse",
    "layers": [0, 3],
}
BENCHMARK = {
    "command": "benchmark",
    "subjects": ["source", "result:1"],
    "engines": [],
    "targets": ["cpu"],
    "batches": [1, 8],
    "threads": [],
    "duration_s": 0.5,
    "launches": 2,
}
EXPORT = {"command": "export", "path": "a.mindir", "overwrite": False, "float16": True}


def test_each_command_is_read_as_what_it_says():
    assert read_command(SKETCH) == Sketch("group:64", True, False, "mse", (0, 3))
    assert read_command(BENCHMARK) == Measurement(("source", "result:1"), (), ("cpu",), (1, 8), (), 0.5, 2)
    assert read_command(EXPORT) == Export("a.mindir", False, True)
    assert read_command({"command": "ready", "in_place": True}) == Ready(in_place=True)
    assert read_command({"command": "cancel"}) == Cancel()
    assert [read_command({"command": "apply", "predicted_db": sqnr}) for sqnr in (31.5, 30, "inf", None)] == [
        *(Apply(31.5), Apply(30.0), Apply("inf"), Apply(None)),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "a command must be a mapping, not NoneType."),
        ({}, "command must be one of"),
        ({"command": ["apply"]}, "command must be one of"),
        ({"command": "aply"}, "not 'aply'.\nDid you mean apply?"),
        ({"command": "apply"}, "apply lacks predicted_db."),
        ({"command": "cancel", "at": 1}, "a field of cancel must be one of"),
        ({"command": "apply", "predicted_db": "<img src=x onerror=alert(1)>"}, "predicted_db must be a number"),
        ({"command": "apply", "predicted_db": math.nan}, "predicted_db must be a number"),
        ({"command": "apply", "predicted_db": True}, "predicted_db must be a number"),
        ({**SKETCH, "layers": [-1]}, "layers must be a whole number from 0 on, not -1."),
        ({**SKETCH, "layers": [1.5]}, "layers must be a whole number from 0 on"),
        ({**SKETCH, "layers": [0] * 10_001}, "layers must be a list of at most 10000 items."),
        ({**SKETCH, "granularity": "group"}, "granularity must be tensor, channel or group:N"),
        ({**SKETCH, "granularity": {}}, "granularity must be tensor, channel or group:N"),
        ({**SKETCH, "symmetric": 1}, "symmetric must be true or false, not 1."),
        ({**SKETCH, "observer": "mean"}, "observer must be one of minmax"),
        ({**EXPORT, "path": 3}, "path must be text of at most 4096 characters."),
        ({**EXPORT, "path": "a" * 4097}, "path must be text of at most 4096 characters."),
        ({**BENCHMARK, "batches": [0]}, "batches must be a whole number from 1 on, not 0."),
        ({**BENCHMARK, "subjects": "source"}, "subjects must be a list"),
        ({**BENCHMARK, "engines": [1]}, "engines must be text"),
        ({**BENCHMARK, "duration_s": math.inf}, "duration_s must be a number of seconds above 0, not inf."),
        ({**BENCHMARK, "launches": 0}, "launches must be a whole number from 1 on, not 0."),
    ],
)
def test_what_no_panel_sends_is_refused_in_words(content, message):
    with pytest.raises(OptionError, match=re.escape(message)):
        read_command(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    base=st.sampled_from([SKETCH, BENCHMARK, EXPORT, {"command": "apply", "predicted_db": 1.0}]),
    index=st.integers(0, 7),
    value=json_values,
)
def test_a_field_that_holds_anything_is_read_or_refused_and_nothing_else(base, index, value):
    content = {**base, list(base)[index % len(base)]: value}
    with suppress(OptionError):
        read_command(content)


def test_commands_and_their_fields_are_those_of_the_browser():
    text = Path(__file__).parents[2].joinpath("labextension/src/panel/types.ts").read_text("utf-8")
    union = text[text.index("export type Command =") :]
    found = re.findall(r"\{ *\n? *command: '(\w+)';?([^}]*)\}", union)
    listed = {command: set(re.findall(r"(\w+): ", rest)) for command, rest in found}
    examples = {content["command"]: set(content) - {"command"} for content in (SKETCH, BENCHMARK, EXPORT)}
    assert listed == {
        **{command: set() for command in ("measure", "refine", "cancel", "targets")},
        "ready": {"in_place"},
        "apply": {"predicted_db"},
        **examples,
    }


def test_a_message_is_called_as_it_says_if_that_is_text():
    assert name_of({"command": "apply"}) == "apply"
    assert name_of({"command": 3}) == name_of([]) == name_of(None) == ""
    assert len(name_of({"command": "a" * 1000})) == 40
