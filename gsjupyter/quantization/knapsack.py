"""The multiple-choice knapsack solved exactly: the hull's solution can leave bytes unused that would have helped.

    minimize  sum_l error[l, c(l)]  over the choices c,  subject to  sum_l size[l, c(l)] <= room

For any price of a byte, an error is the sum of three parts: the least that all items' errors and paid sizes can come
to, less the price of the room; what each choice costs more than its item's best one; and the price of what is left
unused [1]_. The first is a bound. The others must stay below the distance from there to the known solution, so nearly
all choices are out of the question, and dynamic programming over what remains is quick [2]_. Sizes are integers and
compared as such. (HiGHS, the solver in scipy, rounds them to within a millionth, and prints what can't be turned off.)

.. [1] M. L. Fisher, "The Lagrangian Relaxation Method for Solving Integer Programming Problems", Management Science
   27 (1), 1981.
.. [2] D. Pisinger, "A Minimal Algorithm for the Multiple-Choice Knapsack Problem", European Journal of Operational
   Research 83 (2), 1995.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class KnapsackItem:
    """One item of the knapsack, which is packed in one of several forms.

    Parameters
    ----------
    sizes : sequence of int
        What each form takes.
    errors : sequence of float
        What each costs.
    """

    sizes: Sequence[int]
    errors: Sequence[float]


@dataclass(frozen=True)
class Packing:
    """What was found.

    Parameters
    ----------
    forms : tuple of int or None
        The form of each item; None if no packing is better than the known one.
    is_complete : bool
        Whether every packing was considered.
    """

    forms: tuple[int, ...] | None
    is_complete: bool


def pack_knapsack(
    items: Sequence[KnapsackItem], room: int, *, known_error: float, price: float, most_states: int
) -> Packing:
    """Return the packing with the smallest sum of errors.

    Parameters
    ----------
    items : sequence of KnapsackItem
        What to pack.
    room : int
        The sum of sizes allowed.
    known_error : float
        The sum of errors of a known packing, which is to be beaten.
    price : float
        What a byte is worth, as an error: the slope of the convex hull at `room` is the best.
    most_states : int
        How many packings of the first items are kept at most, the most promising ones.
    """
    search = _Search(items, room, known_error, price, most_states)
    return Packing(search.run(), search.is_complete)


class _Search:
    """The packings of the first few items that can still lead to a better one: their sizes, and their errors."""

    def __init__(
        self, items: Sequence[KnapsackItem], room: int, known_error: float, price: float, most_states: int
    ) -> None:
        self.sizes = [np.asarray(item.sizes, np.int64) for item in items]
        self.errors = [np.asarray(item.errors, np.float64) for item in items]
        self.room, self.price, self.most_states = room, price, most_states
        self.is_complete = True
        self._least = np.array(
            [(errors + price * sizes).min() for sizes, errors in zip(self.sizes, self.errors, strict=True)]
        )
        # A little more than there is to win, so that rounding loses nothing.
        self._margin = known_error * (1 + 1e-12) - (self._least.sum() - price * room)

    def run(self) -> tuple[int, ...] | None:
        """Return the forms of the best packing; None if none is better than the known one."""
        forms = [self._possible(item) for item in range(len(self.sizes))]
        if any(not possible.size for possible in forms):
            return None
        # What fits is known the better the fewer forms are still to come.
        least_after = self._after([self.sizes[item][possible].min() for item, possible in enumerate(forms)])
        most_after = self._after([self.sizes[item][possible].max() for item, possible in enumerate(forms)])
        size, error = np.zeros(1, np.int64), np.zeros(1)
        history: list[tuple[Integers, Integers]] = []
        for item, possible in enumerate(forms):
            parent = np.repeat(np.arange(len(size)), len(possible))
            form = np.tile(possible, len(size))
            size = size[parent] + self.sizes[item][form]
            error = error[parent] + self.errors[item][form]
            kept = self._promising(size, error, item, int(least_after[item]), int(most_after[item]))
            size, error = size[kept], error[kept]
            history.append((parent[kept], form[kept]))
        return _traced(history, int(np.argmin(error))) if len(error) else None

    def _possible(self, item: int) -> Integers:
        """Return the forms of an item that don't cost more than there is to win."""
        extra = self.errors[item] + self.price * self.sizes[item] - self._least[item]
        return np.flatnonzero(extra < self._margin)

    def _after(self, sizes: Sequence[int]) -> Integers:
        """Return the sum of what comes after each item."""
        return np.append(np.cumsum(sizes[::-1])[::-1][1:], 0).astype(np.int64)

    def _promising(self, size: Integers, error: Doubles, item: int, least_after: int, most_after: int) -> Integers:
        """Return the numbers of the packings worth going on with, in order of size."""
        extra = error + self.price * size - self._least[: item + 1].sum()
        unused = np.maximum(0, self.room - size - most_after)
        fits = (size + least_after <= self.room) & (extra + self.price * unused < self._margin)
        found = np.flatnonzero(fits)
        found = found[np.lexsort((error[found], size[found]))]
        # One that is larger than another must have less error.
        before = np.minimum.accumulate(np.concatenate([[np.inf], error[found]]))[:-1]
        found = found[error[found] < before]
        if len(found) > self.most_states:
            self.is_complete = False
            found = np.sort(found[np.argsort(extra[found], kind="stable")[: self.most_states]])
        return found


def _traced(history: Sequence[tuple[Integers, Integers]], last: int) -> tuple[int, ...]:
    """Return the forms that led to a packing."""
    forms = []
    for parent, form in reversed(history):
        forms.append(int(form[last]))
        last = int(parent[last])
    return tuple(reversed(forms))
