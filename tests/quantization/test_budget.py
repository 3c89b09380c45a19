import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import OptionError
from gsjupyter.quantization.allocation import LayerChoices, pareto_curve
from gsjupyter.quantization.budget import AllowedDrop, parse_budget, parse_max_drop, smallest_setting

CURVE = pareto_curve(
    [
        LayerChoices(
            (str(index),),
            tuple(range(2, 9)),
            tuple(100 * bits + index for bits in range(2, 9)),
            tuple((index + 1) * 4.0**-bits for bits in range(2, 9)),
        )
        for index in range(8)
    ]
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4x", 250),
        (" 2.5 X ", 400),
        ("1x", 1000),
        ("500KB", 500_000),
        ("500 kB", 500_000),
        ("1.5MB", 1_500_000),
        ("2 MiB", 2_097_152),
        ("1KiB", 1024),
        ("0.001GB", 1_000_000),
        ("12B", 12),
        ("640", 640),
        (640, 640),
        (640.0, 640),
    ],
)
def test_budgets_are_read_as_people_write_them(text, size):
    assert parse_budget(text, 1000) == size


@pytest.mark.parametrize("text", ["", "x", "4y", "-4x", "0x", "0.5x", "0", 0, -1, "1e6", "MB", "nan", True, None, [4]])
def test_what_is_no_budget_is_refused_with_an_example(text):
    with pytest.raises(OptionError, match=r"budget can't be .*\n.*500KB") as caught:
        parse_budget(text, 1000)
    assert repr(text) in caught.value.message


@pytest.mark.parametrize(
    ("text", "allowed", "words"),
    [
        ("30dB", AllowedDrop(sqnr_db=30), "30 dB"),
        ("22.5 db", AllowedDrop(sqnr_db=22.5), "22.5 dB"),
        ("1%", AllowedDrop(accuracy=0.01), "1 %"),
        ("0.5 %", AllowedDrop(accuracy=0.005), "0.5 %"),
        ("0%", AllowedDrop(accuracy=0.0), "0 %"),
    ],
)
def test_drops_are_read_as_people_write_them(text, allowed, words):
    assert parse_max_drop(text) == allowed
    assert str(parse_max_drop(text)) == words


@pytest.mark.parametrize("text", ["", "30", "dB", "-3dB", "101%", "1", "1 point", 1, 0.01, None])
def test_what_is_no_drop_is_refused_with_an_example(text):
    with pytest.raises(OptionError, match=r"max_drop can't be .*\n.*30dB.*1%"):
        parse_max_drop(text)


@given(st.integers(0, len(CURVE) - 1), st.none() | st.integers(-3, len(CURVE) + 3))
def test_the_smallest_good_setting_is_found_from_anywhere(first_good, guess):
    tried = []

    def is_good(setting):
        tried.append(setting.size_bytes)
        return setting.size_bytes >= CURVE[first_good].size_bytes

    assert smallest_setting(CURVE, is_good, guess=guess) == CURVE[first_good]
    assert len(tried) <= 2 * len(CURVE).bit_length() + 1
    assert len(set(tried)) == len(tried)


@given(st.integers(0, len(CURVE) - 1))
def test_a_good_guess_saves_runs(first_good):
    tried = []

    def is_good(setting):
        tried.append(setting)
        return setting.size_bytes >= CURVE[first_good].size_bytes

    smallest_setting(CURVE, is_good, guess=first_good)
    assert len(tried) <= 2


@given(st.sets(st.integers(0, len(CURVE) - 1)))
def test_what_is_returned_was_tried_even_if_larger_is_not_better(good):
    sizes = {CURVE[index].size_bytes for index in good} | {CURVE[-1].size_bytes}
    assert smallest_setting(CURVE, lambda setting: setting.size_bytes in sizes).size_bytes in sizes


def test_if_nothing_is_good_enough_that_is_said():
    with pytest.raises(OptionError, match=r"not even the most exact setting .*\n.*larger drop"):
        smallest_setting(CURVE, lambda setting: False)
