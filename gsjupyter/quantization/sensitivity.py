"""What each layer's quantization costs the output: the model that predicts any setting without running it.

To first order [1]_ errors add up: the error power of the output is the sum of the layers' contributions, and a
contribution is the mean squared error of the layer's weight times a gain,

    output_error(bits) = sum_l  gain_l * weight_error_l(bits_l)

A gain takes a run of the network with only that layer quantized. It isn't quite a constant: large errors saturate
behind a ReLU, and with few weights the roundings don't average out. So it is measured at several numbers of bits, and
its logarithm is interpolated over the logarithm of the weight's error.

Errors beyond the output's own power saturate likewise, which one run with everything in the fewest bits shows: with
``ceiling`` c the sum s becomes ``1 / sqrt(1 / s^2 + 1 / c^2)``.

Powers of the output are relative to its own power, as the mean over outputs, so that 0.001 is an SQNR of 30 dB.

.. [1] A. Zhou et al., "Adaptive Quantization for Deep Neural Network", AAAI 2018: the same additive model, in which
   gains are measured with uniform noise.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import InputError, OptionError
from gsjupyter.quantization.error import error_power

BITS: Final = tuple(range(2, 9))
"""The bits that a weight can have."""

_FEW_LAYERS: Final = 12
_REFERENCES: Final = (3, 5)
_WORST: Final = 1e9


def reference_bits(layers: int, bits: Sequence[int] = BITS) -> tuple[int, ...]:
    """Return the bits at which a layer is measured.

    Three numbers of bits are enough where many layers' errors average out: the fewest, 3 and 5, since gains differ most
    where bits are few. A network of a few layers is measured at all of them: there a single rounding can matter, and
    the runs cost little.

    Parameters
    ----------
    layers : int
        How many layers the network has.
    bits : sequence of int
        What the layer may have.
    """
    if layers <= _FEW_LAYERS or len(bits) <= 2:
        return tuple(sorted(bits))
    nearest = {min(bits, key=lambda chosen: abs(chosen - wanted)) for wanted in _REFERENCES}
    return tuple(sorted({min(bits), *nearest}))


def output_error_power(
    reference: Sequence[npt.NDArray[np.generic]], actual: Sequence[npt.NDArray[np.generic]]
) -> float:
    """Return the error power of a network's outputs, each over its own power, on average.

    Parameters
    ----------
    reference, actual : sequence of ndarray
        The outputs. Those of a power of 0 don't count; if the actual ones are not finite, they are off by more than any
        finite ones.

    Raises
    ------
    InputError
        If all outputs are 0, or hold NaN.
    """
    ratios = []
    for expected, computed in zip(reference, actual, strict=True):
        power = error_power(expected, np.zeros_like(expected))
        if not math.isfinite(power):
            raise InputError("the output holds NaN or infinite values for this example, so no error can be measured.")
        if power > 0:
            ratios.append(error_power(expected, computed) / power)
    if not ratios:
        raise InputError("the output is 0 for this example, so no error can be measured.", advice="Give another one.")
    mean = float(np.mean(ratios))
    return min(mean, _WORST) if math.isfinite(mean) else _WORST


@dataclass(frozen=True)
class LayerCost:
    """What is known of one layer's errors.

    Parameters
    ----------
    names : tuple of str
        The layer; several where layers share a weight, which are quantized together.
    weight_errors : mapping of int to float
        The mean squared error of the weight, by bits: for each number of bits that the layer may have.
    measured : mapping of int to float
        The error power of the output with only this layer quantized, by bits.
    """

    names: tuple[str, ...]
    weight_errors: Mapping[int, float]
    measured: Mapping[int, float]

    @property
    def name(self) -> str:
        """The layer's name; the first, if several share the weight."""
        return self.names[0]

    @property
    def bits(self) -> tuple[int, ...]:
        """The bits that it may have."""
        return tuple(sorted(self.weight_errors))

    def gain(self, bits: int) -> float:
        """Return the output's error power for each unit of the weight's."""
        return self.gain_at(self.weight_errors[bits])

    def gain_at(self, weight_error: float) -> float:
        """Return the same at any mean squared error of the weight, whatever made it."""
        known = sorted((error, self.measured[at] / error) for at, error in self._references if error > 0)
        if not known or not weight_error > 0:
            return 0.0
        errors, gains = (np.array(column) for column in zip(*known, strict=True))
        # A layer without any effect has no logarithm.
        values = np.log(gains) if gains.all() else gains
        found = float(np.interp(math.log(weight_error), np.log(errors), values))
        return math.exp(found) if gains.all() else found

    def contribution_at(self, weight_error: float) -> float:
        """Return what the layer adds to the error power of the output at any mean squared error of its weight."""
        return self.gain_at(weight_error) * weight_error

    @property
    def _references(self) -> list[tuple[int, float]]:
        return [(bits, self.weight_errors[bits]) for bits in self.measured]

    @cached_property
    def contributions(self) -> dict[int, float]:
        """What the layer adds to the error power of the output, by bits: measured, or else predicted."""
        return {bits: self.measured.get(bits, self.gain(bits) * self.weight_errors[bits]) for bits in self.bits}


@dataclass(frozen=True)
class ErrorModel:
    """The error of the output for any bits.

    Parameters
    ----------
    layers : tuple of LayerCost
        The layers, in the order in which they run.
    ceiling : float
        The error power at which the output saturates; infinite if that was not measured.
    activation_error : float
        The error power that quantized activations make, whatever the weights' bits.
    """

    layers: tuple[LayerCost, ...]
    ceiling: float = math.inf
    activation_error: float = 0.0

    @classmethod
    def with_ceiling(
        cls, layers: Sequence[LayerCost], coarsest_error: float, activation_error: float = 0.0
    ) -> "ErrorModel":
        """Return the model whose prediction for the fewest bits everywhere isn't above what was measured there.

        Parameters
        ----------
        layers : sequence of LayerCost
            The layers.
        coarsest_error : float
            The error power of the output with every layer in its fewest bits.
        activation_error : float
            As in the class.
        """
        predicted = sum(layer.contributions[layer.bits[0]] for layer in layers)
        ceiling = math.inf
        if 0 < coarsest_error < predicted:
            ceiling = (coarsest_error**-2 - predicted**-2) ** -0.5
        return cls(tuple(layers), ceiling, activation_error)

    @cached_property
    def _table(self) -> tuple[npt.NDArray[np.float64], dict[str, int]]:
        """Return the contributions, of shape (layers, 9) with a column for each bits, and the rows by name."""
        table = np.full((len(self.layers), BITS[-1] + 1), math.nan)
        for row, layer in enumerate(self.layers):
            for bits, error in layer.contributions.items():
                table[row, bits] = error
        return table, {name: row for row, layer in enumerate(self.layers) for name in layer.names}

    def sum_of_errors(self, bits: Mapping[str, int] | int) -> float:
        """Return the sum of the layers' contributions.

        Parameters
        ----------
        bits : mapping of str to int, or int
            By layer name, layers left out staying in floating point; or the same for all that may have so many.

        Raises
        ------
        OptionError
            If a layer is unknown, or can't have so many bits.
        """
        table, rows = self._table
        if not isinstance(bits, Mapping):
            self._check_bits(bits)
            return float(np.nansum(table[:, bits]))
        try:
            # By row, since a name may share its weight with others.
            columns = {rows[name]: chosen for name, chosen in bits.items()}
            total = float(table[list(columns), list(columns.values())].sum()) if columns else 0.0
        except (KeyError, IndexError):
            total = math.nan
        if math.isnan(total) or min(columns.values(), default=0) < 0:
            raise self._explained(bits)
        return total

    def error_power(self, bits: Mapping[str, int] | int) -> float:
        """Return the predicted error power of the output, over its own; arguments and errors as in `sum_of_errors`."""
        return self.saturated(self.sum_of_errors(bits)) + self.activation_error

    def saturated(self, error_sum: float) -> float:
        """Return the error power that a sum of contributions gives, which the ceiling limits."""
        if math.isinf(self.ceiling) or not error_sum:
            return error_sum
        return 1 / math.hypot(1 / error_sum, 1 / self.ceiling)

    def sqnr_db(self, bits: Mapping[str, int] | int) -> float:
        """Return the predicted SQNR of the output in decibel; arguments and errors as in `sum_of_errors`."""
        return decibel(self.error_power(bits))

    def _check_bits(self, bits: int) -> None:
        if bits not in BITS:
            raise OptionError(f"bits must be {BITS[0]} to {BITS[-1]}, not {bits}.")

    def _explained(self, bits: Mapping[str, int]) -> OptionError:
        table, rows = self._table
        for name, chosen in bits.items():
            if name not in rows:
                return OptionError(f"no layer {name!r} was measured; {', '.join(list(rows)[:8])} were.")
            self._check_bits(chosen)
            if math.isnan(table[rows[name], chosen]):
                possible = ", ".join(map(str, self.layers[rows[name]].bits))
                return OptionError(f"layer {name} was measured for {possible} bits, not for {chosen}.")
        return OptionError("the error of these bits is no number.")


def decibel(error_power: float) -> float:
    """Return the SQNR of an error power that is relative to the signal's; infinite without an error."""
    return -10 * math.log10(error_power) if error_power > 0 else math.inf
