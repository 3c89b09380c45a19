"""Where a model can run here, and where not: found out by trying, with why not and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

from gsjupyter.benchmarking.records import ENGINES, TARGET_TITLES, TARGETS, Machine
from gsjupyter.benchmarking.targets.machine import this_machine, this_share
from gsjupyter.benchmarking.targets.onednn import SlowConvolutions, is_worth_measuring, judge, measure_convolution
from gsjupyter.benchmarking.targets.places import Place, look_around
from gsjupyter.benchmarking.targets.probes import forget_devices
from gsjupyter.errors import GsError, OptionError
from gsjupyter.progress import Steps
from gsjupyter.report import Cell, Column, Document, Facts, Level, Messages, Shown, Table, format_bytes

__all__ = ["Place", "Targets", "find_places", "targets"]

_Name = TypeVar("_Name", bound=str)


@dataclass(frozen=True, repr=False)
class Targets(Shown, Sequence[Place]):
    """Where models can run on this machine.

    Parameters
    ----------
    machine : Machine
        This machine.
    places : tuple of Place
        Each target with each engine.
    notes : tuple of str
        What else there is to know.
    slow_convolutions : SlowConvolutions, optional
        That MindSpore's convolutions take a slow path here; None if they don't, or if that wasn't measured.
    """

    machine: Machine
    places: tuple[Place, ...]
    notes: tuple[str, ...] = ()
    slow_convolutions: SlowConvolutions | None = None

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Place, ...]: ...
    def __getitem__(self, index: int | slice) -> Place | tuple[Place, ...]:
        return self.places[index]

    def __len__(self) -> int:
        return len(self.places)

    def document(self) -> Document:
        """Return what to show."""
        columns = [
            Column("target", "Target"),
            Column("engine", "Engine"),
            Column("there", "Works"),
            Column("details", "Installed"),
        ]
        table = Table("Where models can run", columns, [_row(place) for place in self.places])
        messages = Messages(self._messages())
        return Document("Targets", [_facts(self.machine), table, *([messages] if messages.items else [])])

    def _messages(self) -> list[tuple[Level, str]]:
        slow = self.slow_convolutions
        told: list[tuple[Level, str]] = [("warning", f"{slow.symptom} {slow.remedy}")] if slow is not None else []
        # Where several places lack the same, it is said once.
        lacking: dict[tuple[str, str], list[Place]] = {}
        for place in self.places:
            if not place.is_available:
                lacking.setdefault((place.obstacle, place.advice), []).append(place)
        for (obstacle, advice), places in lacking.items():
            told.append(("note", f"{_named(places)}: {obstacle} {advice}".rstrip()))
        return [*told, *(("note", note) for note in self.notes)]


def targets(*, check_onednn: bool = True) -> Targets:
    """Find out where models can run here: each engine is really started on each target, in a process of its own.

    Parameters
    ----------
    check_onednn : bool
        Whether to measure if MindSpore's convolutions take a slow path on this processor, which takes some seconds.

    Returns
    -------
    Targets
        What is there, why the rest isn't, and what to do about it.

    Examples
    --------
    >>> [place.title for place in gs.targets() if place.target == "cpu" and place.is_available]
    ['MindSpore', 'ONNX Runtime']
    """
    with Steps() as steps:
        steps.begin("asking the drivers")
        forget_devices()
        machine, notes = this_machine(), this_share().notes
        places = tuple(look_around(TARGETS, ENGINES, steps.begin))
        slow = None
        runs_mindspore = any(place.engine == "mindspore" and place.is_available for place in places)
        if check_onednn and runs_mindspore and is_worth_measuring(machine):
            steps.begin("timing a convolution in MindSpore")
            try:
                slow = judge(measure_convolution())
            except GsError as error:
                notes += (f"Whether convolutions take a slow path couldn't be measured: {error.message}",)
    return Targets(machine, places, notes, slow)


def find_places(targets: Sequence[str], engines: Sequence[str] = ENGINES) -> tuple[Place, ...]:
    """Find out where models can run, of the targets and engines that are wanted; nothing else is tried.

    Parameters
    ----------
    targets : sequence of {"cpu", "gpu", "ascend"}
        On what.
    engines : sequence of {"mindspore", "onnxruntime", "lite"}
        By what.

    Returns
    -------
    tuple of Place
        One for each target with each engine, in that order; behind ONNX Runtime on a GPU another for TensorRT, if that
        works.

    Raises
    ------
    OptionError
        If there is no such target or engine.
    """
    wanted = [_known(name, TARGETS, "target") for name in targets]
    by = [_known(name, ENGINES, "engine") for name in engines]
    return tuple(place for place in look_around(wanted, by) if place.is_available or place.provider != "tensorrt")


def _known(name: str, names: Sequence[_Name], what: str) -> _Name:
    for known in names:
        if name == known:
            return known
    raise OptionError(f"{what} must be one of {', '.join(names)}, not {name!r}.")


def _named(places: Sequence[Place]) -> str:
    """Return what to call places together, target by target."""
    by_title: dict[str, list[str]] = {}
    for place in places:
        by_title.setdefault(place.title, []).append(TARGET_TITLES[place.target])
    return "; ".join(f"{title} on {', '.join(where)}" for title, where in by_title.items())


def _row(place: Place) -> dict[str, Cell]:
    return {
        "target": TARGET_TITLES[place.target],
        "engine": place.title,
        "there": "yes" if place.is_available else "no",
        "details": place.details or None,
    }


def _facts(machine: Machine) -> Facts:
    devices = [
        f"{device.name}{f' with {format_bytes(device.memory_bytes)}' if device.memory_bytes else ''}"
        for device in machine.devices
    ]
    return Facts(
        [
            ("Machine", f"{machine.host}, {machine.system}"),
            ("Processor", machine.processor),
            ("Threads", f"{machine.threads}"),
            ("Memory", format_bytes(machine.memory_bytes)),
            ("Features", ", ".join(machine.features) or "none that matter"),
            ("Devices", ", ".join(devices) or "none"),
            ("Versions", ", ".join(f"{name} {number}" for name, number in machine.versions.items())),
        ]
    )
