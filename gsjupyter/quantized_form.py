"""The quantized form of a network: everything between its standard form and the model that is verified and written."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.bit_choice import accuracy_in_words, bits_within_drop
from gsjupyter.calibration import Observed, observe_with_outputs
from gsjupyter.calibration_data import CalibrationData
from gsjupyter.engines import MindSporeModel
from gsjupyter.input_statistics import InputMaxima, InputMean, input_statistics
from gsjupyter.layer_gains import measure_sensitivity
from gsjupyter.mindir import Array, Model, Runner, flat_output
from gsjupyter.options import ConvertOptions
from gsjupyter.passes import (
    ActivationStatistics,
    CorrectBias,
    EqualizeLayers,
    Float16Weights,
    LayerSettings,
    NoteOutputs,
    Pass,
    PassResult,
    Pipeline,
    QuantizeActivations,
    QuantizeWeights,
    SmoothActivations,
    activation_inputs,
    linear_operators,
    watched_outputs,
)
from gsjupyter.quantization import ACTIVATION_UINT8, Allocation, parse_max_drop
from gsjupyter.report import Sensitivity
from gsjupyter.weight_rounding import compensated_weights

Floats = npt.NDArray[np.float32]
Progress = Callable[[str], None]

_IMPROVEMENTS: Final = {
    EqualizeLayers.__name__: "Equalization",
    SmoothActivations.__name__: "Smoothing",
    CorrectBias.__name__: "Bias correction",
}


class QuantizedForm:
    """The passes that quantize a network, in order, with what they need to know of its data.

    Parameters
    ----------
    options : ConvertOptions
        How to quantize.
    data : CalibrationData
        What to calibrate with.
    labels : array_like of int, optional
        The classes of the samples in the example, where bits are chosen by accuracy.
    after : Pipeline
        What has run on the network before.
    """

    def __init__(self, options: ConvertOptions, data: CalibrationData, labels: Any, after: Pipeline) -> None:
        self.options = options
        self.settings: LayerSettings = options.settings
        """How each layer is quantized; with the bits that were chosen, after `run`."""
        self.passes: list[Pass] = []
        """The passes that quantized it, after `run`; they keep statistics by layer name."""
        self.results: tuple[PassResult, ...] = ()
        """What each pass did, after `run`."""
        self.float_model: Model | None = None
        """The float network whose layers were quantized: what smoothing and equalization made of it, after `run`."""
        self.notes: list[str] = []
        """What the user should know, after `run`."""
        self.sensitivity: Sensitivity | None = None
        """What the bits were chosen by, at these bits, after `run`; None if they were given."""
        self._data = data
        self._labels = labels
        self._after = after
        self._means: dict[str, Floats] | None = None

    def run(self, model: Model, progress: Progress) -> Model:
        """Return the quantized network.

        Parameters
        ----------
        model : Model
            The network in standard form.
        progress : callable
            Called with the name of each step before it runs.
        """
        self.settings.check(linear_operators(model.graph()))
        model, prepared = self._rescaled(model, progress)
        self.float_model = model
        observed = self._observed(model, progress)
        if self.options.chooses_bits:
            progress("measure sensitivity")
            self._choose_bits(model, observed, progress)
        self.passes, quantized, results = self._quantized(model, self.settings, observed, progress)
        self.results = (*prepared, *results)
        stores_integers = any(isinstance(step, QuantizeWeights) for step in self.passes)
        if stores_integers and self.options.rounding == "gptq" and self._data.is_example:
            self.notes.append(
                "GPTQ has fitted the weights to the example, on which they are verified too. Give calibration data to "
                "see what holds on new input."
            )
        self.notes += [*self._unused(model), *_without_effect(self.results)]
        return quantized

    def _unused(self, model: Model) -> list[str]:
        """Return a note for each option that was given and has nothing to act on."""
        options, layers = self.options, linear_operators(model.graph())
        notes = []
        if not any(self.settings.setting(item.name).scheme is not None for item in layers):
            given = {
                "rounding": options.rounding != "nearest",
                "bias_correction": options.bias_correction,
                "symmetric": not options.symmetric,
                "weight_observer": options.weight_observer != "minmax",
                "clipping": options.clipping is not None,
                "granularity": options.granularity != "channel",
            }
            unused = [name for name, is_given in given.items() if is_given]
            if unused:
                notes.append(f"No weight is stored in integers, so {', '.join(unused)} had nothing to act on.")
        if options.smooth and all(self.settings.is_kept(item.name) for item in layers):
            notes.append("No activation is quantized, so smooth had nothing to act on.")
        if self._labels is not None and (options.max_drop is None or parse_max_drop(options.max_drop).accuracy is None):
            notes.append("The labels were not used: they are for max_drop in percent.")
        return notes

    @property
    def activations(self) -> dict[str, ActivationStatistics]:
        """How the inputs of layers are quantized, by layer name, after `run`."""
        found = [step for step in self.passes if isinstance(step, QuantizeActivations)]
        return found[0].statistics if found else {}

    @property
    def shares(self) -> dict[str, float] | None:
        """Each layer's predicted share of the output's error, by name, after `run`; None if that wasn't measured."""
        if self.sensitivity is None:
            return None
        return {layer.name: layer.share for layer in self.sensitivity.layers}

    def _rescaled(self, model: Model, progress: Progress) -> tuple[Model, tuple[PassResult, ...]]:
        """Return the network with channels scaled so that they can be rounded well; it computes the same."""
        results: tuple[PassResult, ...] = ()
        if self.options.equalize:
            model, results = Pipeline([EqualizeLayers(self.settings)], after=self._after).run(model, progress)
        if self.options.smooth and activation_inputs(model.graph(), self.settings):
            progress("calibrate")
            maxima = input_statistics(model, self._data.batches(), InputMaxima)
            model, more = Pipeline([SmoothActivations(self.settings, maxima, insert=True)], after=self._after).run(
                model, progress
            )
            results += more
        return model, results

    def _observed(self, model: Model, progress: Progress) -> Observed:
        graph = model.graph()
        if not activation_inputs(graph, self.settings) and not watched_outputs(graph, self.settings):
            return Observed()
        progress("calibrate")
        if note := self._data.note:
            self.notes.append(note)
        return observe_with_outputs(model, self._data.batches(), self.settings, self.options.activation_observer)

    def _quantized(
        self, model: Model, settings: LayerSettings, observed: Observed, progress: Progress
    ) -> tuple[list[Pass], Model, tuple[PassResult, ...]]:
        passes = [*self._activations(settings, observed), *self._weights(model, settings, progress)]
        quantized, results = Pipeline(passes, after=self._after).run(model, progress)
        return passes, quantized, results

    def _activations(self, settings: LayerSettings, observed: Observed) -> list[Pass]:
        observer, inputs, outputs = self.options.activation_observer, observed.inputs, observed.outputs
        passes: list[Pass] = []
        if inputs or outputs:
            passes.append(NoteOutputs(ACTIVATION_UINT8, inputs, outputs, settings, observer=observer))
        if inputs:
            simulate = self.options.simulate
            passes.append(QuantizeActivations(ACTIVATION_UINT8, inputs, settings, observer=observer, simulate=simulate))
        return passes

    def _weights(self, model: Model, settings: LayerSettings, progress: Progress) -> list[Pass]:
        asked = {settings.of(operator.name) for operator in linear_operators(model.graph())}
        passes: list[Pass] = []
        if any(chosen.startswith("int") for chosen in asked):
            rounded = {}
            if self.options.rounding == "gptq":
                progress("round")
                rounded = compensated_weights(model, self._data.batches, settings)
            passes.append(QuantizeWeights(settings, rounded))
            if self.options.bias_correction:
                passes.append(CorrectBias(_float_weights(model), self._input_means(model, progress)))
        if "float16" in {*asked, self.options.weights}:
            passes.append(Float16Weights(settings))
        return passes

    def _input_means(self, model: Model, progress: Progress) -> dict[str, Floats]:
        # The same for whatever bits are tried.
        if self._means is None:
            progress("calibrate")
            self._means = input_statistics(model, self._data.batches(), InputMean)
        return self._means

    def _choose_bits(self, model: Model, observed: Observed, progress: Progress) -> None:
        example = self._data.example
        activations = self._activations(self.settings, observed)
        inputs = Pipeline(activations, after=self._after).run(model)[0] if activations else None
        kind = self._data.example_kind
        sensitivity = measure_sensitivity(model, example, self.settings, input_kind=kind, quantized_inputs=inputs)
        if self.options.budget is not None:
            chosen = sensitivity.allocate(self.options.budget)
        else:
            progress("choose bits")

            tried: dict[tuple[tuple[str, int], ...], list[Array]] = {}

            def outputs(setting: Allocation) -> list[Array]:
                key = tuple(setting.bits.items())
                if key not in tried:
                    quantized = self._quantized(model, replace(self.settings, bits=setting.bits), observed, progress)[1]
                    tried[key] = list(flat_output(MindSporeModel(quantized)(*example)).values())
                return tried[key]

            reference = list(flat_output(Runner(model)(*example)).values())
            chosen = bits_within_drop(sensitivity, str(self.options.max_drop), outputs, reference, self._labels)
            if parse_max_drop(self.options.max_drop).accuracy is not None:
                self.notes.append(accuracy_in_words(reference, outputs(chosen), self._labels))
        self.settings = replace(self.settings, bits=chosen.bits)
        self.sensitivity = sensitivity.at(chosen.bits)


def _float_weights(model: Model) -> dict[str, Floats]:
    layers = [item for item in linear_operators(model.graph()) if item.stored is None]
    return {item.name: np.asarray(item.weight.array, np.float32) for item in layers}


def _without_effect(results: Sequence[PassResult]) -> list[str]:
    """Return a note for each improvement that was asked for and changed no layer, with the reason given most often."""
    notes = []
    for result in results:
        if result.name in _IMPROVEMENTS and not result.done:
            reasons = Counter(change.reason for change in result.skipped).most_common(1)
            why = f": {reasons[0][0]}" if reasons else ""
            notes.append(f"{_IMPROVEMENTS[result.name]} changed no layer{why}.")
    return notes
