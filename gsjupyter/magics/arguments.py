"""What all magics share: parsing, names of the user's namespace, and errors in words instead of tracebacks.

Nothing a user types is evaluated: an argument is a name, a path, or an option's value.
"""

import difflib
import keyword
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from gsjupyter.errors import GsError, OptionError


class MagicError(GsError):
    """An error that IPython shows as its message alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@contextmanager
def errors_in_words(magic: str) -> Iterator[None]:
    """Let a magic fail with its name and a message, and no traceback."""
    try:
        yield
    except GsError as error:
        raise MagicError(f"{magic}: {error.message}", advice=error.advice) from error
    except UsageError as error:
        raise MagicError(f"{magic}: {error}", advice=f"%{magic}? tells what it takes.") from error
    except KeyboardInterrupt as error:
        text = f"{magic}: {str(error) or 'interrupted'}"
        # Of no help is where in gsjupyter it happened to come. The kind stays, by which front ends know an interrupt.
        vars(error)["_render_traceback_"] = lambda: [text]
        raise


def parse(parser: MagicArgumentParser, line: str) -> dict[str, Any]:
    """Return a magic's arguments.

    Raises
    ------
    OptionError
        If an option is unknown (the message names the nearest one) or a quotation isn't closed.
    UsageError
        If an argument is missing.
    """
    try:
        # Elsewhere a backslash separates folders instead of quoting.
        words = shlex.split(line, posix=os.name == "posix")
    except ValueError as error:
        raise OptionError(f"the line can't be read: {error}.") from error
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        options = options_of(parser)
        flag = unknown[0].partition("=")[0]
        if not flag.startswith("-"):
            raise OptionError(f"{flag!r} is one argument too many.")
        near = difflib.get_close_matches(flag, options, 1)
        raise OptionError(
            f"no option {flag}." + (f" Did you mean {near[0]}?" if near else f" There are {', '.join(options)}.")
        )
    return vars(arguments)


def options_of(parser: MagicArgumentParser, *, several_values: bool = False) -> list[str]:
    """Return the options that a magic takes, ``--weights`` for example, or only those that take several values."""
    actions = parser._actions  # noqa: SLF001 - argparse has no other way
    return [
        name for action in actions if action.nargs in ("+", "*") or not several_values for name in action.option_strings
    ]


def lookup(namespace: Mapping[str, Any], name: str) -> Any:
    """Return what a name stands for in the user's namespace.

    Raises
    ------
    OptionError
        If it is no name, or stands for nothing; the message names the nearest one.
    """
    if not name.isidentifier():
        raise OptionError(
            f"{name!r} is no name.",
            advice="Magics take names, not expressions: assign the value to a new name first.",
        )
    if name not in namespace:
        known = [other for other in namespace if not other.startswith("_")]
        near = difflib.get_close_matches(name, known, 1)
        raise OptionError(f"there is no {name} in this notebook.", advice=f"Did you mean {near[0]}?" if near else "")
    return namespace[name]


def check_output(name: str | None) -> None:
    """Check that a result can be bound to a name, before the work begins.

    Raises
    ------
    OptionError
        If it can't.
    """
    if name is not None and (not name.isidentifier() or keyword.iskeyword(name)):
        raise OptionError(f"-o needs a name to bind the result to, not {name!r}.")


def bound(namespace: dict[str, Any], name: str | None, result: Any, summary: str) -> Any:
    """Bind a result to a name and say so; with no name, return it to be shown."""
    if name is None:
        return result
    namespace[name] = result
    print(f"{name}: {summary}")  # noqa: T201 - a magic speaks to its user
    return None
