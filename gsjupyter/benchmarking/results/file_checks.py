"""What may stand in a saved benchmark, field by field: a file from elsewhere is read as data, and believed in nothing.

Every complaint says where: ``rows[3].blocks[0].durations_s[7] must be a number from 1e-09 to 1e+09, not -1.0``.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, get_args, get_origin

import cattrs
from cattrs import IterableValidationNote as _ItemNote
from cattrs.gen import make_dict_structure_fn, override

from gsjupyter.benchmarking.results.result import Benchmark

Hook = Callable[[Any, Any], Any]

_SHORTEST_S: Final = 1e-9
_LONGEST_S: Final = 1e9
_LARGEST_INTEGER: Final = 2**63 - 1
_LARGEST: Final = 1e300
_MOST_ITEMS: Final = 100_000
_SHOWN: Final = 3
NOT_FINITE: Final[Mapping[str, float]] = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
"""How numbers are written that JSON lacks."""


def strict_converter() -> cattrs.Converter:
    """Return what makes a `Benchmark` of parsed JSON, or raises with what is wrong and where."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, lambda value, _: _text(value))
    converter.register_structure_hook(bool, lambda value, _: _flag(value))
    converter.register_structure_hook(int, _integer(0))
    converter.register_structure_hook(float, _number(-_LARGEST, _LARGEST))
    converter.register_structure_hook_func(_is_kind(Literal), _choice)
    converter.register_structure_hook_func(_is_kind(tuple), _list_with(converter))
    converter.register_structure_hook_func(_is_kind(Mapping), _object_with(converter))
    converter.register_structure_hook_factory(is_dataclass, lambda kind: _record_hook(kind, converter))
    return converter


def check_consistency(benchmark: Benchmark) -> None:
    """Check what no field can tell by itself.

    Raises
    ------
    ValueError
        If rows, processes or blocks occur twice.
    """
    _check_unique([row.setting for row in benchmark.rows], "rows", "setting")
    for place, row in enumerate(benchmark.rows):
        _check_unique([(item.session, item.number) for item in row.launches], f"rows[{place}].launches", "number")
        _check_unique(
            [(item.session, item.launch, item.round) for item in row.blocks], f"rows[{place}].blocks", "round"
        )
    for host, machine in benchmark.machines.items():
        if machine.host != host:
            raise ValueError(f"machines[{host!r}] calls itself {machine.host!r}.")


def complaints_of(error: BaseException) -> str:
    """Return what was wrong with a file, and where, in words; the first few where there are many."""
    found = list(_complaints(error, ""))
    more = f"; and {len(found) - _SHOWN:,} more like that" if len(found) > _SHOWN else ""
    return "; ".join(found[:_SHOWN]) + more + "."


def _complaints(error: BaseException, path: str) -> Iterable[str]:
    if isinstance(error, cattrs.ClassValidationError | cattrs.IterableValidationError):
        located, others = error.group_exceptions()
        for inner, note in located:
            place = f"[{_short(note.index)}]" if isinstance(note, _ItemNote) else f".{note.name}"
            yield from _complaints(inner, f"{path}{place}".lstrip("."))
        for inner in others:
            yield from _complaints(inner, path)
    elif isinstance(error, cattrs.ForbiddenExtraKeysError):
        names = ", ".join(_short(name) for name in sorted(error.extra_fields)[:_SHOWN])
        yield f"{path or 'it'} has fields that are unknown ({names})"
    elif isinstance(error, KeyError):
        yield f"{path} is missing"
    else:
        yield f"{path} {error}".strip().removesuffix(".")


def _record_hook(kind: type, converter: cattrs.Converter) -> Hook:
    overrides: dict[str, Any] = {
        item.name: override(struct_hook=_FIELDS[item.name]) for item in fields(kind) if item.name in _FIELDS
    }
    make: Hook = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **overrides)

    def record(value: Any, given: Any) -> Any:
        _check_type(value, dict, "an object")
        return make(value, given)

    return record


def _list_with(converter: cattrs.Converter) -> Hook:
    def listed(value: Any, kind: Any) -> tuple[Any, ...]:
        _check_type(value, list, "a list")
        if len(value) > _MOST_ITEMS:
            raise ValueError(f"has {len(value):,} items, more than {_MOST_ITEMS:,}")
        return tuple(converter.structure(value, _kind(list, get_args(kind)[0])))

    return listed


def _object_with(converter: cattrs.Converter) -> Hook:
    def mapped(value: Any, kind: Any) -> dict[str, Any]:
        _check_type(value, dict, "an object")
        return converter.structure(value, _kind(dict, *get_args(kind)))

    return mapped


def _kind(container: Any, *items: Any) -> Any:
    return container[items if len(items) > 1 else items[0]]


def _is_kind(origin: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is origin


def _check_type(value: Any, kind: type, words: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"must be {words}, not {_short(value)}")


def _text(value: Any) -> str:
    _check_type(value, str, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character") from None
    return str(value)


def _flag(value: Any) -> bool:
    _check_type(value, bool, "true or false")
    return bool(value)


def _choice(value: Any, kind: Any) -> Any:
    if not isinstance(value, str) or value not in get_args(kind):
        raise ValueError(f"must be one of {', '.join(map(str, get_args(kind)))}, not {_short(value)}")
    return value


def _integer(low: int, *, is_optional: bool = False) -> Hook:
    def integer(value: Any, _: Any = None) -> int | None:
        if value is None and is_optional:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= _LARGEST_INTEGER:
            raise ValueError(f"must be a whole number from {low} to {_LARGEST_INTEGER}, not {_short(value)}")
        return value

    return integer


def _number(low: float, high: float, *, is_optional: bool = False) -> Hook:
    def number(value: Any, _: Any = None) -> float | None:
        if value is None and is_optional:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}, not {_short(value)}")
        return float(value)

    return number


def _any_number(value: Any, _: Any = None) -> float:
    if isinstance(value, str) and value in NOT_FINITE:
        return NOT_FINITE[value]
    return float(_FINITE(value, None))


def _durations(value: Any, _: Any = None) -> tuple[float, ...]:
    _check_type(value, list, "a list")
    if not value:
        raise ValueError("is empty")
    # A file has millions of them: they are looked at one by one only where one of them is wrong.
    if not {type(item) for item in value} <= {int, float} or not _SHORTEST_S <= min(value) <= max(value) <= _LONGEST_S:
        for place, item in enumerate(value):
            try:
                _RUN_S(item, None)
            except ValueError as error:
                raise ValueError(f"has at {place} what {error}") from None
    return tuple(map(float, value))


def _options(value: Any, _: Any = None) -> dict[str, Any]:
    _check_type(value, dict, "an object")
    return {_text(name): _option(item, name) for name, item in value.items()}


def _option(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item, name) for item in value)
    return _plain(value, name)


def _plain(value: Any, name: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float) and abs(value) <= _LARGEST_INTEGER:
        return value
    raise ValueError(
        f"has {_short(name)}, which must be a flag, a number, text, or a list of them, not {_short(value)}"
    )


def _check_unique(items: list[Any], where: str, what: str) -> None:
    item, count = next(iter(Counter(items).most_common(1)), (None, 0))
    if count > 1:
        raise ValueError(f"{where} has the same {what} {count} times: {_short(item)}")


def _short(value: object) -> str:
    text = f"{type(value).__name__} of {len(value):,}" if isinstance(value, dict | list) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_FINITE: Final = _number(-_LARGEST, _LARGEST)
_RUN_S: Final = _number(_SHORTEST_S, _LONGEST_S)
_SHARE: Final = _number(0.0, 1.0)
_TIME_S: Final = _number(0.0, _LONGEST_S)

_FIELDS: Final[Mapping[str, Hook]] = {
    "argmax_agreement": _number(0.0, 1.0, is_optional=True),
    "batch": _integer(1),
    # What a device held more in the end than before may be less than nothing.
    "device_memory_bytes": _integer(-_LARGEST_INTEGER, is_optional=True),
    "duration_s": _TIME_S,
    "durations_s": _durations,
    "energy_j": _number(0.0, _LARGEST, is_optional=True),
    "first_run_s": _TIME_S,
    "load_s": _TIME_S,
    "max_abs_error": _any_number,
    "options": _options,
    "share": _SHARE,
    "sqnr_db": _any_number,
}
"""The fields, by name, whose values have bounds of their own, or a form of their own."""
