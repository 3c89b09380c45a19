"""A worker's side: answers one request after the other until its notebook is gone."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeAlias

from gsjupyter.engines.messages import Array, receive, send
from gsjupyter.errors import GsError

Answer: TypeAlias = tuple[Mapping[str, Any], Sequence[Array]]
"""An answer's header and its arrays."""
Command: TypeAlias = Callable[..., Answer]
"""Takes the request's arrays and, by name, its settings; returns the answer."""

SCRATCH: Final = "GSJUPYTER_SCRATCH"
"""The variable that names the folder for a worker's temporary files, which its notebook removes in the end."""

_LOOK_AROUND_S: Final = 2.0
_scratch_folders: list[Path] = []


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder for a while; a worker that is ended meanwhile leaves it to its notebook to remove.

    One that is asked for inside of another lies in it.
    """
    folder = _scratch_folders[-1] / "inner" if _scratch_folders else Path(os.environ[SCRATCH])
    folder.mkdir(mode=0o700)
    _scratch_folders.append(folder)
    try:
        yield folder
    finally:
        _scratch_folders.pop()
        shutil.rmtree(folder, ignore_errors=True)


def serve(descriptor: int, commands: Mapping[str, Command]) -> None:
    """Answer requests until the other end is closed or its process has ended.

    Parameters
    ----------
    descriptor : int
        The file descriptor of a duplex pipe.
    commands : mapping of str to Command
        What can be asked for.
    """
    _first_to_go_when_memory_runs_out()
    host = os.getppid()
    with Connection(descriptor) as connection, suppress(EOFError, OSError):
        while True:
            # A process forked off the notebook keeps the other end open when the notebook is gone.
            while not connection.poll(_LOOK_AROUND_S):
                if os.getppid() != host:
                    return
            header, arrays = receive(connection)
            answer = _answer(commands[header["command"]], header["settings"], arrays)
            try:
                send(connection, *answer)
            except (TypeError, ValueError) as error:
                send(connection, *_failure(error))


def _answer(
    command: Command, settings: Mapping[str, Any], arrays: Sequence[Array]
) -> tuple[dict[str, Any], Sequence[Array]]:
    try:
        answer, results = command(arrays, **settings)
    except GsError as error:
        return _error(type(error).__name__, error.message, error.advice)
    except MemoryError as error:
        return _error("EngineError", f"memory ran out: {first_line(error)}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the notebook must hear of it
        return _failure(error)
    return {"answer": dict(answer)}, results


def _failure(error: Exception) -> tuple[dict[str, Any], Sequence[Array]]:
    return _error("", f"{type(error).__name__}: {first_line(error)}")


def _error(kind: str, message: str, advice: str = "") -> tuple[dict[str, Any], Sequence[Array]]:
    return {"error": {"kind": kind, "message": message, "advice": advice}}, ()


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, not endless."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else "no reason given"


def _first_to_go_when_memory_runs_out() -> None:
    """Tell Linux to end this process, and not the notebook."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
