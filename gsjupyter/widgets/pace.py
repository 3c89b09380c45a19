"""How often the browser is told of progress: a network of 300 layers would else send it thousands of messages."""

from collections.abc import Callable
from typing import Final

MESSAGES_EACH_S: Final = 10.0
_MOST_AT_ONCE: Final = 20.0


class Pace:
    """Lets ten messages a second through, and a few more where many steps begin at once: the last one must be seen.

    Parameters
    ----------
    clock : callable
        What tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = _MOST_AT_ONCE
        self._last_s = clock()

    def allows(self) -> bool:
        """Say whether another message may be sent now."""
        now_s = self._clock()
        self._left = min(_MOST_AT_ONCE, self._left + (now_s - self._last_s) * MESSAGES_EACH_S)
        self._last_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
