"""Measures what each layer's quantization costs the output: the few runs from which any setting is predicted.

The network is compiled once. Each run replaces the weight of one layer by its quantized values and holds the output
against the float network's; one more run has every weight in its fewest bits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from time import perf_counter
from typing import Final, TypeAlias

import numpy as np

from gsjupyter.errors import TimeLimitError, UnsupportedError
from gsjupyter.float_runs import VariantRuns, variant_runs
from gsjupyter.mindir import Array, Graph, Model, Output, Runner, flat_output
from gsjupyter.passes import LayerSetting, LayerSettings, LinearOperator, linear_operators
from gsjupyter.passes.linear import linear_operator
from gsjupyter.passes.quantize_weights import check_finite
from gsjupyter.passes.selection import FLOATS
from gsjupyter.progress import counted
from gsjupyter.quantization import Scheme, quantize_weight
from gsjupyter.quantization.allocation import LayerChoices
from gsjupyter.quantization.observers import weight_clipping
from gsjupyter.quantization.sensitivity import BITS, ErrorModel, LayerCost, output_error_power, reference_bits
from gsjupyter.quantization.weight_size import weight_size_bytes
from gsjupyter.quantization.weight_sketch import WeightSketch
from gsjupyter.report.sensitivity import Measurement, Sensitivity
from gsjupyter.signature import sample_count

Elsewhere: TypeAlias = Callable[[Sequence[Callable[[], Mapping[str, Array]]]], Sequence[float | None]]
"""Runs a network on other machines, with other values for some parameters: given what makes those for each run, it
returns the error powers of the outputs; None for runs that are to be made here."""

_FREE: Final = "free"
_FLOAT_BYTES: Final = 4


def measure_sensitivity(
    float_model: Model,
    example: Sequence[Array],
    settings: LayerSettings,
    *,
    bits: Sequence[int] = BITS,
    input_kind: str = "given",
    quantized_inputs: Model | None = None,
    elsewhere: Elsewhere | None = None,
    at_most_s: float | None = None,
) -> Sensitivity:
    """Measure the layers of a network in standard form.

    Parameters
    ----------
    float_model : Model
        The network, its weights in floating point.
    example : sequence of ndarray
        One batch of its input.
    settings : LayerSettings
        How each layer is to be quantized. Bits are free where no override sets a weight's format; what the default
        says doesn't matter.
    bits : sequence of int
        The numbers of bits to choose from.
    input_kind : str
        Where the example came from: ``"given"`` or ``"random"``.
    quantized_inputs : Model, optional
        The network with the inputs of its layers quantized and nothing else, where they are to be. Their error is
        measured by one run and added to every prediction.
    elsewhere : callable, optional
        What makes the runs of single layers on other machines.
    at_most_s : float, optional
        How long it may take, in seconds; found out from the first runs.

    Raises
    ------
    TimeLimitError
        If it would take longer.
    UnsupportedError
        If it has no layer whose weight could be quantized.
    ParameterError
        If a weight holds NaN or infinite values.
    InputError
        If the output is 0 or NaN.
    """
    graph = float_model.graph()
    layers = [layer for group in weight_groups(graph) if (layer := _measurable(group, settings, bits)) is not None]
    if not layers:
        raise UnsupportedError(f"{float_model.name} has no layer whose weight could be quantized.")
    with variant_runs(float_model) as runner:
        runs = FloatRuns(runner, example)
        costs, coarsest = runs.measured(layers, elsewhere, at_most_s)
    activation_error = runs.error_of(Runner(quantized_inputs)(*example)) if quantized_inputs is not None else 0.0
    free = {operator.weight for layer in layers for operator in layer.operators}
    rest = {operator.weight: operator for operator in linear_operators(graph) if operator.weight not in free}
    return Sensitivity(
        name=float_model.name,
        model=ErrorModel.with_ceiling(costs, coarsest, activation_error),
        choices=tuple(layer.choices(cost) for layer, cost in zip(layers, costs, strict=True)),
        parameters=tuple(layer.size for layer in layers),
        fixed_bytes=sum(_fixed_bytes(operator, settings) for operator in rest.values()),
        float_size_bytes=_FLOAT_BYTES * sum(layer.size for layer in layers) + sum(map(_float_bytes, rest.values())),
        measurement=Measurement(runs.count, runs.duration_s, runs.samples, input_kind),
    )


@dataclass(frozen=True)
class _Layer:
    """Weights that have the same bits, since they share a layer's name, or layers share the weight."""

    names: tuple[str, ...]
    operators: tuple[LinearOperator, ...]
    bits: tuple[int, ...]
    settings: LayerSettings

    @property
    def size(self) -> int:
        return sum(operator.weight.array.size for operator in self.operators)

    def setting(self, bits: int) -> LayerSetting:
        return replace(self.settings, bits={self.names[0]: bits}).setting(self.names[0])

    def scheme(self, bits: int) -> Scheme:
        found = self.setting(bits).scheme
        if found is None:
            raise ValueError(f"layer {self.names[0]} has no scheme of {bits} bits")
        return found

    @cached_property
    def _sketches(self) -> list[WeightSketch]:
        scheme = self.scheme(self.bits[0])
        return [
            WeightSketch.of(item.weight.array, item.axis, scheme.granularity, symmetric=scheme.symmetric)
            for item in self.operators
        ]

    def _clipping(self, sketch: WeightSketch, bits: int) -> float:
        setting = self.setting(bits)
        return setting.clipping or weight_clipping(sketch, self.scheme(bits), setting.observer)

    def weight_error(self, bits: int) -> float:
        """Return the mean squared error of the weights, from their sketches."""
        narrow = self.scheme(bits).narrow_range
        errors = (
            sketch.size * sketch.error_power(bits, self._clipping(sketch, bits), narrow_range=narrow)
            for sketch in self._sketches
        )
        return sum(errors) / max(1, self.size)

    def quantized(self, bits: int) -> dict[str, Array]:
        """Return the weights as they come back from a number of bits, by the parameters' names."""
        return {
            operator.weight.name: quantize_weight(
                operator.weight.array, operator.axis, self.scheme(bits), self._clipping(sketch, bits)
            ).dequantize()
            for operator, sketch in zip(self.operators, self._sketches, strict=True)
        }

    def choices(self, cost: LayerCost) -> LayerChoices:
        sizes = (
            sum(weight_size_bytes(item.shape, item.axis, self.scheme(bits)) for item in self.operators)
            for bits in self.bits
        )
        return LayerChoices(self.names, self.bits, tuple(sizes), tuple(cost.contributions[bits] for bits in self.bits))


def weight_groups(graph: Graph) -> list[list[LinearOperator]]:
    """Return the operators in groups that have the same bits: those of one weight, and those of one name."""
    groups: list[list[LinearOperator]] = []
    for operator in linear_operators(graph):
        joined = [
            group for group in groups if any(operator.weight is it.weight or operator.name == it.name for it in group)
        ]
        if not joined:
            groups.append([operator])
            continue
        for other in joined[1:]:
            joined[0].extend(other)
            groups.remove(other)
        joined[0].append(operator)
    return groups


def _measurable(group: Sequence[LinearOperator], settings: LayerSettings, bits: Sequence[int]) -> _Layer | None:
    """Return a group as a layer to measure; None if its weights stay as they are, whatever the bits."""
    names = tuple(dict.fromkeys(operator.name for operator in group))
    unset = replace(settings, default=replace(settings.default, weights=_FREE))
    asked = {unset.of(name) for name in names}
    if len(asked) > 1 or asked & set(FLOATS) or any(operator.stored is not None for operator in group):
        return None
    layer = _Layer(names, _one_each(group), _bits(asked, bits), settings)
    schemes = {replace(settings, bits=dict.fromkeys(names, layer.bits[0])).setting(name).scheme for name in names}
    if len(schemes) > 1 or not layer.bits or not all(_is_replaceable(item, group, layer) for item in layer.operators):
        return None
    for operator in layer.operators:
        check_finite(operator)
    return layer


def _bits(asked: set[str], bits: Sequence[int]) -> tuple[int, ...]:
    fixed = tuple(int(chosen.removeprefix("int")) for chosen in asked if chosen != _FREE)
    return fixed or tuple(sorted(set(bits)))


def _one_each(group: Sequence[LinearOperator]) -> tuple[LinearOperator, ...]:
    return tuple({operator.weight: operator for operator in reversed(group)}.values())[::-1]


def _is_replaceable(operator: LinearOperator, group: Sequence[LinearOperator], layer: _Layer) -> bool:
    axes = {other.axis for other in group if other.weight is operator.weight}
    is_one_axis = len(axes) == 1 or layer.scheme(layer.bits[0]).granularity == "tensor"
    return is_one_axis and all(linear_operator(reader) is not None for reader in operator.weight.readers)


def _fixed_bytes(operator: LinearOperator, settings: LayerSettings) -> int:
    """Return what a weight takes that has no choice of bits."""
    if operator.stored is not None:
        return operator.stored.size_bytes
    halved = settings.has_override(operator.name) and settings.of(operator.name) == "float16"
    return _float_bytes(operator) // (2 if halved else 1)


def _float_bytes(operator: LinearOperator) -> int:
    return _FLOAT_BYTES * int(np.prod(operator.shape, dtype=np.int64))


class FloatRuns:
    """The runs of one network on its example, counted and timed.

    Parameters
    ----------
    runner : VariantRuns
        What runs it.
    example : sequence of ndarray
        One batch of its input.

    Raises
    ------
    InputError
        If the output is 0 or NaN.
    """

    def __init__(self, runner: VariantRuns, example: Sequence[Array]) -> None:
        self._runner = runner
        self._example = example
        self._reference = _numbers(runner(*example))
        self.samples = sample_count(example)
        self.count = 1
        self.duration_s = 0.0
        # Checks the output, and has it said before anything long is begun.
        output_error_power(self._reference, self._reference)

    def error_of(self, output: Output) -> float:
        """Return the error power of an output of the network."""
        return output_error_power(self._reference, _numbers(output))

    def measured(
        self, layers: Sequence[_Layer], elsewhere: Elsewhere | None = None, at_most_s: float | None = None
    ) -> tuple[list[LayerCost], float]:
        """Return each layer's cost, and the error power with all weights in their fewest bits."""
        plan = [(index, bits) for index, layer in enumerate(layers) for bits in reference_bits(len(layers), layer.bits)]
        began = perf_counter()
        fewest = {name: array for layer in layers for name, array in layer.quantized(layer.bits[0]).items()}
        quantized = perf_counter()
        coarsest = self.error(fewest)
        run_s = perf_counter() - quantized + (quantized - began) / len(layers)
        if at_most_s is not None and len(plan) * run_s > at_most_s:
            estimated_s = len(plan) * run_s
            raise TimeLimitError(f"measuring sensitivity would take about {_in_words(estimated_s)}.", estimated_s)
        found: list[dict[int, float]] = [{} for _ in layers]
        if elsewhere is not None:
            errors = elsewhere([partial(layers[index].quantized, bits) for index, bits in plan])
            for (index, bits), error in zip(plan, errors, strict=True):
                if error is not None:
                    found[index][bits] = error
                    self.count += 1
            plan = [(index, bits) for index, bits in plan if bits not in found[index]]
        for index, bits in counted(plan, f"measuring sensitivity, about {_in_words(len(plan) * run_s)}", "run"):
            found[index][bits] = self.error(layers[index].quantized(bits))
        self.duration_s = perf_counter() - began
        return [_cost(layer, measured) for layer, measured in zip(layers, found, strict=True)], coarsest

    def error(self, parameters: Mapping[str, Array]) -> float:
        """Return the error power of the output with other values for some parameters."""
        self.count += 1
        return self.error_of(self._runner.variant(parameters, *self._example))


def _cost(layer: _Layer, measured: Mapping[int, float]) -> LayerCost:
    return LayerCost(layer.names, {bits: layer.weight_error(bits) for bits in layer.bits}, measured)


def _in_words(duration_s: float) -> str:
    return f"{duration_s:.0f} s" if duration_s < 90 else f"{duration_s / 60:.0f} min"


def _numbers(output: Output) -> list[Array]:
    """Return the outputs in a row: those in floating point, if there are any."""
    arrays = list(flat_output(output).values())
    return [array for array in arrays if np.issubdtype(array.dtype, np.floating)] or arrays
