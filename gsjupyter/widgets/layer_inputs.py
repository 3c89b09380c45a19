"""What calibration sees of the inputs of layers: one run when a panel is opened, and none at each of its settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gsjupyter.calibration import observe
from gsjupyter.calibration_data import CalibrationData
from gsjupyter.errors import CalibrationError
from gsjupyter.interrupts import interruptible
from gsjupyter.mindir import Graph, Model, Value
from gsjupyter.passes import LayerSetting, LayerSettings, LinearOperator, activation_inputs
from gsjupyter.passes.selection import INTEGER_ACTIVATIONS
from gsjupyter.progress import Steps
from gsjupyter.quantization import ACTIVATION_UINT8, ActivationSketch, activation_range, scale_and_zero_point

_ALL: Final = LayerSettings(LayerSetting(activations=INTEGER_ACTIVATIONS))


@dataclass(frozen=True)
class InputRange:
    """The range that an observer chooses for a layer's input, in 8 bits, and what it costs.

    Parameters
    ----------
    low, high : float
        The range.
    scale : float
    zero_point : int
    sqnr_db : float
        Signal to quantization noise ratio of what calibration saw, in decibel.
    clipped_share : float
        The share of it that lies beyond the range.
    """

    low: float
    high: float
    scale: float
    zero_point: int
    sqnr_db: float
    clipped_share: float


class LayerInputs:
    """The inputs of a network's layers, observed when somebody asks for the first time.

    Parameters
    ----------
    model : Model
        The network in standard form.
    graph : Graph
        The graph of that model.
    data : CalibrationData
        What it runs on.
    """

    def __init__(self, model: Model, graph: Graph, data: CalibrationData) -> None:
        self._model = model
        self._graph = graph
        self._data = data
        self._ranges: dict[tuple[ActivationSketch, str], InputRange] = {}
        self._obstacle = ""

    def sketches(self, settings: LayerSettings) -> list[ActivationSketch]:
        """Return what `QuantizeActivations` needs: a sketch of each of the `activation_inputs`.

        Parameters
        ----------
        settings : LayerSettings
            Which inputs are quantized.

        Raises
        ------
        CalibrationError
            If calibration can't run.
        """
        observed = self._observed
        if self._obstacle:
            raise CalibrationError(self._obstacle)
        return [observed[value] for value in activation_inputs(self._graph, settings)]

    def sketch(self, operators: Iterable[LinearOperator]) -> ActivationSketch | None:
        """Return what was seen of a layer's input; the widest, if it is applied several times; None if nothing was.

        Raises
        ------
        CalibrationError
            If the calibration data that was given doesn't fit the network, or makes NaN.
        """
        found = [self._observed[operator.data] for operator in operators if operator.data in self._observed]
        seen = [sketch for sketch in found if not sketch.is_empty]
        return max(seen, key=lambda sketch: sketch.high - sketch.low, default=None)

    def range(self, sketch: ActivationSketch, observer: str) -> InputRange:
        """Return the range that an observer chooses.

        Raises
        ------
        OptionError
            If there is no such observer.
        """
        if (sketch, observer) not in self._ranges:
            low, high = activation_range(sketch, ACTIVATION_UINT8, observer)
            scale, zero_point = scale_and_zero_point(low, high, ACTIVATION_UINT8)
            sqnr_db = sketch.sqnr_db(low, high, ACTIVATION_UINT8)
            clipped_share = sketch.clipped_share(low, high)
            self._ranges[sketch, observer] = InputRange(
                low, high, float(scale), int(zero_point), sqnr_db, clipped_share
            )
        return self._ranges[sketch, observer]

    @property
    def note(self) -> str:
        """What the user should know of them; empty if nothing.

        Raises
        ------
        CalibrationError
            As in `sketch`.
        """
        seen = self._observed
        if self._obstacle:
            return f"Nothing is known of the layers' inputs: {self._obstacle}"
        return self._data.note if seen else ""

    @cached_property
    def _observed(self) -> dict[Value, ActivationSketch]:
        inputs = activation_inputs(self._graph, _ALL)
        if not inputs:
            return {}
        try:
            with interruptible(), Steps() as steps:
                steps.begin("calibrate")
                seen = observe(self._model, self._data.batches(), _ALL)
        except CalibrationError as error:
            # Whoever gave data wants to know. An example that can't be run is no reason to show nothing.
            if not self._data.is_example:
                raise
            self._obstacle = error.message
            return {}
        return dict(zip(inputs, seen, strict=True))
