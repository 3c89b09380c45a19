"""Budgets and allowed losses as people write them, and the search for the smallest setting that is good enough."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gsjupyter.errors import OptionError
from gsjupyter.quantization.allocation import Allocation, ParetoCurve

_UNITS: Final = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(x|B|[KMG]i?B)?", re.IGNORECASE)
_DROP: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(dB|%)", re.IGNORECASE)
_BUDGET_EXAMPLE: Final = "Write a size, 500KB or 1.5MB, a number of bytes, or how many times smaller than now, 4x."
_DROP_EXAMPLE: Final = "Write 30dB for the output's lowest SQNR, or 1% for the points of accuracy that may be lost."


def parse_budget(text: object, float_size_bytes: int) -> int:
    """Return a budget in bytes.

    Parameters
    ----------
    text : str or int
        ``"4x"`` for a quarter of `float_size_bytes`, ``"500KB"``, ``"1.5MB"``, or a number of bytes.
    float_size_bytes : int
        What is to become smaller.

    Raises
    ------
    OptionError
        If it is none of these.
    """
    found = _SIZE.fullmatch(str(text).strip()) if _is_text_or_number(text) else None
    if found is None or not float(found[1]) or (_is_ratio(found[2]) and float(found[1]) < 1):
        raise OptionError(f"budget can't be {text!r}.", advice=_BUDGET_EXAMPLE)
    number, unit = float(found[1]), found[2] or ""
    size = float_size_bytes / number if _is_ratio(unit) else number * _UNITS[unit.upper()]
    return int(size)


def _is_text_or_number(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_ratio(unit: str | None) -> bool:
    return (unit or "").lower() == "x"


@dataclass(frozen=True)
class AllowedDrop:
    """What a network may lose to quantization: one of the two is given.

    Parameters
    ----------
    sqnr_db : float, optional
        The output's SQNR may fall to this, in decibel.
    accuracy : float, optional
        The share of samples classified rightly may fall by this, 0.01 for a point.
    """

    sqnr_db: float | None = None
    accuracy: float | None = None

    def __str__(self) -> str:
        return f"{self.sqnr_db:g} dB" if self.sqnr_db is not None else f"{100 * (self.accuracy or 0.0):g} %"


def parse_max_drop(text: object) -> AllowedDrop:
    """Return what may be lost.

    Parameters
    ----------
    text : str
        ``"30dB"``: the output's SQNR may fall to that. ``"1%"``: accuracy may fall by that many points.

    Raises
    ------
    OptionError
        If it is neither.
    """
    found = _DROP.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or (found[2] == "%" and float(found[1]) > 100):
        raise OptionError(f"max_drop can't be {text!r}.", advice=_DROP_EXAMPLE)
    return AllowedDrop(accuracy=float(found[1]) / 100) if found[2] == "%" else AllowedDrop(sqnr_db=float(found[1]))


def smallest_setting(
    curve: ParetoCurve, is_good: Callable[[Allocation], bool], *, guess: int | None = None
) -> Allocation:
    """Return the smallest setting on the curve that is good enough, with few trials; what is returned was tried.

    Larger settings are taken to be better. So the search doubles its steps from the guess until it has a good setting
    and one that isn't, and halves the distance between them then.

    Parameters
    ----------
    curve : ParetoCurve
        The settings.
    is_good : callable
        Whether a setting is good enough, by running it for example.
    guess : int, optional
        The number of the setting to try first; the middle by default.

    Raises
    ------
    OptionError
        If not even the largest setting is good enough.
    """
    last = len(curve) - 1
    first = last // 2 if guess is None else min(max(guess, 0), last)
    bad, good = _bracket(curve, is_good, first)
    if good > last:
        raise OptionError(
            "not even the most exact setting is good enough.",
            advice="Allow a larger drop, or leave the layers that cost most in floating point.",
        )
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if is_good(curve[middle]) else (middle, good)
    return curve[good]


def _bracket(curve: ParetoCurve, is_good: Callable[[Allocation], bool], first: int) -> tuple[int, int]:
    """Return the numbers of a setting that isn't good (-1 if all are) and of a larger one that is (past the last)."""
    last, step = len(curve) - 1, 1
    if is_good(curve[first]):
        good = first
        while good > 0:
            lower = max(0, good - step)
            if not is_good(curve[lower]):
                return lower, good
            good, step = lower, 2 * step
        return -1, 0
    bad = first
    while bad < last:
        higher = min(last, bad + step)
        if is_good(curve[higher]):
            return bad, higher
        bad, step = higher, 2 * step
    return last, last + 1
