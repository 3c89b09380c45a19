"""Sets of channels that can only be removed together, and the reasons why some must stay."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Channels:
    """The channels of one value.

    Parameters
    ----------
    axis : int
        The axis along which they lie, counted from the front.
    ids : ndarray of shape (size of the axis,)
        Which channel each index belongs to; after a Flatten many indices belong to one.
    constants : ndarray of shape (size of the axis,)
        The number that a channel holds whatever the network's input is; NaN where it varies or isn't known.
    """

    axis: int
    ids: Ids
    constants: Doubles

    @property
    def is_zero(self) -> Flags:
        """Which channels are known to hold nothing but zeros."""
        return np.equal(self.constants, 0.0)


class ChannelGroups:
    """Channels joined to groups that stay or go as a whole (a union-find structure)."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._reasons: dict[int, str] = {}

    def new(self, count: int) -> Ids:
        """Return `count` new channels, each a group of its own."""
        first = len(self._parents)
        self._parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def join(self, first: Ids, second: Ids) -> None:
        """Let channels stay or go together, pair by pair."""
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            self._parents[self._root(one)] = self._root(other)

    def keep(self, ids: Ids | Sequence[int], reason: str) -> None:
        """Let channels stay, and with them their groups."""
        for channel in np.unique(ids).tolist():
            self._reasons.setdefault(channel, reason)

    def kept(self) -> Flags:
        """Return which channels stay: those to be kept and all of their groups, by id."""
        roots = self._roots()
        stays = np.zeros(len(roots), bool)
        stays[roots[list(self._reasons)]] = True
        return np.asarray(stays[roots], bool)

    def reasons(self) -> dict[int, str]:
        """Return, for each channel that stays, why its group was the first time said to stay."""
        roots = self._roots().tolist()
        by_root: dict[int, str] = {}
        for channel, reason in self._reasons.items():
            by_root.setdefault(roots[channel], reason)
        return {channel: by_root[root] for channel, root in enumerate(roots) if root in by_root}

    def _roots(self) -> Ids:
        return np.array([self._root(channel) for channel in range(len(self._parents))], np.int64)

    def _root(self, channel: int) -> int:
        parents = self._parents
        while parents[channel] != channel:
            parents[channel] = parents[parents[channel]]
            channel = parents[channel]
        return channel
