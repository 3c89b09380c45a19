"""Which layers can do with few bits: what was measured of a network, and what it predicts for any setting."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gsjupyter.quantization.allocation import Allocation, LayerChoices, best_allocation
from gsjupyter.quantization.budget import parse_budget
from gsjupyter.quantization.sensitivity import ErrorModel, LayerCost, decibel
from gsjupyter.report.document import Column, Document, Facts, Table, format_bytes
from gsjupyter.report.frames import data_frame
from gsjupyter.report.pareto import Pareto
from gsjupyter.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Bits = Mapping[str, int] | int
"""Bits by layer name, or the same for every layer that may have so many."""


@dataclass(frozen=True)
class Measurement:
    """What a sensitivity was measured with.

    Parameters
    ----------
    runs : int
        How often the network ran.
    duration_s : float
        How long that took, in seconds.
    samples : int
        How many samples the input had.
    input_kind : str
        Where the input came from: ``"given"`` or ``"random"``.
    """

    runs: int
    duration_s: float
    samples: int
    input_kind: str

    def __str__(self) -> str:
        plural = "s" if self.samples != 1 else ""
        return f"{self.runs} runs on {self.samples} {self.input_kind} sample{plural}, {self.duration_s:.1f} s"


@dataclass(frozen=True)
class LayerSensitivity:
    """One layer at its current bits.

    Parameters
    ----------
    name : str
        The layer's name; the first, if layers share the weight.
    parameters : int
        How many numbers its weight has.
    bits : int
        The bits at which the other fields hold.
    size_bytes : int
        What the weight takes, scales included.
    gain : float
        The output's error power, over its power, for each unit of the weight's mean squared error.
    alone_db : float
        The output's SQNR with only this layer quantized, in decibel.
    share : float
        The layer's share of the output's error with all layers quantized.
    """

    name: str
    parameters: int
    bits: int
    size_bytes: int
    gain: float
    alone_db: float
    share: float


@dataclass(frozen=True, repr=False)
class Sensitivity(Shown):
    """What quantization of each layer costs a network's output, and the prediction for any bits.

    Parameters
    ----------
    name : str
        What the network is called.
    model : ErrorModel
        The error of the output for any bits.
    choices : tuple of LayerChoices
        Each layer's sizes and error contributions, in the order of the model's layers.
    parameters : tuple of int
        How many numbers each layer's weight has.
    fixed_bytes : int
        What the weights take whose bits were not to choose.
    float_size_bytes : int
        What all weights of layers take in float32.
    measurement : Measurement
        What it was measured with.
    bits : mapping of str to int, or int
        The current bits, at which the table shows the layers. Layers that can't have them take the nearest they can.
    """

    name: str
    model: ErrorModel
    choices: tuple[LayerChoices, ...]
    parameters: tuple[int, ...]
    fixed_bytes: int
    float_size_bytes: int
    measurement: Measurement
    bits: Bits = 8

    def at(self, bits: Bits) -> "Sensitivity":
        """Return the same with other current bits."""
        return replace(self, bits=bits)

    def predict(self, bits: Bits) -> float:
        """Return the output's SQNR in decibel that a setting will have.

        Parameters
        ----------
        bits : mapping of str to int, or int
            By layer name, layers left out staying in floating point; or the same for all.

        Raises
        ------
        OptionError
            If a layer is unknown, or was not measured for so many bits.
        """
        return self.model.sqnr_db(bits)

    @property
    def layers(self) -> tuple[LayerSensitivity, ...]:
        """The layers at the current bits, in the order in which they run."""
        current = [(cost, self._current(cost)) for cost in self.model.layers]
        total = sum(cost.contributions[bits] for cost, bits in current)
        return tuple(
            LayerSensitivity(
                name=cost.name,
                parameters=parameters,
                bits=bits,
                size_bytes=choices.size_bytes(bits),
                gain=cost.gain(bits),
                alone_db=decibel(self.model.saturated(cost.contributions[bits])),
                share=cost.contributions[bits] / total if total else 0.0,
            )
            for (cost, bits), choices, parameters in zip(current, self.choices, self.parameters, strict=True)
        )

    def _current(self, cost: LayerCost) -> int:
        wanted = self.bits if isinstance(self.bits, int) else self.bits.get(cost.name, max(cost.bits))
        return min(cost.bits, key=lambda bits: (abs(bits - wanted), -bits))

    @property
    def current(self) -> dict[str, int]:
        """The current bits, by layer name."""
        return {name: self._current(cost) for cost in self.model.layers for name in cost.names}

    @cached_property
    def curve(self) -> Pareto:
        """The best output for each size, and the smallest size for each output."""
        return Pareto(self.name, self.model, self.choices, self.fixed_bytes, self.float_size_bytes)

    def allocate(self, budget: str | int) -> Allocation:
        """Return the bits with the best predicted output within a size.

        Parameters
        ----------
        budget : str or int
            What all weights may take: ``"4x"`` smaller than in float32, ``"500KB"``, or a number of bytes.

        Raises
        ------
        OptionError
            If it is no size, or too small for any setting.
        """
        limit = parse_budget(budget, self.float_size_bytes)
        return best_allocation(self.choices, limit, fixed_bytes=self.fixed_bytes)

    def first_reaching(self, sqnr_db: float) -> int:
        """Return the number of the smallest setting on the curve with this SQNR; the last if none has."""
        reached = np.flatnonzero(self.curve.sqnrs_db >= sqnr_db)
        return int(reached[0]) if reached.size else len(self.curve.settings) - 1

    def document(self) -> Document:
        """Return what to show."""
        size = sum(layer.size_bytes for layer in self.layers) + self.fixed_bytes
        facts = Facts(
            [
                ("Predicted", f"SQNR {self.predict(self.current):.1f} dB in {format_bytes(size)}"),
                ("With the same bits", self._uniform_in_words()),
                ("Measured by", str(self.measurement)),
            ]
        )
        return Document(f"{self.name}: sensitivity of {len(self.choices)} layers", [facts, self.table()])

    def _uniform_in_words(self) -> str:
        possible = [bits for bits in (8, 6, 5, 4, 3) if any(bits in cost.bits for cost in self.model.layers)]
        return ", ".join(f"int{bits} {self.predict(bits):.1f} dB" for bits in possible)

    def table(self) -> Table:
        """Return the table that reports show."""
        columns = [
            Column("name", "Layer"),
            Column("parameters", "Weights", "integer"),
            Column("bits", "Bits", "integer"),
            Column("size_bytes", "Size", "bytes"),
            Column("gain", "Gain", "number", digits=2),
            Column("alone_db", "Alone (dB)", "number"),
            Column("share", "Share of error", "percent", bar=True),
        ]
        return Table("Layers", columns, [vars(layer) for layer in self.layers])

    def to_pandas(self) -> "pd.DataFrame":
        """Return the layers at the current bits as a data frame, indexed by their names.

        Raises
        ------
        UnsupportedError
            If pandas is not installed.
        """
        return data_frame(self.layers, LayerSensitivity)

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw each layer's share of the output's error at the current bits, as a figure for a paper.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from gsjupyter.report.sensitivity_figures import plot_shares

        return plot_shares(self.layers, axes)
