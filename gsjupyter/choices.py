"""Checks of options that all parts share, with the same words for the same mistake."""

import difflib
from collections.abc import Iterable

from gsjupyter.errors import OptionError


def check_choice(option: str, value: object, choices: Iterable[str]) -> None:
    """Check that a value is one of the choices.

    Raises
    ------
    OptionError
        If it isn't; the message names the nearest one.
    """
    known = list(choices)
    if value not in known:
        near = difflib.get_close_matches(str(value), known, 1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise OptionError(f"{option} must be one of {', '.join(known)}, not {value!r}.", advice=hint)


def check_flag(option: str, value: object) -> None:
    """Check that a value is true or false.

    Raises
    ------
    OptionError
        If it isn't.
    """
    if not isinstance(value, bool):
        raise OptionError(f"{option} must be true or false, not {value!r}.")


def check_count(option: str, value: object, least: int = 1) -> None:
    """Check that a value is a whole number that isn't too small.

    Raises
    ------
    OptionError
        If it isn't.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise OptionError(f"{option} must be a whole number from {least} on, not {value!r}.")
