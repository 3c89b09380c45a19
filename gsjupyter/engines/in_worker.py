"""What models that run in a worker process have in common: how long they may take to load, and how they end."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from gsjupyter.engines.messages import Array
from gsjupyter.engines.worker import Worker

LOADED_BYTES_PER_S: Final = 20e6
"""No disk and no engine is slower than that: a model that takes longer to load hangs."""

_STARTING_S: Final = 120.0

Model = TypeVar("Model", bound="InWorker")


class InWorker(ABC):
    """A model in a process of its own, which ends with this object, with a ``with`` block, or by `close`."""

    _worker: Worker

    @abstractmethod
    def _checked(self, inputs: Sequence[Any]) -> list[Array]:
        """Return the inputs as arrays, checked against what the model takes."""

    def durations(self, *inputs: Any, repeat: int) -> list[float]:
        """Run the model some times on the same inputs, and return how many seconds each run took in its process.

        Raises
        ------
        InputError, EngineError
            As a call does.
        """
        answer, _ = self._worker.call("run", self._checked(inputs), repeat=repeat)
        return list(answer["durations_s"])

    def close(self) -> None:
        """End its process. A later call starts it again."""
        self._worker.close()

    def __enter__(self: Model) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def loading_limit_s(path: Path) -> float:
    """Return how long an engine may take to start and to load a file, in seconds."""
    try:
        size_bytes = path.stat().st_size
    except OSError:
        size_bytes = 0
    return _STARTING_S + size_bytes / LOADED_BYTES_PER_S
