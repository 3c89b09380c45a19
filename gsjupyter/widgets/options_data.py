"""The options of a conversion as the panel has them in JSON, and back: checked, with the one named that is to blame."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from gsjupyter.choices import check_choice
from gsjupyter.errors import OptionError
from gsjupyter.options import ConvertOptions

_NAMES: Final = tuple(field.name for field in fields(ConvertOptions))
_MOST_CHARACTERS: Final = 1 << 20


class RefusedOptionError(OptionError):
    """An option that can't be what it was set to.

    Parameters
    ----------
    message : str
        What is wrong.
    option : str, optional
        Which one is to blame; None if they are no options at all.
    advice : str, optional
        What to do.
    """

    def __init__(self, message: str, option: str | None, *, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.option = option


def data_of(options: ConvertOptions) -> dict[str, Any]:
    """Return options as JSON: all of them, in the order in which they are defined.

    Parameters
    ----------
    options : ConvertOptions
        The options.
    """
    found = {name: getattr(options, name) for name in _NAMES}
    layers = {
        name: dict(chosen) if isinstance(chosen, Mapping) else {"weights": chosen}
        for name, chosen in options.layers.items()
    }
    return {**found, "layers": layers, "budget": None if options.budget is None else str(options.budget)}


def options_of(data: object) -> ConvertOptions:
    """Return the options that JSON gives; what it doesn't name is as by default.

    Parameters
    ----------
    data : object
        What came from a browser, or from a user.

    Raises
    ------
    RefusedOptionError
        If it is no mapping, or an option is unknown or out of range.
    """
    if not isinstance(data, Mapping):
        raise RefusedOptionError(f"options must map names to values, not {type(data).__name__}.", None)
    _check_size(data)
    given = {}
    for name, value in data.items():
        try:
            check_choice("an option", name, _NAMES)
            given[name] = _read(name, value)
            # Each by itself first: that says which is to blame.
            ConvertOptions(**{name: given[name]})
        except OptionError as error:
            raise _refused(error, str(name)) from error
    try:
        return ConvertOptions(**given)
    except OptionError as error:
        raise _refused(error, "max_drop" if given.get("budget") is None else "budget") from error


def data_from(data: object) -> dict[str, Any]:
    """Return options in full, checked: `options_of` and back.

    Raises
    ------
    RefusedOptionError
        As in `options_of`.
    """
    return data_of(options_of(data))


def defaults() -> dict[str, Any]:
    """Return the options that change nothing."""
    return data_of(ConvertOptions())


def _read(name: str, value: Any) -> Any:
    """Return a value as `ConvertOptions` takes it; one of another type stays as it is, and is refused there."""
    if name == "layers" and isinstance(value, Mapping):
        return {layer: _override(chosen) for layer, chosen in value.items()}
    if name in ("budget", "max_drop") and value is not None and not isinstance(value, str):
        is_bytes = name == "budget" and isinstance(value, int) and not isinstance(value, bool)
        if not is_bytes:
            raise OptionError(f"{name} must be text, not {value!r}.")
        return str(value)
    if name == "clipping" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _override(chosen: Any) -> Any:
    """Return an override as people write it, which says only what differs: a format alone is no mapping."""
    if not isinstance(chosen, Mapping):
        return chosen
    return chosen["weights"] if set(chosen) == {"weights"} else dict(chosen)


def _check_size(data: Mapping[Any, Any]) -> None:
    try:
        characters = len(json.dumps(data))
    except (TypeError, ValueError, RecursionError) as error:
        raise RefusedOptionError("options must be plain values, text and lists.", None) from error
    if characters > _MOST_CHARACTERS:
        raise RefusedOptionError(
            f"the options have {characters:,} characters, and {_MOST_CHARACTERS:,} are read.", None
        )


def _refused(error: OptionError, option: str) -> RefusedOptionError:
    return RefusedOptionError(error.message, option[:100], advice=error.advice)
