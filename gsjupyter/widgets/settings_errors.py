"""What a panel's browser predicts, computed here: the kernel refines what the user sees, and tests compare both.

See ``labextension/src/panel/core/prediction.ts``. Both work on sketches alone: equalization and smoothing, which change
the weights at Apply, compensated rounding and bias correction are not in the prediction.
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from gsjupyter.errors import OptionError
from gsjupyter.options import ConvertOptions
from gsjupyter.passes import LayerSetting
from gsjupyter.passes.selection import FLOATS
from gsjupyter.quantization import Scheme, parse_budget, parse_max_drop
from gsjupyter.quantization.allocation import Allocation, LayerChoices, ParetoCurve
from gsjupyter.quantization.sensitivity import BITS, LayerCost, decibel
from gsjupyter.quantization.weight_size import weight_size_bytes
from gsjupyter.report import Sensitivity
from gsjupyter.widgets.opened import OpenedNetwork, WeightGroup
from gsjupyter.widgets.predicted import LayerPrediction, Prediction
from gsjupyter.widgets.sensitivity_data import costs_of
from gsjupyter.widgets.sketches import SketchStore

_FLOAT32, _FLOAT16 = FLOATS


def predict(
    opened: OpenedNetwork,
    sketches: SketchStore,
    sensitivity: Sensitivity | None,
    options: ConvertOptions,
    bits: Mapping[int, int] | None = None,
) -> Prediction:
    """Return what a network becomes at a setting, without quantizing anything.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    sketches : SketchStore
        Sketches of its weights.
    sensitivity : Sensitivity, optional
        What was measured of it; without it nothing is known of the output.
    options : ConvertOptions
        How it is to be converted.
    bits : mapping of int to int, optional
        Bits by the layer's number, where the exact search chose them already; else `ParetoCurve.within` does.
    """
    return Settings(opened, sketches, sensitivity, options).prediction(bits)


class Settings:
    """The layers of a network at one setting, and what they may become where a budget chooses.

    Parameters
    ----------
    opened, sketches, sensitivity, options
        As in `predict`.
    """

    def __init__(
        self,
        opened: OpenedNetwork,
        sketches: SketchStore,
        sensitivity: Sensitivity | None,
        options: ConvertOptions,
    ) -> None:
        self.options = options
        self._opened = opened
        self._sketches = sketches
        self._sensitivity = sensitivity
        self._costs: dict[int, LayerCost] = costs_of(opened, sensitivity) if sensitivity is not None else {}
        self._asked = [_setting(options, group) for group in opened.groups]
        self._is_given = [_is_format_given(options, group) for group in opened.groups]

    @property
    def limit_bytes(self) -> int | None:
        """The budget in bytes; None if there is none."""
        budget = self.options.budget
        return None if budget is None else parse_budget(budget, self._opened.float_bytes)

    @property
    def fixed_bytes(self) -> int:
        """What the layers take that are not in `choices`."""
        kept = [layer for layer in range(len(self._asked)) if not self._possible(layer)]
        return sum(self._bytes(layer, self._asked[layer].weights) for layer in kept)

    def choices(self) -> list[LayerChoices]:
        """Return what each layer may be stored in, by the layer's number as text: any bits, or those that are given."""
        return [self._choice(layer) for layer in range(len(self._asked)) if self._possible(layer)]

    def prediction(self, bits: Mapping[int, int] | None = None) -> Prediction:
        """Return the prediction, see `predict`."""
        is_within, chosen = self._chosen() if bits is None else (True, bits)
        layers = [self._layer(layer, chosen.get(layer)) for layer in range(len(self._asked))]
        known = [layer.contribution for layer in layers if layer.contribution is not None]
        total, size = sum(known), sum(layer.bytes for layer in layers)
        smallest, largest = self._extremes()
        return Prediction(
            layers=tuple(replace(layer, share=_share(layer.contribution, total)) for layer in layers),
            weight_bytes=size,
            compression=self._opened.float_bytes / size if size else 1.0,
            output_sqnr_db=self._output_sqnr_db(total) if len(known) == len(layers) else None,
            within_budget=is_within,
            smallest_bytes=smallest,
            largest_bytes=largest,
        )

    def _chosen(self) -> tuple[bool, dict[int, int]]:
        """Return whether some setting fits the budget, and the bits by layer; none where they can't be chosen."""
        if not self.options.chooses_bits or self._sensitivity is None:
            return True, {}
        curve = ParetoCurve(self.choices(), self.fixed_bytes)
        found = self._within_drop(curve) if self.limit_bytes is None else _within(curve, self.limit_bytes)
        if found is None:
            return (True, {}) if self.limit_bytes is None else (False, _by_layer(curve[0]))
        return True, _by_layer(found)

    def _within_drop(self, curve: ParetoCurve) -> Allocation | None:
        """Return the smallest setting that is predicted to be good enough, or else the most exact one.

        What accuracy loses isn't predicted: None for that.
        """
        allowed = parse_max_drop(self.options.max_drop).sqnr_db
        if allowed is None:
            return None
        sqnrs_db = [self._output_sqnr_db(float(error)) for error in curve.error_powers]
        good = (number for number, found in enumerate(sqnrs_db) if found is not None and found >= allowed)
        return curve[next(good, -1)]

    def _output_sqnr_db(self, error_sum: float) -> float | None:
        if self._sensitivity is None:
            return None
        model = self._sensitivity.model
        of_inputs = model.activation_error if self.options.activations == "int8" else 0.0
        return decibel(model.saturated(error_sum) + of_inputs)

    def _layer(self, layer: int, chosen: int | None) -> LayerPrediction:
        group, setting = self._opened.groups[layer], self._asked[layer]
        weights = _FLOAT32 if group.obstacle else setting.weights if chosen is None else f"int{chosen}"
        bits = _bits_of(weights)
        is_pending = chosen is None and self.options.chooses_bits and len(self._possible(layer)) > 1
        error = None if is_pending else 0.0 if bits is None else self._error(layer, bits)
        return LayerPrediction(
            weights=weights,
            bits=bits,
            granularity=setting.granularity,
            symmetric=setting.symmetric,
            clipping=1.0 if bits is None else self._clipping(layer, bits),
            fixed=bool(group.obstacle),
            pending=is_pending,
            error=error,
            sqnr_db=None if error is None else self._sqnr_db(layer, error),
            bytes=self._bytes(layer, weights),
            contribution=None if error is None else self._contribution(layer, error),
            share=None,
            input_sqnr_db=self._input_sqnr_db(group, setting),
        )

    def _possible(self, layer: int) -> tuple[int, ...]:
        """Return the bits that a layer may have where bits are chosen; none if its weights stay in floating point."""
        if self._opened.groups[layer].obstacle:
            return ()
        if not self._is_given[layer]:
            return BITS
        given = _bits_of(self._asked[layer].weights)
        return () if given is None else (given,)

    def _choice(self, layer: int) -> LayerChoices:
        bits = self._possible(layer)
        costs = [self._contribution(layer, self._error(layer, chosen)) for chosen in bits]
        known = [cost for cost in costs if cost is not None]
        if len(known) < len(bits):
            # What isn't known can't be weighed: such a layer keeps the most bits.
            bits, known = bits[-1:], [costs[-1] or 0.0]
        sizes = [self._size(layer, chosen) for chosen in bits]
        return LayerChoices((str(layer),), bits, tuple(sizes), tuple(known))

    def _contribution(self, layer: int, error: float) -> float | None:
        if not error > 0.0:
            return 0.0
        return self._costs[layer].contribution_at(error) if layer in self._costs else None

    def _scheme(self, layer: int, bits: int) -> Scheme:
        setting = self._asked[layer]
        return Scheme(bits, setting.symmetric, setting.narrow_range and setting.symmetric, setting.granularity)

    def _clipping(self, layer: int, bits: int) -> float:
        setting = self._asked[layer]
        return setting.clipping or self._sketches.clipping(layer, setting.observer, self._scheme(layer, bits))

    def _error(self, layer: int, bits: int) -> float:
        scheme = self._scheme(layer, bits)
        sketch = self._sketches.sketch(layer, scheme.granularity, symmetric=scheme.symmetric)
        return sketch.error_power(bits, self._clipping(layer, bits), narrow_range=scheme.narrow_range)

    def _sqnr_db(self, layer: int, error: float) -> float:
        if not error > 0.0:
            return math.inf
        setting = self._asked[layer]
        power = self._sketches.sketch(layer, setting.granularity, symmetric=setting.symmetric).signal_power
        return 10.0 * math.log10(power / error)

    def _size(self, layer: int, bits: int) -> int:
        scheme = self._scheme(layer, bits)
        return sum(weight_size_bytes(item.shape, item.axis, scheme) for item in self._opened.groups[layer].weights)

    def _bytes(self, layer: int, weights: str) -> int:
        group, bits = self._opened.groups[layer], _bits_of(weights)
        if group.obstacle:
            return group.kept_bytes
        if bits is None:
            return group.float_bytes // (2 if weights == _FLOAT16 else 1)
        return self._size(layer, bits)

    def _extremes(self) -> tuple[int, int]:
        """Return the smallest and the largest size that a budget can choose."""
        possible = [(layer, bits) for layer in range(len(self._asked)) if (bits := self._possible(layer))]
        sizes = [[self._size(layer, chosen) for chosen in bits] for layer, bits in possible]
        return self.fixed_bytes + sum(map(min, sizes)), self.fixed_bytes + sum(map(max, sizes))

    def _input_sqnr_db(self, group: WeightGroup, setting: LayerSetting) -> float | None:
        sketch = self._opened.inputs.sketch(group.operators)
        if sketch is None or setting.activations == _FLOAT32:
            return None
        return self._opened.inputs.range(sketch, self.options.activation_observer).sqnr_db


def _within(curve: ParetoCurve, limit_bytes: int) -> Allocation | None:
    try:
        return curve.within(limit_bytes)
    except OptionError:
        return None


def _by_layer(setting: Allocation) -> dict[int, int]:
    return {int(name): bits for name, bits in setting.bits.items()}


def _bits_of(weights: str) -> int | None:
    return None if weights in FLOATS else int(weights.removeprefix("int"))


def _share(contribution: float | None, total: float) -> float | None:
    if contribution is None:
        return None
    return contribution / total if total > 0.0 else 0.0


def _setting(options: ConvertOptions, group: WeightGroup) -> LayerSetting:
    """Return how weights are quantized: in float if one of their layers is kept so, or if these don't agree."""
    asked = [options.settings.setting(name) for name in group.names]
    kept = next((setting.weights for setting in asked if setting.scheme is None), None)
    if kept is None and len({setting.scheme for setting in asked}) > 1:
        kept = _FLOAT32
    return asked[0] if kept is None else replace(asked[0], weights=kept)


def _is_format_given(options: ConvertOptions, group: WeightGroup) -> bool:
    """Say whether a budget can't choose the bits: an override sets them, or layers that share them want other grids."""
    unset = replace(options.settings, default=LayerSetting(weights=""))
    same_bits = replace(options.settings, bits=dict.fromkeys(group.names, BITS[-1]))
    schemes = {same_bits.setting(name).scheme for name in group.names}
    return len(schemes) > 1 or any(unset.of(name) for name in group.names)
