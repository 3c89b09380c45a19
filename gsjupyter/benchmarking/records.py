"""What a benchmark holds and what its file keeps: plain values, read without an engine or MindSpore."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Target: TypeAlias = Literal["cpu", "gpu", "ascend"]
EngineName: TypeAlias = Literal["mindspore", "onnxruntime", "lite"]

TARGETS: Final[tuple[Target, ...]] = ("cpu", "gpu", "ascend")
ENGINES: Final[tuple[EngineName, ...]] = ("mindspore", "onnxruntime", "lite")
ENGINE_TITLES: Final[Mapping[EngineName, str]] = {
    "mindspore": "MindSpore",
    "onnxruntime": "ONNX Runtime",
    "lite": "MindSpore Lite",
}
TARGET_TITLES: Final[Mapping[Target, str]] = {"cpu": "CPU", "gpu": "GPU", "ascend": "Ascend"}


@dataclass(frozen=True)
class Device:
    """A graphics card or a neural processor.

    Parameters
    ----------
    target : {"gpu", "ascend"}
        What it counts as.
    name : str
        Its maker's name for it.
    memory_bytes : int, optional
        Its memory; None if it doesn't tell.
    driver : str
        The driver's version; empty if it doesn't tell.
    """

    target: Target
    name: str
    memory_bytes: int | None = None
    driver: str = ""


@dataclass(frozen=True)
class Machine:
    """Where a benchmark ran.

    Parameters
    ----------
    host : str
        The machine's name.
    system : str
        The operating system and its version.
    processor : str
        The processor's name.
    threads : int
        How many threads can run at once: what this process may use, and not what the machine has.
    memory_bytes : int
        The memory that this process may use.
    features : tuple of str
        The processor's instruction sets that matter here: ``avx2``, ``avx512_vnni``, ``amx_int8``, ...
    devices : tuple of Device
        What it has besides.
    versions : mapping of str to str
        The software, by package.
    """

    host: str
    system: str
    processor: str
    threads: int
    memory_bytes: int
    features: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What a row of a benchmark was measured with: the key by which rows of several benchmarks are one.

    Parameters
    ----------
    subject : str
        What ran: a label that no other subject of the benchmark has.
    engine : {"mindspore", "onnxruntime", "lite"}
        What ran it.
    target : {"cpu", "gpu", "ascend"}
        On what.
    batch : int
        How many samples each run took.
    threads : int
        How many threads an operator could use.
    host : str
        On which machine.
    provider : str
        ONNX Runtime's execution provider, ``cpu`` or ``tensorrt`` for example; empty for other engines.
    digest : str
        The SHA-256 of the file that ran, and of its values where they lie in files beside it: the same label for
        another model is another row.
    """

    subject: str
    engine: EngineName
    target: Target
    batch: int
    threads: int
    host: str
    provider: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Block:
    """Some runs in a row; all rows of a benchmark have one in each round, in random order.

    Parameters
    ----------
    session : str
        Which call of `benchmark` this is of.
    launch : int
        Which fresh process of the row, from 0.
    round : int
        Which round of that launch, from 0.
    durations_s : tuple of float
        How long each run took.
    """

    session: str
    launch: int
    round: int
    durations_s: tuple[float, ...]


@dataclass(frozen=True)
class Launch:
    """A fresh process: what it took to get ready, and what it held in the end.

    Parameters
    ----------
    session : str
        Which call of `benchmark` this is of.
    number : int
        Which fresh process of the row, from 0.
    load_s : float
        How long it took to load the model, in a process that was ready for it.
    first_run_s : float
        How long the first run took, compiling included.
    warm_up_runs : int
        How many runs came before the ones that count, the first included.
    is_stable : bool
        Whether their durations had settled by then.
    host_memory_bytes : int
        The most memory that the process held, less what it held before the model was loaded.
    device_memory_bytes : int, optional
        What the device held more when the model was warm than before; None on the CPU, or if the device doesn't tell.
    energy_j : float, optional
        What the counted runs of this launch took, of the processor or the device; None if it doesn't tell.
    """

    session: str
    number: int
    load_s: float
    first_run_s: float
    warm_up_runs: int
    is_stable: bool
    host_memory_bytes: int
    device_memory_bytes: int | None = None
    energy_j: float | None = None


@dataclass(frozen=True)
class OutputCheck:
    """A row's outputs against the reference on the same input.

    Parameters
    ----------
    reference : str
        What it was held against, in words.
    sqnr_db : float
        The lowest signal to quantization noise ratio of all outputs, in decibel; infinite if equal.
    max_abs_error : float
        The largest difference.
    argmax_agreement : float, optional
        The share of samples classified alike; None if it is no classifier.
    samples : int
        How many samples were compared.
    """

    reference: str
    sqnr_db: float
    max_abs_error: float
    argmax_agreement: float | None
    samples: int


@dataclass(frozen=True)
class OperatorTime:
    """What an operator of a running network takes.

    Parameters
    ----------
    name : str
        The operator's name, as the engine has it.
    operator : str
        Its kind, ``QLinearConv`` for example.
    layer : str
        The layer it belongs to; empty if that is not known.
    duration_s : float
        The median over the profiled runs.
    share : float
        Its share of the time of all operators.
    """

    name: str
    operator: str
    layer: str
    duration_s: float
    share: float


@dataclass(frozen=True)
class Finding:
    """An answer to "why isn't it faster?".

    Parameters
    ----------
    rule : str
        The rule's name, ``signed-activations`` for example.
    symptom : str
        What was seen in this very case, with its figures.
    remedy : str
        What to change.
    gain : str
        What to expect from it, ``"up to 2.1x"`` for example; empty if it can't be told beforehand.
    """

    rule: str
    symptom: str
    remedy: str
    gain: str = ""


@dataclass(frozen=True)
class Measurement:
    """A row of a benchmark.

    Parameters
    ----------
    setting : Setting
        What was measured.
    size_bytes : int
        The size of the file that ran, with what lies beside it; 0 if there is none.
    launches : tuple of Launch
        Its processes.
    blocks : tuple of Block
        Its counted runs.
    check : OutputCheck, optional
        Its outputs against the reference; None if there was nothing to compare with.
    operators : tuple of OperatorTime
        What its operators take, the longest first; empty if that wasn't asked for, or the engine doesn't tell.
    findings : tuple of Finding
        What could be better.
    obstacle : str
        Why there are no figures, or no more of them: it isn't there, it crashed, ...; empty if all went well.
    advice : str
        What to do about that.
    """

    setting: Setting
    size_bytes: int = 0
    launches: tuple[Launch, ...] = ()
    blocks: tuple[Block, ...] = ()
    check: OutputCheck | None = None
    operators: tuple[OperatorTime, ...] = ()
    findings: tuple[Finding, ...] = ()
    obstacle: str = ""
    advice: str = ""

    @property
    def has_figures(self) -> bool:
        """Whether it was timed at all."""
        return bool(self.blocks)

    @cached_property
    def durations_s(self) -> npt.NDArray[np.float64]:
        """All counted runs, of shape (runs,)."""
        return np.array([duration for block in self.blocks for duration in block.durations_s], np.float64)

    @cached_property
    def block_medians_s(self) -> dict[tuple[str, int, int], float]:
        """The median of each block, by session, launch and round: what rows are compared by."""
        return {(item.session, item.launch, item.round): float(np.median(item.durations_s)) for item in self.blocks}
