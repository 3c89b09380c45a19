"""How numbers become integers: the scheme that quantizers, passes and reports all speak of."""

import difflib
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from gsjupyter.errors import OptionError

Granularity: TypeAlias = str
"""``"tensor"``, ``"channel"``, or ``"group:N"`` with the number of values that share a scale."""

_GROUP: Final = re.compile(r"group:([1-9]\d{0,8})")


@dataclass(frozen=True)
class Scheme:
    """A uniform quantization scheme.

    Parameters
    ----------
    bits : int
        Bits of an integer, 2 to 8.
    symmetric : bool
        Whether the zero point is fixed at the middle (signed integers) or follows the range (unsigned integers).
    narrow_range : bool
        Whether the lowest integer is left out, which makes a symmetric grid balanced.
    granularity : str
        What has a scale of its own: the whole ``"tensor"``, each output ``"channel"``, or, with ``"group:64"``, each 64
        neighbours within a channel.

    Raises
    ------
    OptionError
        If a value is out of range.
    """

    bits: int = 8
    symmetric: bool = True
    narrow_range: bool = True
    granularity: Granularity = "channel"

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 8:
            raise OptionError(f"bits must be 2 to 8, not {self.bits}.")
        check_granularity("granularity", self.granularity)

    @property
    def group_size(self) -> int | None:
        """How many neighbours within a channel share a scale; None if not in groups."""
        return group_size_of(self.granularity)

    @property
    def lowest(self) -> int:
        """The lowest integer of the grid."""
        return (-(1 << (self.bits - 1)) if self.symmetric else 0) + self.narrow_range

    @property
    def highest(self) -> int:
        """The highest integer of the grid."""
        return (1 << (self.bits - 1)) - 1 if self.symmetric else (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The integer type that stores it."""
        return np.dtype(np.int8 if self.symmetric else np.uint8)

    def __str__(self) -> str:
        return f"{'int' if self.symmetric else 'uint'}{self.bits} per {self.granularity}"


def check_granularity(option: str, value: object) -> None:
    """Check that a value says what has a scale of its own.

    Raises
    ------
    OptionError
        If it doesn't; the message names the nearest one that does.
    """
    if value in ("tensor", "channel") or (isinstance(value, str) and _GROUP.fullmatch(value)):
        return
    near = difflib.get_close_matches(str(value), ["tensor", "channel", "group:64"], 1)
    raise OptionError(
        f"{option} must be tensor, channel or group:N, not {value!r}.",
        advice=f"Did you mean {near[0]}?" if near else "group:64 for example gives each 64 neighbours a scale.",
    )


def group_size_of(granularity: Granularity) -> int | None:
    """Return the N of ``group:N``; None for other granularities."""
    found = _GROUP.fullmatch(granularity)
    return int(found.group(1)) if found is not None else None


WEIGHT_INT8 = Scheme()
"""Weights: signed, symmetric, without the lowest integer, a scale for each output channel."""

ACTIVATION_UINT8 = Scheme(symmetric=False, narrow_range=False, granularity="tensor")
"""Activations: unsigned, asymmetric, one scale: what integer kernels on CPUs are fast with."""
