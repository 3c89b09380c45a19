"""How long and how often a benchmark runs, checked before the work: what its error rate depends on."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from gsjupyter.choices import check_choice, check_count, check_flag
from gsjupyter.errors import OptionError


@dataclass(frozen=True)
class BenchmarkOptions:
    """How to measure.

    Parameters
    ----------
    duration_s : float
        How long each row runs at least, in seconds, over all launches; what doesn't count comes on top.
    runs : int
        How many runs of each row count at least, over all launches.
    launches : int
        How many fresh processes each row gets: two of the same file differ by a percent or two, and only several show
        it.
    operators : bool
        Whether to tell what each operator takes; that is measured in a process of its own, after the timing.
    seed : int
        What the order of the rows and random inputs are drawn with.

    Raises
    ------
    OptionError
        If a value is out of range.
    """

    duration_s: float = 3.0
    runs: int = 10
    launches: int = 3
    operators: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not _is_number(self.duration_s) or not 0 < self.duration_s < math.inf:
            raise OptionError(f"duration_s must be a number of seconds above 0, not {self.duration_s!r}.")
        for name, least in (("runs", 1), ("launches", 1), ("seed", 0)):
            check_count(name, getattr(self, name), least)
        check_flag("operators", self.operators)

    def as_mapping(self) -> dict[str, float | int | bool]:
        """Return the options by name."""
        return asdict(self)


def options_from(settings: Mapping[str, object], base: BenchmarkOptions | None = None) -> BenchmarkOptions:
    """Return the options that a mapping of names to values gives.

    Parameters
    ----------
    settings : mapping
        Fields of `BenchmarkOptions`.
    base : BenchmarkOptions, optional
        What the mapping doesn't name is taken from here; the defaults otherwise.

    Raises
    ------
    OptionError
        If a name is unknown or a value out of range.
    """
    for name in settings:
        check_choice("an option", name, [item.name for item in fields(BenchmarkOptions)])
    before = base.as_mapping() if base is not None else {}
    return BenchmarkOptions(**{**before, **settings})  # type: ignore[arg-type]  # checked by the dataclass itself


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
