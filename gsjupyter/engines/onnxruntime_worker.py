"""ONNX Runtime in a process of its own: what it answers to `onnxruntime.OnnxRuntimeModel`.

There is no MindSpore in it: that takes seconds to import, holds memory, and brings libraries of its own.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from gsjupyter.engines.execution_providers import PROVIDERS
from gsjupyter.engines.messages import Array
from gsjupyter.engines.onnx_structure import OnnxStructure, check_data_files, read_structure
from gsjupyter.engines.onnxruntime_session import SessionSettings, lacks_memory, load, onnxruntime, opened, said
from gsjupyter.engines.serving import Answer, Command, scratch, serve
from gsjupyter.engines.timed_runs import Run, TimedRuns
from gsjupyter.errors import EngineError, ModelFileError

_DTYPES: Final = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    **{f"tensor({name})": name for name in ("float16", "int8", "int16", "int32", "int64", "bool")},
    **{f"tensor({name})": name for name in ("uint8", "uint16", "uint32", "uint64")},
}
# ir_version 8, one Identity from x to y, both float32 of shape (1,), opset 13.
_ONE_OPERATOR: Final = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)


@dataclass(frozen=True)
class _Session:
    """A session of ONNX Runtime, the file it is of, and how it was opened."""

    session: Any
    path: Path
    structure: OnnxStructure
    settings: SessionSettings

    @property
    def file(self) -> str:
        return self.path.name

    @property
    def inputs(self) -> list[str]:
        return [value.name for value in self.session.get_inputs()]

    def explained(self, error: Exception) -> EngineError:
        if lacks_memory(error):
            return EngineError(f"there isn't enough memory to run {self.file}: {said(error)}")
        return EngineError(f"ONNX Runtime can't run {self.file}: {said(error)}")

    def description(self) -> dict[str, Any]:
        about = self.session.get_modelmeta()
        return {
            "name": about.graph_name,
            "producer": about.producer_name,
            "notes": {key: note for key, note in about.custom_metadata_map.items() if key.startswith("gsjupyter.")},
            "inputs": [_described(value) for value in self.session.get_inputs()],
            "outputs": [_described(value) for value in self.session.get_outputs()],
            "providers": self.session.get_providers(),
        }


class Engine:
    """Sessions of ONNX Runtime by a key of the caller's, and what can be asked of them."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._timed_runs = TimedRuns(self._bound, self._explained)

    def commands(self) -> Mapping[str, Command]:
        """Return what can be asked for, by name."""
        return {
            "load": self.load,
            "run": self.run,
            "unload": self.unload,
            "profile": self.profile,
            "obstacles": self.obstacles,
            "ready": self.ready,
            "operators": self.operators,
            **self._timed_runs.commands(),
        }

    def ready(self, arrays: Sequence[Array], *, target: str, threads: int) -> Answer:
        """Import the engine, so that loading a model is nothing but that, and count memory and energy from here on."""
        onnxruntime()
        self._timed_runs.begin(target)
        return {}, ()

    def load(self, arrays: Sequence[Array], *, path: str, provider: str, key: str = "", **settings: Any) -> Answer:
        """Load a model.

        Parameters
        ----------
        arrays : sequence of ndarray
            None.
        path : str
            The file.
        provider : str
            One of `PROVIDERS`.
        key : str
            What to call the session.
        **settings
            As in `SessionSettings`.

        Returns
        -------
        dict
            ``name``, ``producer`` and ``notes`` (the file's metadata, if gsjupyter's), ``inputs`` and ``outputs`` (each
            with ``name``, ``dtype`` and ``shape``), ``providers`` (those that really run it, the first one most of it),
            ``load_s`` (how long it took, in seconds).
        """
        begin = time.perf_counter()
        file = Path(path)
        structure = read_structure(file)
        check_data_files(file, structure.data_files)
        chosen = SessionSettings(PROVIDERS[provider], **settings)
        loaded = _Session(load(file, structure, chosen), file, structure, chosen)
        load_s = time.perf_counter() - begin
        try:
            description = {**loaded.description(), "load_s": load_s}
        except UnicodeDecodeError as error:
            raise ModelFileError(f"{file.name} is damaged: a name in it is no text.") from error
        self._sessions[key] = loaded
        return description, ()

    def unload(self, arrays: Sequence[Array], *, key: str) -> Answer:
        """Forget a session, and free its memory."""
        self._sessions.pop(key, None)
        return {}, ()

    def run(self, arrays: Sequence[Array], *, key: str = "", repeat: int = 1, names: Sequence[str] = ()) -> Answer:
        """Run a model on its inputs, more than once if asked to.

        Parameters
        ----------
        arrays : sequence of ndarray
            The inputs, and behind them values that take the place of stored ones.
        key : str
            The session.
        repeat : int
            How often.
        names : sequence of str
            Which stored values these replace.

        Returns
        -------
        dict
            ``durations_s``, one for each run.
        list of ndarray
            The outputs.
        """
        loaded = self._sessions[key]
        feed = dict(zip([*loaded.inputs, *names], arrays, strict=True))
        outputs: Sequence[Array] = ()
        durations = []
        try:
            for _ in range(repeat):
                begin = time.perf_counter()
                outputs = loaded.session.run(None, feed)
                durations.append(time.perf_counter() - begin)
        except Exception as error:
            raise loaded.explained(error) from error
        return {"durations_s": durations}, outputs

    def operators(self, arrays: Sequence[Array], *, runs: int) -> Answer:
        """Run the model on its inputs in another session, which is profiled; give ``operators``, a record for each."""
        from gsjupyter.engines.onnxruntime_profile import profiled

        loaded = self._sessions[""]

        def opened(begin: str) -> Any:
            return load(loaded.path, loaded.structure, replace(loaded.settings, profile_path=begin))

        feed = dict(zip(loaded.inputs, self._timed_runs.inputs, strict=True))
        with scratch() as folder:
            return {"operators": profiled(opened, loaded.path, feed, runs, folder)}, ()

    def _bound(self, arrays: Sequence[Array]) -> Run:
        loaded = self._sessions[""]
        return partial(loaded.session.run, None, dict(zip(loaded.inputs, arrays, strict=True)))

    def _explained(self, error: Exception) -> EngineError:
        return self._sessions[""].explained(error)

    def profile(self, arrays: Sequence[Array], *, key: str = "") -> Answer:
        """End profiling, and tell where the profile lies, as ``path``."""
        return {"path": self._sessions[key].session.end_profiling()}, ()

    def obstacles(self, arrays: Sequence[Array], *, names: Sequence[str] = tuple(PROVIDERS)) -> Answer:
        """Tell for each of these providers what is in its way; nothing for those that work."""
        found = {}
        for name in names:
            provider = PROVIDERS[name]
            try:
                opened(_ONE_OPERATOR, SessionSettings(provider))
            except EngineError as error:
                found[name] = error.message
            except Exception as error:  # noqa: BLE001 - whatever a driver raises is what is in the way
                found[name] = f"{provider.title} didn't start: {said(error)}"
            else:
                found[name] = ""
        return found, ()


def _described(value: Any) -> dict[str, Any]:
    return {"name": value.name, "dtype": _DTYPES.get(value.type, ""), "type": value.type, "shape": value.shape}


def main(descriptor: int) -> None:
    """Answer requests."""
    serve(descriptor, Engine().commands())
