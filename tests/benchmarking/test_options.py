import math

import pytest

from gsjupyter.benchmarking.options import BenchmarkOptions, options_from
from gsjupyter.choices import check_choice
from gsjupyter.errors import OptionError


def test_the_default_runs_each_row_for_three_seconds_in_three_processes():
    assert BenchmarkOptions() == BenchmarkOptions(duration_s=3.0, runs=10, launches=3, operators=False, seed=0)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("duration_s", 0),
        ("duration_s", -1.0),
        ("duration_s", math.inf),
        ("duration_s", math.nan),
        ("duration_s", "3"),
        ("duration_s", True),
        ("runs", 0),
        ("runs", 2.0),
        ("launches", 0),
        ("launches", True),
        ("seed", -1),
        ("operators", 1),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(option, value):
    with pytest.raises(OptionError, match=option):
        BenchmarkOptions(**{option: value})


def test_single_settings_go_before_those_given_all_at_once():
    base = BenchmarkOptions(duration_s=1.0, launches=5)
    assert options_from({"launches": 2}, base) == BenchmarkOptions(duration_s=1.0, launches=2)


def test_an_unknown_option_is_refused_with_the_nearest_one():
    with pytest.raises(OptionError, match=r"duration_s, runs, launches, operators, seed, not 'lunches'") as caught:
        options_from({"lunches": 2})
    assert caught.value.advice == "Did you mean launches?"


def test_options_come_back_from_their_mapping():
    options = BenchmarkOptions(duration_s=0.5, runs=3, operators=True, seed=7)
    assert BenchmarkOptions(**options.as_mapping()) == options


def test_a_choice_that_is_like_none_has_no_advice():
    with pytest.raises(OptionError) as caught:
        check_choice("target", "zzz", ["cpu", "gpu"])
    assert caught.value.advice == ""
