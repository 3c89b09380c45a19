"""Lite's own benchmark program: runs .ms files where only a release is, and no Python package for this Python.

It takes inputs as files of bytes, and what to expect as text, and says in words how long runs took or how near the
outputs were: it has no way to give them. So the outputs of a network are held against the file's there, not here.
"""

import math
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.choices import check_choice, check_count
from gsjupyter.engines.lite import TITLE
from gsjupyter.engines.lite_benchmark_output import Comparison, RunTimes, failure, nonsense, read_comparison, read_times
from gsjupyter.engines.lite_layout import Network, ports_of
from gsjupyter.engines.lite_structure import LiteStructure, LiteTensor, read_lite_structure
from gsjupyter.engines.messages import Array
from gsjupyter.errors import EngineError, InputError, ModelFileError, UnsupportedError
from gsjupyter.formats.lite.installation import find_benchmark, program_environment, what_to_get
from gsjupyter.formats.lite.program import Ended, run_program
from gsjupyter.formats.lite.settings import DEVICES
from gsjupyter.formats.lite.work_folder import work_folder
from gsjupyter.interrupts import interruptible
from gsjupyter.signature import check_inputs, is_tensor

PROGRAM_LIMIT_S: Final = 600.0

_DEVICES: Final = {"cpu": "CPU", "gpu": "GPU", "ascend": "Ascend"}
_PROGRAM: Final = "Lite's benchmark program"
# Both figures are told then, however far the outputs are off: whether that is near enough is for the caller to say.
_ANY_BIAS: Final = "--accuracyThreshold=1e9"
_ANY_COSINE: Final = "--cosineDistanceThreshold=-1"


@dataclass(frozen=True)
class ProgramResult:
    """What Lite's benchmark program has found.

    Parameters
    ----------
    times : RunTimes
        How long it takes.
    comparison : Comparison, optional
        How near its outputs are to those expected; None if none were given.
    """

    times: RunTimes
    comparison: Comparison | None = None


class LiteProgram:
    """The program ``benchmark`` of a MindSpore Lite release, for machines without its Python package.

    Parameters
    ----------
    program : str or Path, optional
        The program, or the release's folder. By default it is looked for where ``LITE_HOME`` says, and on PATH.
    device : {"cpu", "gpu", "ascend"}
        Where it is to run models.
    threads : int
        How many threads an operator may use on the CPU.
    limit_s : float
        How long it may take before it counts as hung.

    Raises
    ------
    OptionError
        If there is no such device, or no such number of threads.
    EngineError
        If there is no such program.

    Examples
    --------
    >>> LiteProgram("mindspore-lite-2.7.0-linux-x64").run("lenet.ms", [x], [lenet(x)]).comparison.cosine
    """

    def __init__(
        self,
        program: str | Path = "",
        *,
        device: str = "cpu",
        threads: int = 2,
        limit_s: float = PROGRAM_LIMIT_S,
    ) -> None:
        check_choice("device", device, DEVICES)
        check_count("threads", threads)
        self.path = _found(program)
        self.device = device
        self.threads = threads
        self._limit_s = limit_s

    def run(
        self,
        path: str | Path,
        inputs: Sequence[Any] | None = None,
        expected: Sequence[Any] | None = None,
        *,
        runs: int = 10,
        warm_up_runs: int = 3,
    ) -> ProgramResult:
        """Time a file, and hold its outputs against what is expected.

        Parameters
        ----------
        path : str or Path
            The ``.ms`` file.
        inputs : sequence of ndarray or Tensor, optional
            As the network takes them, or the file. Random ones by default.
        expected : sequence of ndarray or Tensor, optional
            The network's outputs on these, flat, in its order.
        runs : int
            How many runs count.
        warm_up_runs : int
            How many run before them.

        Raises
        ------
        OptionError
            If there is no such number of runs.
        InputError
            If inputs or expected outputs don't fit the file.
        ModelFileError
            If the file is missing, damaged, none of Lite's, or Lite can't load it.
        EngineError
            If the program doesn't start, fails, crashes, takes too long, or says nothing that makes sense.
        """
        check_count("runs", runs)
        check_count("warm_up_runs", warm_up_runs, 0)
        file = Path(path).expanduser().absolute()
        structure = read_lite_structure(file)
        if expected is not None and inputs is None:
            raise InputError("outputs are expected, and the inputs aren't given that they belong to.")
        with interruptible(), work_folder() as folder:
            loops = [f"--loopCount={runs}", f"--warmUpLoopCount={warm_up_runs}"]
            given, told = self._fed(file, structure, inputs, folder, loops)
            times = read_times(told, runs=runs, threads=self.threads)
            if expected is None:
                return ProgramResult(times)
            arrays = _arrays(expected)
            _check_count(file, structure, arrays)
            _write_expected(folder / "expected.txt", structure.outputs, arrays)
            compares = ["--benchmarkDataFile=expected.txt", _ANY_BIAS, _ANY_COSINE]
            return ProgramResult(times, self._compared(self._said(file, folder, [*given, *compares])))

    def _fed(
        self, file: Path, structure: LiteStructure, inputs: Sequence[Any] | None, folder: Path, more: Sequence[str]
    ) -> tuple[list[str], str]:
        """Run the program on inputs; return what tells it of them, and what it has said."""
        if inputs is None:
            return [], self._said(file, folder, more)
        arrays = _as_file_takes(file, structure, inputs)
        given = _input_arguments(arrays, structure.inputs, folder)
        try:
            return given, self._said(file, folder, [*more, *given])
        except InputError:
            if all(array.dtype != np.float16 for array in arrays):
                raise
        # An engine that has no float16, as on most processors, takes float32 in its place.
        wider = [array.astype(np.float32) if array.dtype == np.float16 else array for array in arrays]
        given = _input_arguments(wider, structure.inputs, folder)
        return given, self._said(file, folder, [*more, *given])

    def _said(self, file: Path, folder: Path, more: Sequence[str]) -> str:
        """Run the program, and return what it has said."""
        ended = run_program(
            [str(self.path), *benchmark_arguments(file, self.device, self.threads), *more],
            title=_PROGRAM,
            environment=program_environment(self.path),
            folder=folder,
            limit_s=self._limit_s,
        )
        if ended.exit_code < 0:
            raise _crash(ended, file)
        if ended.exit_code:
            raise failure(ended.log, ended.exit_code, file.name)
        return ended.log

    def _compared(self, text: str) -> Comparison:
        found = read_comparison(text)
        if found is None or math.isnan(found.mean_bias):
            raise nonsense(text)
        return found


def benchmark_arguments(model: Path | str, device: str, threads: int) -> list[str]:
    """Return the arguments of ``benchmark`` that say what is to run, and where.

    Parameters
    ----------
    model : Path or str
        The ``.ms`` file.
    device : {"cpu", "gpu", "ascend"}
        Where to run it.
    threads : int
        How many threads an operator may use on the CPU.
    """
    return [
        f"--modelFile={model}",
        "--modelType=MindIR_Lite",
        f"--device={_DEVICES[device]}",
        f"--numThreads={threads}",
    ]


def _found(program: str | Path) -> Path:
    named = Path(program).expanduser() if program else None
    if named is not None and named.is_file():
        return named.absolute()
    found = find_benchmark(str(program))
    if found is None:
        raise EngineError(f"{TITLE}'s benchmark program isn't here.", advice=what_to_get())
    return found


def _arrays(values: Sequence[Any]) -> list[Array]:
    return [value.asnumpy() if is_tensor(value) else np.asarray(value) for value in values]


def _as_file_takes(file: Path, structure: LiteStructure, inputs: Sequence[Any]) -> list[Array]:
    """Return inputs as a file takes them, checked."""
    ports = ports_of(structure.inputs, structure.framework, Network.beside(file))
    arrays = _arrays(inputs)
    specs = [port.spec for port in ports]
    if len(arrays) == len(ports):
        specs = [port.spec_of(array) for port, array in zip(ports, arrays, strict=True)]
    check_inputs(file.stem, specs, arrays)
    return [port.for_engine(array) for port, array in zip(ports, arrays, strict=True)]


def _input_arguments(arrays: Sequence[Array], tensors: Sequence[LiteTensor], folder: Path) -> list[str]:
    """Write inputs, and return what tells the program of them."""
    names = [f"input{index}.bin" for index in range(len(arrays))]
    for name, array in zip(names, arrays, strict=True):
        (folder / name).write_bytes(array.tobytes())
    arguments = [f"--inDataFile={','.join(names)}"]
    if any(array.shape != tensor.shape for tensor, array in zip(tensors, arrays, strict=True)):
        shapes = (",".join(map(str, array.shape)) for array in arrays)
        arguments.append(f"--inputShapes={':'.join(shapes)}")
    return arguments


def _check_count(file: Path, structure: LiteStructure, arrays: Sequence[Array]) -> None:
    count = len(structure.outputs)
    if count != len(arrays):
        raise InputError(f"{file.name} gives {count} output{'s' * (count != 1)}, {len(arrays)} are expected.")


def _write_expected(path: Path, tensors: Sequence[LiteTensor], arrays: Sequence[Array]) -> None:
    """Write what the program is to expect: of each output a line with name and shape, and one with the values."""
    lines = []
    for tensor, array in zip(tensors, arrays, strict=True):
        if not tensor.name or any(character.isspace() for character in tensor.name):
            raise UnsupportedError(
                f"{_PROGRAM} can't be told what to expect of the output {tensor.name!r}: its name isn't one word."
            )
        values = _as_file_has(array, tensor)
        if not np.isfinite(values).all():
            raise InputError(
                f"what is expected of {tensor.name} holds NaN or infinity, which {_PROGRAM} can't compare."
            )
        lines.append(" ".join([tensor.name, str(values.ndim), *map(str, values.shape)]))
        lines.append(" ".join(f"{value:.9g}" for value in values.ravel().astype(np.float64).tolist()))
    path.write_text("\n".join(lines), encoding="utf-8")


def _as_file_has(array: Array, tensor: LiteTensor) -> Array:
    """Return what the network gives as the file gives it: with the channels last, if only that fits its shape."""
    if array.ndim != 4 or len(tensor.shape) != 4 or array.shape[1:] == tensor.shape[1:]:
        return array
    moved = array.transpose(0, 2, 3, 1)
    return moved if moved.shape[1:] == tensor.shape[1:] else array


def _crash(ended: Ended, file: Path) -> EngineError | ModelFileError:
    if ended.exit_code == -signal.SIGKILL:
        return EngineError(f"{_PROGRAM} was killed (SIGKILL), most likely because memory ran out.")
    lines = [line.strip() for line in ended.log.splitlines() if line.strip()]
    words = f" It said last: {' / '.join(lines[-3:])[-400:]}" if lines else ""
    return ModelFileError(
        f"{file.name} makes {_PROGRAM} crash ({ended.signal_name}).{words}",
        advice="Convert it with the release of MindSpore Lite that runs it, or export or copy it again.",
    )
