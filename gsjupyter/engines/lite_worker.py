"""MindSpore Lite in a process of its own: what it answers to `lite.LiteModel`, and when a model is measured.

There is no MindSpore in it: the two can't share a process, in either order.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gsjupyter.engines.lite_layout import Network, Port, as_network_gives, ports_of
from gsjupyter.engines.lite_session import TITLES, built, described, listening, lite, words
from gsjupyter.engines.lite_structure import LiteStructure, LiteTensor, is_lite_file, read_lite_structure
from gsjupyter.engines.messages import Array
from gsjupyter.engines.serving import Answer, Command, scratch, serve
from gsjupyter.engines.timed_runs import Run, TimedRuns
from gsjupyter.errors import EngineError, GsError, InputError, UnsupportedError
from gsjupyter.signature import InputSpec


@dataclass
class _Loaded:
    """A model in the engine, and what is known of the network that it was made from."""

    model: Any
    path: Path
    device: str
    ports: tuple[Port, ...]
    outputs: tuple[InputSpec, ...]

    def bound(self, arrays: Sequence[Array]) -> Run:
        """Return what runs the model on some inputs, as often as it is called, after it was made ready for so many.

        The outputs are as the network has them.

        Raises
        ------
        InputError
            If it can't be resized to them, or they hold integers that the file hasn't.
        """
        given = [port.for_engine(array) for port, array in zip(self.ports, arrays, strict=True)]
        shapes = [list(array.shape) for array in given]
        if [list(tensor.shape) for tensor in self.model.get_inputs()] != shapes:
            self._resize(shapes)
        tensors = self.model.get_inputs()

        def run() -> list[Array]:
            for tensor, array in zip(tensors, given, strict=True):
                tensor.set_data_from_numpy(array)
            outputs = [np.array(tensor.get_data_to_numpy()) for tensor in self.model.predict(tensors)]
            known = self.outputs if len(self.outputs) == len(outputs) else [None] * len(outputs)
            return [as_network_gives(*pair) for pair in zip(outputs, known, strict=True)]

        return run

    def _resize(self, shapes: list[list[int]]) -> None:
        try:
            with listening() as said:
                self.model.resize(self.model.get_inputs(), shapes)
        except Exception as error:
            written = ", ".join(str(port.tensor.shape) for port in self.ports)
            wanted = ", ".join(str(tuple(shape)) for shape in shapes)
            raise InputError(
                f"{self.path.name} was made for inputs of shape {written}, and MindSpore Lite can't change that to "
                f"{wanted}: {words(said, error)}",
                advice="Its batch size is built into the network: export it for the batch size that you need.",
            ) from error

    def explained(self, error: Exception) -> GsError:
        if isinstance(error, MemoryError):
            return EngineError(f"there isn't enough memory to run {self.path.name}.")
        return EngineError(f"MindSpore Lite can't run {self.path.name} on {TITLES[self.device]}: {self._why(error)}")

    def _why(self, error: Exception) -> str:
        """Run it once more, to hear what the engine says meanwhile: nobody listens while runs are timed."""
        try:
            with listening() as said:
                self.model.predict(self.model.get_inputs())
        except Exception:  # noqa: BLE001 - as expected
            return words(said, error)
        return words([], error)


class Engine:
    """A model in MindSpore Lite, and what can be asked of it."""

    def __init__(self) -> None:
        self._timed_runs = TimedRuns(self._bound, self._explained)
        self._loaded: _Loaded | None = None

    def commands(self) -> Mapping[str, Command]:
        """Return what can be asked for, by name."""
        return {
            "ready": self.ready,
            "load": self.load,
            "run": self.run,
            "operators": self.operators,
            **self._timed_runs.commands(),
        }

    def ready(self, arrays: Sequence[Array], *, target: str, threads: int) -> Answer:
        """Import the engine, so that loading a model is nothing but that, and count memory and energy from here on."""
        lite()
        self._timed_runs.begin(target)
        return {}, ()

    def load(self, arrays: Sequence[Array], *, path: str, device: str = "cpu", threads: int | None = None) -> Answer:
        """Load a model.

        Parameters
        ----------
        arrays : sequence of ndarray
            None.
        path : str
            The file.
        device : {"cpu", "gpu", "ascend"}
            Where to run it.
        threads : int, optional
            How many threads an operator may use on the CPU; Lite's own choice by default.

        Returns
        -------
        dict
            ``version`` (Lite's), ``inputs`` and ``outputs`` (as the network has them, each with ``name``, ``dtype`` and
            ``shape``), ``ports`` (the inputs as the engine has them), ``names`` (those of the network's outputs, None
            if nothing tells), ``providers`` (none), ``load_s`` (how long it took, in seconds).
        """
        begin = time.perf_counter()
        file = Path(path)
        package = lite()
        # Of MindIR the engine alone tells.
        is_mindir = file.is_file() and file.suffix.lower() == ".mindir" and not is_lite_file(file)
        written = None if is_mindir else read_lite_structure(file)
        model = built(package, file, device, threads, is_mindir=is_mindir)
        network, names = _completed(Network.beside(file), written)
        framework = written.framework if written is not None else ""
        ports = ports_of([described(tensor) for tensor in model.get_inputs()], framework, network)
        self._loaded = _Loaded(model, file, device, ports, network.outputs)
        return {
            "version": str(getattr(package, "__version__", "")),
            "inputs": [asdict(port.spec) for port in ports],
            "outputs": [asdict(spec) for spec in network.outputs],
            "ports": [{**asdict(port.tensor), "is_moved": port.is_moved} for port in ports],
            "names": names,
            "providers": [],
            "load_s": time.perf_counter() - begin,
        }, ()

    def run(self, arrays: Sequence[Array], *, repeat: int = 1) -> Answer:
        """Run the model on its inputs, more than once if asked to; give ``durations_s`` and the outputs."""
        loaded = self._model()
        outputs: Sequence[Array] = ()
        durations = []
        run = loaded.bound(arrays)
        try:
            for _ in range(repeat):
                begin = time.perf_counter()
                outputs = run()
                durations.append(time.perf_counter() - begin)
        except Exception as error:
            raise loaded.explained(error) from error
        return {"durations_s": durations}, outputs

    def operators(self, arrays: Sequence[Array], *, runs: int) -> Answer:
        """Refuse: the package has nothing that would tell."""
        raise UnsupportedError(
            "MindSpore Lite's Python package doesn't tell what each operator takes.",
            advice="Its benchmark program does, with --timeProfiling=true.",
        )

    def _bound(self, arrays: Sequence[Array]) -> Run:
        return self._model().bound(arrays)

    def _explained(self, error: Exception) -> GsError:
        return self._model().explained(error)

    def _model(self) -> _Loaded:
        if self._loaded is None:
            raise EngineError("MindSpore Lite has no model loaded.")
        return self._loaded


def _completed(network: Network, written: LiteStructure | None) -> tuple[Network, list[str] | None]:
    """Return what is known of the network, from the file where nothing else tells, and its outputs' own names."""
    names = [spec.name for spec in network.outputs] or None
    if written is None:
        return network, names
    if len(network.outputs) != len(written.outputs):
        network, names = replace(network, outputs=tuple(map(_as_spec, written.outputs))), None
    if len(network.inputs) != len(written.inputs):
        # Where the channels are is for their layout to say.
        network = replace(network, inputs=tuple(replace(_as_spec(item), shape=None) for item in written.inputs))
    return network, names


def _as_spec(tensor: LiteTensor) -> InputSpec:
    return InputSpec(tensor.name, tensor.shape, tensor.dtype)


def main(descriptor: int) -> None:
    """Answer requests, in a folder where the engine may leave what it wants."""
    with scratch() as folder:
        os.chdir(folder)
        serve(descriptor, Engine().commands())
