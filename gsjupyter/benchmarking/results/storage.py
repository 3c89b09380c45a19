"""Benchmarks as files: JSON that comes back as it was, so that figures of other days and machines can be added."""

import json
import math
import stat
from pathlib import Path
from typing import Any, Final, NoReturn

import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from gsjupyter.atomic import staging
from gsjupyter.benchmarking.records import OutputCheck
from gsjupyter.benchmarking.results.file_checks import NOT_FINITE, check_consistency, complaints_of, strict_converter
from gsjupyter.benchmarking.results.result import Benchmark, check_saved
from gsjupyter.errors import ResultFileError, WriteError
from gsjupyter.report import format_bytes

FORMAT: Final = "gsjupyter benchmark"
VERSION: Final = 1
MAX_BYTES: Final = 1 << 28
"""What a file may have: 12 million runs. A larger one is not read, and not written."""
_MOST_VALUES: Final = 1 << 24
"""Without this, a file full of ``{},{},{}`` would take gigabytes when it is read."""

_SHORTER: Final = "Measure for a shorter time: duration_s is how long each row runs."
_READ: Final = strict_converter()


def save(benchmark: Benchmark, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a benchmark to a ``.json`` or ``.html`` file; see `Benchmark.save`."""
    target = check_saved(path, overwrite=overwrite)
    if target.suffix.lower() == ".json":
        content = to_json(benchmark)
    else:
        from gsjupyter.benchmarking.results.page import page_of

        content = page_of(benchmark)
    data = content.encode("utf-8", "replace")
    if target.suffix.lower() == ".json" and len(data) > MAX_BYTES:
        raise WriteError(
            f"{target.name} would have {format_bytes(len(data))}, and no more than {format_bytes(MAX_BYTES)} are read.",
            advice=_SHORTER,
        )
    if target.suffix.lower() == ".json" and _values(data) > _MOST_VALUES:
        raise WriteError(
            f"{target.name} would hold {_values(data):,} values, and no more than {_MOST_VALUES:,} are read.",
            advice=_SHORTER,
        )
    with staging(target.parent) as stage:
        (stage / target.name).write_bytes(data)
    return target


def load(path: str | Path) -> Benchmark:
    """Read a benchmark; see `Benchmark.load`."""
    source = Path(path).expanduser()
    try:
        status = source.stat()
        # A pipe or a device would never end.
        if not stat.S_ISREG(status.st_mode):
            raise ResultFileError(f"can't read {source}: it is no file.")
        if status.st_size > MAX_BYTES:
            raise ResultFileError(
                f"{source.name} has {format_bytes(status.st_size)}, a benchmark has no more than "
                f"{format_bytes(MAX_BYTES)}."
            )
        data = source.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ResultFileError(f"can't read {source}: {reason}.") from error
    return from_json(data, source.name)


def to_json(benchmark: Benchmark) -> str:
    """Return a benchmark as JSON, each row on a line of its own, so that versions of a file can be compared."""
    content = {"format": FORMAT, "version": VERSION, **_WRITE.unstructure(benchmark)}
    rows = ",\n".join(_text(row) for row in content.pop("rows"))
    head = "".join(f"{_text(key)}: {_text(value)},\n" for key, value in content.items())
    return f'{{\n{head}"rows": [\n{rows}\n]\n}}\n'


def from_json(data: bytes, name: str = "the text") -> Benchmark:
    """Read a benchmark from JSON.

    Parameters
    ----------
    data : bytes
        What `to_json` gives, in UTF-8.
    name : str
        What to call it in messages.

    Raises
    ------
    ResultFileError
        If it is anything else; the message says where.
    """
    if _values(data) > _MOST_VALUES:
        raise ResultFileError(f"{name} holds more values than a benchmark has, which are at most {_MOST_VALUES:,}.")
    content = _parsed(data, name)
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise ResultFileError(f"{name} is no benchmark that gsjupyter has saved.")
    version = content.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        raise ResultFileError(
            f"{name} has version {str(version)[:20]}, this gsjupyter reads {VERSION}.",
            advice="Load it with the gsjupyter that wrote it, or a later one.",
        )
    try:
        benchmark = _READ.structure(content, Benchmark)
        check_consistency(benchmark)
    except (cattrs.BaseValidationError, ValueError, TypeError, RecursionError) as error:
        raise ResultFileError(f"{name} is damaged or was changed: {complaints_of(error)}") from error
    return benchmark


def _parsed(data: bytes, name: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse, object_pairs_hook=_without_repetition)
    except RecursionError as error:
        raise ResultFileError(f"{name} is no benchmark: it is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise ResultFileError(f"{name} is no benchmark: byte {error.start:,} is no UTF-8.") from error
    except ValueError as error:
        raise ResultFileError(f"{name} is cut off, or no JSON: {error}.") from error


def _values(data: bytes) -> int:
    """Return how many values JSON holds at most."""
    return sum(data.count(sign) for sign in (b",", b"[", b"{"))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(f"an object has a field twice, one of {', '.join(content)[:80]}")
    return content


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    # A number of numpy's is one of Python's, to whoever reads it.
    return value.item()


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return next(word for word, number in NOT_FINITE.items() if number == value or math.isnan(number))


def _writing_converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    number = override(unstruct_hook=_number)
    hook = make_dict_unstructure_fn(OutputCheck, converter, sqnr_db=number, max_abs_error=number)
    converter.register_unstructure_hook(OutputCheck, hook)
    return converter


_WRITE: Final = _writing_converter()
