"""Signs of life of an engine at work: a machine that is switched off, or out of reach, doesn't say so.

The controller would notice by missing heartbeats, after some minutes; nobody notices the controller's own end. So the
process that watches over each engine, its nanny, is asked now and then, through the controller.
"""

from concurrent.futures import Future
from contextlib import suppress
from time import monotonic
from typing import Any, Final

ASK_S: Final = 15.0
"""How long to wait between two questions."""

SILENCE_S: Final = 60.0
"""How long an answer may take before the engine counts as lost."""


def send_signal(client: Any, engine: int, number: int) -> "Future[Any]":
    """Have an engine's nanny send it a signal.

    Parameters
    ----------
    client : ipyparallel.Client
        The connection.
    engine : int
        The engine's number.
    number : int
        The signal's; 0 is one that isn't sent.

    Returns
    -------
    Future
        Done when the nanny has answered. That is never if the engine is lost, or has none.
    """
    from ipyparallel.error import NoEnginesRegistered

    answer: Future[Any] = Future()
    with suppress(IndexError, KeyError, NoEnginesRegistered, OSError):
        answer = client.send_signal(int(number), targets=[engine], block=False)
    return answer


class Watch:
    """Asks an engine for signs of life.

    Parameters
    ----------
    client : ipyparallel.Client
        The connection.
    engine : int
        The engine's number.
    """

    def __init__(self, client: Any, engine: int) -> None:
        self._client = client
        self._engine = engine
        self._sign: Future[Any] | None = None
        self._asked_s = monotonic()

    def is_silent(self) -> bool:
        """Say whether the engine has given no sign of life for so long that it counts as lost; to be called often."""
        silent_s = monotonic() - self._asked_s
        if self._sign is not None and not self._sign.done():
            return silent_s > SILENCE_S
        if silent_s > ASK_S:
            self._sign, self._asked_s = send_signal(self._client, self._engine, 0), monotonic()
        return False
