"""Calls on an engine by name: IPython Parallel would send a function's code, and an engine its objects."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeAlias

from gsjupyter import errors
from gsjupyter.errors import ClusterError, GsError

Plain: TypeAlias = str | bytes | int | float | None
"""What an argument of a call can be."""

_LONGEST_LINE: Final = 200


class LostEngineError(ClusterError):
    """An engine ended, or can't be reached any more."""


class InterruptedCallError(ClusterError):
    """What an engine was doing was interrupted, and nothing of it was kept."""


@dataclass(frozen=True)
class Call:
    """A function of gsjupyter's to call on an engine, by its name: no code travels.

    Parameters
    ----------
    module : str
        Its module, within ``gsjupyter``.
    function : str
        Its name there. It takes plain arguments and returns a text.
    arguments : tuple
        What to call it with.
    """

    module: str
    function: str
    arguments: tuple[Plain, ...] = ()

    def start(self, client: Any, engine: int) -> Any:
        """Start it on an engine.

        Parameters
        ----------
        client : ipyparallel.Client
            The connection.
        engine : int
            The engine's number.

        Returns
        -------
        ipyparallel.AsyncResult
            What `answer_of` and `progress_of` read.

        Raises
        ------
        LostEngineError
            If there is no such engine any more.
        """
        from ipyparallel.error import NoEnginesRegistered

        try:
            view = client.direct_view(engine, block=False)
            return view.apply_async(_ByName(self.module, self.function), *self.arguments)
        except (IndexError, KeyError, NoEnginesRegistered, OSError, RuntimeError) as error:
            raise loss(engine) from error


def nothing() -> str:
    """Answer, and do nothing; on an engine only."""
    return ""


NOTHING: Final = Call(__name__, nothing.__name__)
"""What is called to see that an engine is done with the calls before it."""


@dataclass(frozen=True)
class _ByName:
    """What is pickled in place of a function."""

    module: str
    function: str

    def __call__(self, *arguments: Plain) -> tuple[str, str, str]:
        """Call it here: tell an error's kind, the answer or the error's message, and its advice."""
        if not self.module.startswith("gsjupyter."):
            raise ValueError(f"{self.module} is none of gsjupyter's modules")
        try:
            return "", getattr(import_module(self.module), self.function)(*arguments), ""
        except GsError as error:
            return type(error).__name__, error.message, error.advice


def answer_of(started: Any, engine: int) -> str:
    """Return the answer of a call that has ended.

    Parameters
    ----------
    started : ipyparallel.AsyncResult
        What `Call.start` has returned.
    engine : int
        The engine's number.

    Returns
    -------
    str
        What the function has returned there.

    Raises
    ------
    LostEngineError
        If the engine was lost meanwhile.
    InterruptedCallError
        If the call was interrupted.
    GsError
        What the function raised there, if that was one of gsjupyter's own errors.
    ClusterError
        If it raised anything else, or what came back is no text.
    """
    from ipyparallel.error import RemoteError, TaskAborted

    try:
        answer = started.get(0)
    except RemoteError as error:
        raise _told(error, engine) from None
    except TaskAborted:
        raise InterruptedCallError(f"the call on engine {engine} was taken back.") from None
    if not (isinstance(answer, tuple) and len(answer) == 3 and all(isinstance(item, str) for item in answer)):
        raise ClusterError(f"engine {engine} answered what gsjupyter never says.")
    kind, text, advice = map(str, answer)
    if kind:
        known = getattr(errors, kind, None)
        raise (known if isinstance(known, type) and issubclass(known, GsError) else ClusterError)(text, advice=advice)
    return text


def _told(error: Any, engine: int) -> ClusterError:
    if error.ename == "KeyboardInterrupt":
        return InterruptedCallError(f"the work on engine {engine} was interrupted.")
    # The client itself says so, in place of the engine: it has no information about the engine then.
    if error.ename == "EngineError" and not error.engine_info:
        return loss(engine)
    lines = str(error.evalue).strip().splitlines() or ["no reason given"]
    return ClusterError(f"engine {engine} failed: {error.ename}: {lines[0][:_LONGEST_LINE]}")


def loss(engine: int) -> LostEngineError:
    """Return the error that says that an engine was lost."""
    return LostEngineError(f"engine {engine} was lost: it ended, or can't be reached any more.")


def tell_progress(text: str) -> None:
    """Tell whoever waits for the running call how far it is; on an engine only.

    Parameters
    ----------
    text : str
        One line.
    """
    from ipyparallel.datapub import publish_data

    publish_data({"progress": text})


def progress_of(started: Any) -> str:
    """Return what a running call has told last; empty if nothing."""
    text = started.data.get("progress", "")
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_LINE] if isinstance(text, str) else ""
