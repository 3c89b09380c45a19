"""What is known of a row when it is judged: its figures, those of its sisters, its file, and what really ran.

Reading is put off until a rule asks, and whatever can't be read is None: a rule then has nothing to say.
"""

import os
import socket
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Final

import numpy as np

from gsjupyter.benchmarking.advice.mindir_network import MindIRNetwork
from gsjupyter.benchmarking.advice.network_files import NetworkFiles
from gsjupyter.benchmarking.advice.onnx_network import Numbers, OnnxNetwork
from gsjupyter.benchmarking.records import Machine, Measurement
from gsjupyter.benchmarking.results.names import row_names
from gsjupyter.benchmarking.statistics.comparison import Comparison, compare
from gsjupyter.benchmarking.targets.onednn import (
    VARIABLE,
    SlowConvolutions,
    is_worth_measuring,
    judge,
    measure_convolution,
)
from gsjupyter.errors import EngineError

_FILE: Final = ("subject", "digest")


class MachineFacts:
    """What is known of this machine besides its description; measured when it is first asked for.

    Parameters
    ----------
    environment : mapping of str to str
        The environment in which its rows ran.
    slow_convolutions : SlowConvolutions, optional
        That MindSpore's convolutions take the slow path here, if that has been measured already.
    """

    def __init__(
        self, environment: Mapping[str, str] = os.environ, *, slow_convolutions: SlowConvolutions | None = None
    ) -> None:
        self._environment = environment
        self._known: dict[tuple[str, str], SlowConvolutions | None] = {}
        if slow_convolutions is not None:
            self._known[socket.gethostname(), environment.get(VARIABLE, "")] = slow_convolutions

    def slow_convolutions(self, machine: Machine) -> SlowConvolutions | None:
        """Return that MindSpore's convolutions take the slow path on a machine; None if not, or if it is another."""
        key = (machine.host, self._environment.get(VARIABLE, ""))
        if key not in self._known:
            is_suspect = machine.host == socket.gethostname() and is_worth_measuring(machine, self._environment)
            self._known[key] = _measured() if is_suspect else None
        return self._known[key]


def _measured() -> SlowConvolutions | None:
    try:
        return judge(measure_convolution())
    except EngineError:
        # It won't go better with the next row.
        return None


THIS_MACHINE: Final = MachineFacts()
"""What was measured in this process, in the environment that it has."""


@dataclass(frozen=True)
class Evidence:
    """A row of a benchmark, and all that may explain its figures.

    Parameters
    ----------
    row : Measurement
        The row to judge. It has figures.
    rows : sequence of Measurement
        All rows of the benchmark, this one too.
    machine : Machine, optional
        What it ran on, if that is known.
    files : NetworkFiles
        The files of the benchmark.
    facts : MachineFacts
        What can be measured of this machine.
    """

    row: Measurement
    rows: Sequence[Measurement]
    machine: Machine | None = None
    files: NetworkFiles = field(default_factory=lambda: NetworkFiles({}))
    facts: MachineFacts = THIS_MACHINE

    @property
    def median_s(self) -> float:
        """The median latency of a run, in seconds."""
        return float(np.median(self.row.durations_s))

    @cached_property
    def onnx(self) -> OnnxNetwork | None:
        """What its ONNX file holds."""
        return self.files.onnx(self.row.setting)

    @cached_property
    def running(self) -> OnnxNetwork | None:
        """The network as ONNX Runtime really runs it."""
        return self.files.running(self.row.setting)

    @cached_property
    def mindir(self) -> MindIRNetwork | None:
        """What its MindIR file holds."""
        return self.files.mindir(self.row.setting)

    @cached_property
    def numbers(self) -> Numbers:
        """What its network computes with, as the file says; empty if that isn't known."""
        return self.numbers_of(self.row)

    def numbers_of(self, row: Measurement) -> Numbers:
        """Return what the network of a row computes with."""
        network = self.files.network(row.setting)
        return network.numbers if network is not None else ""

    @cached_property
    def slow_convolutions(self) -> SlowConvolutions | None:
        """That MindSpore's convolutions take oneDNN's slow path where the row ran, if it runs any there."""
        setting, network = self.row.setting, self.mindir
        if setting.target != "cpu" or network is None or not network.convolutions or self.machine is None:
            return None
        return self.facts.slow_convolutions(self.machine)

    @property
    def is_x86(self) -> bool:
        """Whether the processor is known to be of the x86 family."""
        features = self.machine.features if self.machine is not None else ()
        return any(feature.startswith(("avx", "amx")) for feature in features)

    def has_feature(self, *parts: str) -> bool:
        """Say whether the processor has an instruction set whose name contains one of these."""
        features = self.machine.features if self.machine is not None else ()
        return any(part in feature for part in parts for feature in features)

    def name_of(self, row: Measurement) -> str:
        """Return what a row of this benchmark is called."""
        return dict(zip(map(id, self.rows), row_names([item.setting for item in self.rows]), strict=True))[id(row)]

    def others(self, *free: str) -> list[Measurement]:
        """Return rows with figures that differ from this one in nothing but some fields of the setting.

        Parameters
        ----------
        *free : str
            The fields that may be other ones, ``"threads"`` for example.
        """
        fixed = [item.name for item in fields(self.row.setting) if item.name not in free]
        own = self.row.setting
        return [
            other
            for other in self.rows
            if other.has_figures
            and other.setting != own
            and all(getattr(other.setting, name) == getattr(own, name) for name in fixed)
        ]

    def sisters(self, *free: str, numbers: Numbers | None = None) -> list[Measurement]:
        """Return rows of the same network in another file: as many weights, of the same sizes.

        Parameters
        ----------
        *free : str
            The fields of the setting that may be other ones too.
        numbers : str, optional
            What they must compute with.
        """
        own = self.files.network(self.row.setting)
        if own is None or not own.weight_sizes:
            return []
        found = []
        for other in self.others(*_FILE, *free):
            network = self.files.network(other.setting)
            is_alike = network is not None and network.weight_sizes == own.weight_sizes
            if is_alike and network is not None and numbers in (None, network.numbers):
                found.append(other)
        return found

    @cached_property
    def float_sister(self) -> Measurement | None:
        """The row of the same network in float32, all else being equal."""
        return next(iter(self.sisters(numbers="float32")), None)

    def against(self, other: Measurement) -> Comparison | None:
        """Return how fast another row is, compared with this one: a speed-up above 1 is the other's."""
        return compare((other,), self.row)[0]

    def faster(self, others: Collection[Measurement]) -> tuple[Measurement, float] | None:
        """Return which of some rows is surely faster than this one, and how many times; the fastest of several."""
        found = []
        for other in others:
            comparison = self.against(other)
            if comparison is not None and comparison.verdict == "faster" and comparison.speed_up is not None:
                found.append((other, comparison.speed_up.estimate))
        return max(found, key=lambda item: item[1], default=None)

    @cached_property
    def shares(self) -> Counter[str]:
        """The share of the operators' time of each kind of operator; empty if that wasn't measured."""
        shares: Counter[str] = Counter()
        for item in self.row.operators:
            shares[item.operator] += item.share  # type: ignore[assignment]  # a Counter adds up any numbers
        return shares

    def share_of(self, operators: Collection[str]) -> float | None:
        """Return the share of the operators' time that some kinds of operators take; None if it wasn't measured."""
        return float(sum(self.shares[kind] for kind in operators)) if self.row.operators else None
