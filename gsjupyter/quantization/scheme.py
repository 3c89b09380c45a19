"""How numbers become integers: the scheme that quantizers, passes and reports all speak of."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from gsjupyter.errors import OptionError

Granularity: TypeAlias = Literal["tensor", "channel"]


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
    granularity : {"tensor", "channel"}
        Whether one scale serves the whole tensor, or each output channel has its own.

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
        if self.granularity not in ("tensor", "channel"):
            raise OptionError(f"granularity must be tensor or channel, not {self.granularity!r}.")

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


WEIGHT_INT8 = Scheme()
"""Weights: signed, symmetric, without the lowest integer, a scale for each output channel."""

ACTIVATION_UINT8 = Scheme(symmetric=False, narrow_range=False, granularity="tensor")
"""Activations: unsigned, asymmetric, one scale: what integer kernels on CPUs are fast with."""
