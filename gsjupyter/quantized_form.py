"""The quantized form of a network: everything between its standard form and the model that is verified and written."""

from collections.abc import Callable, Sequence

from gsjupyter.calibration import observe
from gsjupyter.calibration_data import CalibrationData
from gsjupyter.mindir import Model
from gsjupyter.options import ConvertOptions
from gsjupyter.passes import (
    Float16Weights,
    LayerSettings,
    Pass,
    PassResult,
    Pipeline,
    QuantizeActivations,
    QuantizeWeights,
    activation_inputs,
    linear_operators,
)
from gsjupyter.quantization import ACTIVATION_UINT8


class QuantizedForm:
    """The passes that quantize a network, in order, with what they need to know of its data.

    Parameters
    ----------
    options : ConvertOptions
        How to quantize.
    data : CalibrationData
        What to calibrate with.
    after : Pipeline
        What has run on the network before.
    """

    def __init__(self, options: ConvertOptions, data: CalibrationData, after: Pipeline) -> None:
        self.options = options
        self.data = data
        self.settings: LayerSettings = options.settings
        """How each layer is quantized; with the bits that were chosen, after `run`."""
        self.passes: list[Pass] = []
        """The passes that quantized it, after `run`; they keep statistics by layer name."""
        self.results: tuple[PassResult, ...] = ()
        """What each pass did, after `run`."""
        self.notes: list[str] = []
        """What the user should know, after `run`."""
        self._after = after

    def run(self, model: Model, progress: Callable[[str], None]) -> Model:
        """Return the quantized network.

        Parameters
        ----------
        model : Model
            The network in standard form.
        progress : callable
            Called with the name of each step before it runs.
        """
        self.settings.check(linear_operators(model.graph()))
        self.passes = [*self._activations(model, progress), *self._weights(model)]
        quantized, self.results = Pipeline(self.passes, after=self._after).run(model, progress)
        return quantized

    def _weights(self, model: Model) -> Sequence[Pass]:
        asked = {self.settings.of(operator.name) for operator in linear_operators(model.graph())}
        passes: list[Pass] = []
        if any(chosen.startswith("int") for chosen in asked):
            passes.append(QuantizeWeights(self.settings))
        if "float16" in {*asked, self.options.weights}:
            passes.append(Float16Weights(self.settings))
        return passes

    def _activations(self, model: Model, progress: Callable[[str], None]) -> Sequence[Pass]:
        if not activation_inputs(model.graph(), self.settings):
            return []
        progress("calibrate")
        if note := self.data.note:
            self.notes.append(note)
        observed = observe(model, self.data.batches(), self.settings)
        return [QuantizeActivations(ACTIVATION_UINT8, observed, self.settings, simulate=self.options.simulate)]
