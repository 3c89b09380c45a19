"""Bits for each layer under a limit of size: with the same bits everywhere, a file pays most where it matters least.

Each layer takes one of a few numbers of bits; sizes and error contributions add up. The setting with the least error
within a size is a multiple-choice knapsack [1]_. Its convex hull comes from one sweep, since along it all layers
trade bytes for error at one price, the Lagrange multiplier [2]_ [3]_. Each setting on the hull is the best of its
size, and between two of them no setting lies below the line that joins them: that is the bound.

.. [1] P. Sinha, A. A. Zoltners, "The Multiple-Choice Knapsack Problem", Operations Research 27 (3), 1979.
.. [2] H. Everett, "Generalized Lagrange Multiplier Method for Solving Problems of Optimum Allocation of Resources",
   Operations Research 11 (3), 1963.
.. [3] Y. Shoham, A. Gersho, "Efficient Bit Allocation for an Arbitrary Set of Quantizers", IEEE Transactions on
   Acoustics, Speech, and Signal Processing 36 (9), 1988.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import OptionError
from gsjupyter.quantization.knapsack import KnapsackItem, pack_knapsack

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class LayerChoices:
    """What one layer can be stored in, and what each choice costs.

    Parameters
    ----------
    names : tuple of str
        The layer; several where layers share a weight, which then share its bits.
    bits : tuple of int
        The choices.
    sizes_bytes : tuple of int
        What the weight takes at each of them, scales included.
    error_powers : tuple of float
        What each adds to the error power of the output.

    Raises
    ------
    OptionError
        If there is no choice.
    """

    names: tuple[str, ...]
    bits: tuple[int, ...]
    sizes_bytes: tuple[int, ...]
    error_powers: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.bits:
            raise OptionError(f"layer {self.name} has no number of bits to choose from.")
        if not len(self.bits) == len(self.sizes_bytes) == len(self.error_powers):
            raise ValueError(f"each choice of layer {self.name} needs a size and an error")

    @property
    def name(self) -> str:
        """The layer's name; the first, if several share the weight."""
        return self.names[0]

    def size_bytes(self, bits: int) -> int:
        """Return what the weight takes at a number of bits."""
        return self.sizes_bytes[self.bits.index(bits)]

    @cached_property
    def hull(self) -> tuple[int, ...]:
        """Which choices lie on the lower convex hull of error over size, from the smallest to the most exact."""
        order = sorted(range(len(self.bits)), key=lambda index: (self.sizes_bytes[index], self.error_powers[index]))
        kept: list[int] = []
        for index in order:
            if kept and self.error_powers[index] >= self.error_powers[kept[-1]]:
                continue
            while len(kept) > 1 and self._slope(kept[-2], index) <= self._slope(kept[-2], kept[-1]):
                kept.pop()
            kept.append(index)
        return tuple(kept)

    def _slope(self, begin: int, end: int) -> float:
        """Return the error per byte between two choices: negative, since more bytes have less error."""
        step = self.sizes_bytes[end] - self.sizes_bytes[begin]
        return (self.error_powers[end] - self.error_powers[begin]) / step

    def steps(self) -> list[tuple[float, int]]:
        """Return each step along the hull: the error per byte, and the choice that it leads to."""
        return [(self._slope(a, b), b) for a, b in zip(self.hull, self.hull[1:], strict=False)]


@dataclass(frozen=True)
class Allocation:
    """Bits for each layer.

    Parameters
    ----------
    bits : mapping of str to int
        By layer name.
    size_bytes : int
        What the weights take together, and whatever else was counted.
    error_power : float
        The sum of the layers' contributions to the output's error power.
    least_error_power : float
        No setting within the size that was asked for has less.
    """

    bits: Mapping[str, int]
    size_bytes: int
    error_power: float
    least_error_power: float

    @property
    def is_optimal(self) -> bool:
        """Whether no setting within the size is better."""
        return self.error_power <= self.least_error_power * (1 + _TOLERANCE)

    @property
    def gap_db(self) -> float:
        """By how many decibel a setting of the same size can be better at most."""
        if self.is_optimal or self.least_error_power <= 0:
            return 0.0 if self.is_optimal else np.inf
        return float(10 * np.log10(self.error_power / self.least_error_power))


class ParetoCurve(Sequence[Allocation]):
    """The settings on the convex hull of error over size, from the smallest to the most exact.

    Parameters
    ----------
    choices : sequence of LayerChoices
        The layers.
    fixed_bytes : int
        What is counted besides, whatever the bits: biases, layers that stay in floating point, the graph.
    """

    def __init__(self, choices: Sequence[LayerChoices], fixed_bytes: int = 0) -> None:
        self.choices = tuple(choices)
        self.fixed_bytes = fixed_bytes
        steps = [(slope, layer, chosen) for layer, item in enumerate(self.choices) for slope, chosen in item.steps()]
        # Stable, so that the steps of one layer stay in order: along its hull they get less and less steep.
        self._steps = [(layer, chosen) for _, layer, chosen in sorted(steps, key=lambda step: step[0])]
        self._start = [item.hull[0] for item in self.choices]
        self.sizes_bytes, self.error_powers = self._sums()

    def _sums(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return size and error of each setting on the curve."""
        chosen = list(self._start)
        sizes = [self.fixed_bytes + _size(self.choices, chosen)]
        changes: list[float] = []
        for layer, choice in self._steps:
            item, before = self.choices[layer], chosen[layer]
            sizes.append(sizes[-1] + item.sizes_bytes[choice] - item.sizes_bytes[before])
            changes.append(item.error_powers[before] - item.error_powers[choice])
            chosen[layer] = choice
        # From the most exact on backwards: differences of large errors would lose the small ones.
        errors = _error(self.choices, chosen) + np.cumsum([0.0, *reversed(changes)])
        return np.asarray(sizes, np.int64), errors[::-1].copy()

    def __len__(self) -> int:
        return len(self._steps) + 1

    def __getitem__(self, index: int) -> Allocation:  # type: ignore[override]  # a part of a curve is no curve
        """Return a setting by number."""
        number = range(len(self))[index]
        error = float(self.error_powers[number])
        return Allocation(bits_of(self.choices, self._chosen(number)), int(self.sizes_bytes[number]), error, error)

    def _chosen(self, index: int) -> list[int]:
        chosen = list(self._start)
        for layer, choice in self._steps[:index]:
            chosen[layer] = choice
        return chosen

    def index_within(self, size_limit_bytes: int) -> int:
        """Return the number of the largest setting on the curve that is no larger than a limit.

        Raises
        ------
        OptionError
            If even the smallest is larger.
        """
        smallest, largest = int(self.sizes_bytes[0]), int(self.sizes_bytes[-1])
        if size_limit_bytes < smallest:
            raise OptionError(
                f"no setting fits {size_limit_bytes:,} bytes: the smallest takes {smallest:,} bytes, "
                f"the most exact {largest:,}{self._fixed_in_words()}.",
                advice="Give a larger budget, or let more layers have fewer bits.",
            )
        return int(np.searchsorted(self.sizes_bytes, size_limit_bytes, side="right")) - 1

    def _fixed_in_words(self) -> str:
        given = self.fixed_bytes + sum(item.sizes_bytes[0] for item in self.choices if len(item.bits) == 1)
        return f", {given:,} of them for weights whose format is given" if given else ""

    def least_error_power(self, size_limit_bytes: float) -> float:
        """Return what no setting within a size goes below: the line between two settings on the hull."""
        return float(np.interp(size_limit_bytes, self.sizes_bytes, self.error_powers))

    def within(self, size_limit_bytes: int) -> Allocation:
        """Return a good setting within a size: the one on the curve, what is left spent where it helps most per byte.

        Raises
        ------
        OptionError
            If even the smallest is larger.
        """
        chosen = self._filled(self._chosen(self.index_within(size_limit_bytes)), size_limit_bytes)
        return self._allocation(chosen, self.least_error_power(size_limit_bytes))

    def _filled(self, chosen: list[int], size_limit_bytes: int) -> list[int]:
        room = size_limit_bytes - self.fixed_bytes - _size(self.choices, chosen)
        while options := list(self._improvements(chosen, room)):
            _, layer, choice = max(options)
            room -= self.choices[layer].sizes_bytes[choice] - self.choices[layer].sizes_bytes[chosen[layer]]
            chosen[layer] = choice
        return chosen

    def _improvements(self, chosen: Sequence[int], room: int) -> Iterable[tuple[float, int, int]]:
        """Yield the choices that fit: error saved per byte, layer, choice."""
        for layer, (item, before) in enumerate(zip(self.choices, chosen, strict=True)):
            for choice in range(len(item.bits)):
                more = item.sizes_bytes[choice] - item.sizes_bytes[before]
                saved = item.error_powers[before] - item.error_powers[choice]
                if more <= room and saved > 0:
                    yield saved / max(more, 1), layer, choice

    def _allocation(self, chosen: Sequence[int], bound: float) -> Allocation:
        size, error = self.fixed_bytes + _size(self.choices, chosen), _error(self.choices, chosen)
        return Allocation(bits_of(self.choices, chosen), size, error, min(error, bound))

    def best_within(self, size_limit_bytes: int, effort: int) -> Allocation:
        """Return the best setting within a size, see `best_allocation`."""
        start = self.within(size_limit_bytes)
        if start.error_power <= start.least_error_power * (1 + _TOLERANCE):
            return start
        after = self.index_within(size_limit_bytes)
        step = (self.error_powers[after] - self.error_powers[after + 1]) / np.diff(self.sizes_bytes)[after]
        items = [KnapsackItem(item.sizes_bytes, item.error_powers) for item in self.choices]
        room = size_limit_bytes - self.fixed_bytes
        found = pack_knapsack(items, room, known_error=start.error_power, price=float(step), most_states=effort)
        best = self._allocation(found.forms, start.least_error_power) if found.forms is not None else start
        best = min(start, best, key=lambda setting: setting.error_power)
        return replace(best, least_error_power=best.error_power) if found.is_complete else best


def pareto_curve(choices: Sequence[LayerChoices], *, fixed_bytes: int = 0) -> ParetoCurve:
    """Return the settings that are the best of their size, by a sweep along the convex hull.

    Parameters
    ----------
    choices : sequence of LayerChoices
        The layers.
    fixed_bytes : int
        What is counted besides, whatever the bits.
    """
    return ParetoCurve(choices, fixed_bytes)


def best_allocation(
    choices: Sequence[LayerChoices], size_limit_bytes: int, *, fixed_bytes: int = 0, effort: int = 100_000
) -> Allocation:
    """Return the setting with the least error within a size.

    Parameters
    ----------
    choices : sequence of LayerChoices
        The layers.
    size_limit_bytes : int
        How much they may take together, with `fixed_bytes`.
    fixed_bytes : int
        What is counted besides, whatever the bits.
    effort : int
        How many settings of the first few layers are kept at a time. If that isn't enough, the best setting found is
        returned, with the bound that says how far from the best it can be.

    Raises
    ------
    OptionError
        If even the smallest setting is larger; the message says what is possible.
    """
    return pareto_curve(choices, fixed_bytes=fixed_bytes).best_within(size_limit_bytes, effort)


def bits_of(choices: Sequence[LayerChoices], chosen: Sequence[int]) -> dict[str, int]:
    """Return bits by layer name, from the number of each layer's choice."""
    pairs = zip(choices, chosen, strict=True)
    return {name: item.bits[index] for item, index in pairs for name in item.names}


def _size(choices: Sequence[LayerChoices], chosen: Sequence[int]) -> int:
    return sum(item.sizes_bytes[index] for item, index in zip(choices, chosen, strict=True))


def _error(choices: Sequence[LayerChoices], chosen: Sequence[int]) -> float:
    return float(sum(item.error_powers[index] for item, index in zip(choices, chosen, strict=True)))
