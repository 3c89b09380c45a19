"""The runs of a sensitivity on the machines of a cluster: without it a large network has this machine's cores only.

Each machine gets the float network and its example once, and then, one after the other, the weights of single layers
as they come back from few bits, until none are left. What a lost machine had is taken by the others.
"""

import json
import math
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gsjupyter.cluster import Call, LostEngineError, Task, connected, run_tasks
from gsjupyter.cluster.engine_folder import added, file_in, has_folder, remove_folder, sent, working_in
from gsjupyter.errors import ClusterError
from gsjupyter.float_runs import close_worker, variant_runs
from gsjupyter.interrupts import interruptible
from gsjupyter.layer_gains import FloatRuns
from gsjupyter.mindir import Array, Model, load_model, save_model

if TYPE_CHECKING:
    from ipyparallel import Client

_MODEL: Final = "model"


def errors_on(
    cluster: "Client | str",
    model: Model,
    example: Sequence[Array],
    tell: Callable[[str], object],
    variants: Sequence[Callable[[], Mapping[str, Array]]],
) -> list[float | None]:
    """Return the error powers of a network's output with other values for some of its parameters.

    Parameters
    ----------
    cluster : ipyparallel.Client or str
        Where to run it: a connection, or the name of a profile.
    model : Model
        The network, without side effects.
    example : sequence of ndarray
        One batch of its input.
    tell : callable
        What is told, in a line, what goes on.
    variants : sequence of callable
        Each gives the parameters that differ, by their names.

    Returns
    -------
    list of float or None
        For each variant; None for those that no machine was left for.

    Raises
    ------
    ClusterError
        If the cluster can't be reached, or lacks something.
    GsError
        If the network can't be run there.
    """
    tell("connect to the cluster")
    with connected(cluster) as found, tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder:
        work = _Work(model, example, variants, Path(folder))
        outcomes, is_whole = run_tasks(
            found, [Task(host, work.steps) for host in found.hosts], lambda host, text: tell(f"{host.name}: {text}")
        )
    if not is_whole:
        raise KeyboardInterrupt
    for outcome in outcomes:
        if outcome.error is not None and not isinstance(outcome.error, LostEngineError):
            raise outcome.error
    return work.errors


class _Work:
    """The variants, shared by all machines: each takes the next one when it is done with one."""

    def __init__(
        self,
        model: Model,
        example: Sequence[Array],
        variants: Sequence[Callable[[], Mapping[str, Array]]],
        folder: Path,
    ) -> None:
        self.errors: list[float | None] = [None] * len(variants)
        self._variants = variants
        self._waiting = deque(range(len(variants)))
        self._folder = folder
        place = folder / _MODEL
        place.mkdir()
        saved = save_model(model, place / "network.mindir")
        self._files = {path.relative_to(folder).as_posix(): path for path in saved}
        self._model = next(iter(self._files))
        self._example = self._saved("example", example)
        self._files |= self._example

    def steps(self) -> Generator[Call, str, None]:
        """Have an engine run variants, as long as there are any."""
        token = yield from sent(self._files)
        try:
            about = json.dumps({"model": self._model, "example": list(self._example)})
            yield Call(__name__, open_network.__name__, (token, about))
            while self._waiting:
                number = self._waiting.popleft()
                try:
                    self.errors[number] = yield from self._error(token, number)
                finally:
                    if self.errors[number] is None:
                        self._waiting.appendleft(number)
        except Exception:
            yield Call(__name__, close_network.__name__, (token,))
            raise
        yield Call(__name__, close_network.__name__, (token,))

    def _error(self, token: str, number: int) -> Generator[Call, str, float]:
        parameters = self._variants[number]()
        files = self._saved(f"variants/{number}", list(parameters.values()))
        try:
            yield from added(token, files)
        finally:
            for path in files.values():
                path.unlink()
        about = json.dumps(dict(zip(parameters, files, strict=True)))
        answer = yield Call(__name__, error_power.__name__, (token, about))
        return _read(answer)

    def _saved(self, place: str, arrays: Sequence[Array]) -> dict[str, Path]:
        folder = self._folder / place
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for number, array in enumerate(arrays):
            path = files[f"{place}/{number}.npy"] = folder / f"{number}.npy"
            np.save(path, array, allow_pickle=False)
        return files


def _read(answer: str) -> float:
    try:
        error = float(answer)
    except ValueError:
        error = math.nan
    if not error >= 0:
        raise ClusterError(f"an engine answered {answer[:40]!r} instead of an error power.")
    return error


_open: Final[dict[str, tuple[ExitStack, FloatRuns]]] = {}


def open_network(token: str, about: str) -> str:
    """Get ready here for runs of a network that was sent to a folder."""
    for other in [known for known in _open if not has_folder(known)]:
        # Its client has died, and nobody else closes it.
        _open.pop(other)[0].close()
    content = json.loads(about)
    with working_in(token), interruptible(), ExitStack() as stack:
        runner = stack.enter_context(variant_runs(load_model(file_in(token, content["model"]))))
        example = [np.load(file_in(token, name), allow_pickle=False) for name in content["example"]]
        runs = FloatRuns(runner, example)
        _open[token] = stack.pop_all(), runs
    return ""


def error_power(token: str, about: str) -> str:
    """Run the network here with other values for some parameters, and return the output's error power."""
    parameters = {}
    for name, file in json.loads(about).items():
        place = file_in(token, file)
        parameters[name] = np.load(place, allow_pickle=False)
        place.unlink()
    with working_in(token), interruptible():
        return repr(_open[token][1].error(parameters))


def close_network(token: str) -> str:
    """End the runs of a network here, and remove its folder."""
    if token in _open:
        with working_in(token):
            _open.pop(token)[0].close()
            close_worker()
    return remove_folder(token)
