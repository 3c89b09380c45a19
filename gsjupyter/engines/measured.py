"""A model in a fresh process that is there to be measured: whatever it does to that process, the notebook lives on."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from gsjupyter.engines.execution_providers import ENVIRONMENT, TITLE, WORKER, provider_of
from gsjupyter.engines.idleness import wait_until_idle
from gsjupyter.engines.lite import ENVIRONMENT as LITE_ENVIRONMENT
from gsjupyter.engines.lite import TITLE as LITE_TITLE
from gsjupyter.engines.lite import WORKER as LITE_WORKER
from gsjupyter.engines.messages import Array
from gsjupyter.engines.operator_records import OperatorRecord
from gsjupyter.engines.resources import Resources
from gsjupyter.engines.worker import Worker
from gsjupyter.errors import EngineError, OptionError, UnsupportedError
from gsjupyter.signature import InputSpec

_PROVIDERS: Final = {"cpu": "cpu", "gpu": "cuda", "ascend": "cann"}
_ANSWERING_S: Final = 60.0


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to run.

    Parameters
    ----------
    load_s : float
        How long it took to load it, in a process that was ready for it.
    inputs : tuple of InputSpec
        What it takes.
    providers : tuple of str
        ONNX Runtime's execution providers that run it, the first one most of it; empty for other engines.
    """

    load_s: float
    inputs: tuple[InputSpec, ...]
    providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class FirstRun:
    """What the first run took and gave.

    Parameters
    ----------
    duration_s : float
        How long it took, compiling included.
    outputs : tuple of ndarray
        The network's outputs, flat, in its own order.
    """

    duration_s: float
    outputs: tuple[Array, ...]


@dataclass(frozen=True)
class _Engine:
    title: str
    module: str
    environment: Mapping[str, str]
    # Whether variables tell it how many threads it may use. MindSpore sets them for itself if nobody else has.
    heeds_variables: bool


_ENGINES: Final = {
    "onnxruntime": _Engine(TITLE, WORKER, ENVIRONMENT, heeds_variables=True),
    "mindspore": _Engine("MindSpore", "gsjupyter.engines.mindspore_worker", {}, heeds_variables=False),
    "lite": _Engine(LITE_TITLE, LITE_WORKER, LITE_ENVIRONMENT, heeds_variables=True),
}


class MeasuredModel:
    """A model in a process of its own, which is started once, and whose runs are timed inside.

    Parameters
    ----------
    engine : {"mindspore", "onnxruntime", "lite"}
        What runs it.
    path : Path
        The file.
    target : {"cpu", "gpu", "ascend"}
        Where.
    provider : str, optional
        ONNX Runtime's execution provider; by default the target's own: ``cpu``, ``cuda`` or ``cann``.
    threads : int
        How many threads an operator may use on the CPU.
    environment : mapping of str to str, optional
        Variables to set in its process.

    Raises
    ------
    OptionError
        If there is no such target or provider, or no such number of threads.
    EngineError
        If there is nothing that could run it.

    Examples
    --------
    >>> with MeasuredModel("onnxruntime", Path("lenet.onnx"), threads=2) as model:
    ...     model.start()
    ...     model.first_run([x])
    ...     durations = model.timed(duration_s=0.3, least_runs=10)
    """

    def __init__(
        self,
        engine: str,
        path: Path,
        *,
        target: str = "cpu",
        provider: str = "",
        threads: int,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if engine not in _ENGINES:
            raise EngineError(f"gsjupyter has no runner for {engine!r}.", advice=f"Choose from {', '.join(_ENGINES)}.")
        if target not in _PROVIDERS:
            raise OptionError(f"target must be one of {', '.join(_PROVIDERS)}, not {target!r}.")
        if not isinstance(threads, int) or threads < 1:
            raise OptionError(f"threads must be a positive number, not {threads!r}.")
        self.engine = engine
        self.path = Path(path)
        self.target = target
        self.provider = provider_of(provider or _PROVIDERS[target]).name if engine == "onnxruntime" else ""
        self.threads = threads
        known = _ENGINES[engine]
        self._title = known.title
        self._worker = Worker(
            known.module,
            known.title,
            threads=threads if known.heeds_variables else None,
            environment={**known.environment, **(environment or {})},
            starts_again=False,
        )

    def start(self, limit_s: float | None = None) -> Loaded:
        """Start the process, wait until its engine is ready, and then load the model.

        Parameters
        ----------
        limit_s : float, optional
            How long that may take in all; any time by default.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged or none of the engine's.
        UnsupportedError
            If the engine lacks one of its operators, or it takes or gives what is no array of numbers.
        EngineError
            If the engine or the target isn't there, or it fails, ends or takes too long.
        """
        begin = time.monotonic()
        self._worker.call("ready", limit_s=limit_s, target=self.target, threads=self.threads)
        left_s = None if limit_s is None else max(0.0, limit_s - (time.monotonic() - begin))
        about, _ = self._worker.call("load", limit_s=left_s, path=str(self.path.absolute()), **self._settings())
        with self._as_agreed():
            foreign = [item["name"] for item in (*about["inputs"], *about["outputs"]) if not item["dtype"]]
            inputs = tuple(map(InputSpec.of, about["inputs"]))
            loaded = Loaded(float(about["load_s"]), inputs, tuple(about["providers"]))
        if foreign:
            self.close()
            raise UnsupportedError(f"{self.path.name} takes or gives {foreign[0]}, which is no array of numbers.")
        return loaded

    def first_run(self, arrays: Sequence[Array], *, limit_s: float | None = None) -> FirstRun:
        """Send the inputs, which stay there, and run once.

        Parameters
        ----------
        arrays : sequence of ndarray
            As `Loaded.inputs` says; they aren't checked.
        limit_s : float, optional
            How long it may take.

        Raises
        ------
        EngineError
            If it fails, ends or takes too long.
        """
        answer, outputs = self._worker.call("first_run", arrays, limit_s=limit_s)
        with self._as_agreed():
            return FirstRun(float(answer["duration_s"]), tuple(outputs))

    def timed(self, *, duration_s: float, least_runs: int = 1, limit_s: float | None = None) -> list[float]:
        """Run on those inputs again and again, and return how many seconds each run took.

        Parameters
        ----------
        duration_s : float
            How long the runs are to take in all, at least.
        least_runs : int
            How many there are to be, at least.
        limit_s : float, optional
            How long it may take.

        Raises
        ------
        EngineError
            If it fails, ends or takes too long.
        """
        _, results = self._worker.call("timed", limit_s=limit_s, duration_s=duration_s, least_runs=least_runs)
        with self._as_agreed():
            (durations,) = results
            return [float(duration) for duration in durations]

    def resources(self, *, limit_s: float | None = _ANSWERING_S) -> Resources:
        """Return what it has taken so far, besides time.

        Parameters
        ----------
        limit_s : float, optional
            How long that may take: a driver is asked.

        Raises
        ------
        EngineError
            If the process has ended, or takes too long.
        """
        answer, _ = self._worker.call("resources", limit_s=limit_s)
        with self._as_agreed():
            return Resources(**answer)

    def operators(self, runs: int, *, limit_s: float | None = None) -> list[OperatorRecord]:
        """Run under the engine's profiler, and return what each operator took.

        It takes memory for itself, so ask for `resources` before.

        Parameters
        ----------
        runs : int
            How many runs to look at.
        limit_s : float, optional
            How long it may take.

        Returns
        -------
        list of OperatorRecord
            One for each operator, in the order in which they ran.

        Raises
        ------
        EngineError
            If it fails or ends.
        """
        answer, _ = self._worker.call("operators", limit_s=limit_s, runs=runs)
        with self._as_agreed():
            return list(answer["operators"])

    def wait_until_idle(self, limit_s: float = 1.0) -> bool:
        """Wait until its process uses no CPU, and say whether that is so."""
        return wait_until_idle([number] if (number := self.process_id) is not None else [], limit_s)

    @property
    def process_id(self) -> int | None:
        """The process, if it runs."""
        return self._worker.process_id

    @property
    def last_words(self) -> str:
        """The last lines that the process has written."""
        return self._worker.last_words

    def close(self) -> None:
        """End the process."""
        self._worker.close()

    def _settings(self) -> dict[str, str | int]:
        """Return what the engine is to be told besides the file."""
        if self.engine == "onnxruntime":
            return {"provider": self.provider, "threads": self.threads}
        return {"device": self.target, "threads": self.threads} if self.engine == "lite" else {}

    @contextmanager
    def _as_agreed(self) -> Iterator[None]:
        """Take an answer apart; if it isn't what was agreed on, the process can't be trusted any more."""
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            self.close()
            raise EngineError(f"{self._title} gave another answer than it was asked for, and was ended.") from error

    def __enter__(self) -> "MeasuredModel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
