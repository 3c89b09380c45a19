"""Calibration data in whatever form users have it, and the pass over it: one batch in memory at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import mindspore
import numpy as np
from mindspore.dataset import Dataset

from gsjupyter.errors import CalibrationError, EngineError, InputError
from gsjupyter.float_runs import InnerRuns, inner_runs
from gsjupyter.mindir import Array, Graph, InputSpec, Model, Value
from gsjupyter.passes import activation_inputs, watched_outputs
from gsjupyter.passes.quantize_activations import KeptInputs
from gsjupyter.progress import counted
from gsjupyter.quantization import ActivationSketch
from gsjupyter.quantization.value_range import ValueRange


class Collector(Protocol):
    """What watches a value during calibration: it sees each batch once, and keeps what it needs."""

    def update(self, array: Array) -> None:
        """Take in the value's array of one batch."""


def run_calibration(
    model: Model,
    graph: Graph,
    batches: Iterable[Sequence[Array]],
    collectors: Mapping[Value, Sequence[Collector]],
) -> int:
    """Run a float model on calibration data, one batch in memory at a time, and show inner values to collectors.

    Parameters
    ----------
    model : Model
        The model, with BatchNorm folded.
    graph : Graph
        The graph of that model, left as it is.
    batches : iterable of sequences of ndarray
        The inputs, batch by batch.
    collectors : mapping of Value to sequence of Collector
        What watches each value of the graph.

    Returns
    -------
    int
        The number of batches.

    Raises
    ------
    CalibrationError
        If there is no batch, or one doesn't fit the network or makes NaN.
    """
    count = 0
    with inner_runs(model, graph, list(collectors)) as runner:
        for batch in counted(batches, "calibrating", "batch"):
            _show(runner, batch, count, list(collectors.values()))
            count += 1
    if not count:
        raise CalibrationError(
            "the calibration data is empty.",
            advice="Give a few dozen samples, or leave it out. A generator can be used only once: make it again.",
        )
    return count


def _show(runner: InnerRuns, batch: Sequence[Array], number: int, collectors: Sequence[Sequence[Collector]]) -> None:
    """Run one batch; a function of its own, so that its inner values are gone before the next batch runs."""
    try:
        arrays = runner.inner(*batch)
    except (InputError, EngineError) as error:
        verb = "fit" if isinstance(error, InputError) else "run"
        raise CalibrationError(
            f"calibration batch {number} doesn't {verb}: {error.message}", advice=_advice(batch, runner.model.inputs)
        ) from error
    for watching, array in zip(collectors, arrays, strict=True):
        for collector in watching:
            collector.update(array)


def observe(model: Model, batches: Iterable[Sequence[Array]], formats: KeptInputs) -> list[ActivationSketch]:
    """Run a float model on calibration data and sketch the inputs of its layers.

    Parameters
    ----------
    model : Model
        The model, with BatchNorm folded.
    batches : iterable of sequences of ndarray
        The inputs, batch by batch.
    formats : KeptInputs
        Layers whose inputs it keeps in floating point are not watched.

    Returns
    -------
    list of ActivationSketch
        One for each of the model's `activation_inputs`, in their order.

    Raises
    ------
    CalibrationError
        If there is no batch, or one doesn't fit the network or makes NaN.
    """
    graph = model.graph()
    sketches = {value: ActivationSketch() for value in activation_inputs(graph, formats)}
    _watch(model, graph, batches, sketches)
    return list(sketches.values())


@dataclass(frozen=True)
class Observed:
    """What calibration saw.

    Parameters
    ----------
    inputs : list of ActivationSketch
        One for each of the model's `activation_inputs`, in their order.
    outputs : list of ActivationSketch or ValueRange
        One for each of its `watched_outputs`, in their order.
    """

    inputs: list[ActivationSketch] = field(default_factory=list)
    outputs: list[ActivationSketch | ValueRange] = field(default_factory=list)


def observe_with_outputs(
    model: Model, batches: Iterable[Sequence[Array]], formats: KeptInputs, observer: str
) -> Observed:
    """Run a float model on calibration data once; watch the inputs of its layers, and what integer kernels write.

    Parameters
    ----------
    model, batches, formats
        As in `observe`.
    observer : {"minmax", "percentile", "mse", "entropy"}
        What is to choose the ranges of outputs. Sketches cost time, and ``minmax`` needs none.

    Raises
    ------
    CalibrationError
        As in `observe`.
    """
    graph = model.graph()
    inputs = {value: ActivationSketch() for value in activation_inputs(graph, formats)}
    outputs: dict[Value, ActivationSketch | ValueRange] = {
        value: ValueRange() if observer == "minmax" else ActivationSketch() for value in watched_outputs(graph, formats)
    }
    if inputs or outputs:
        _watch(model, graph, batches, {**inputs, **outputs})
    return Observed(list(inputs.values()), list(outputs.values()))


def _watch(model: Model, graph: Graph, batches: Iterable[Sequence[Array]], watching: Mapping[Value, Collector]) -> None:
    run_calibration(model, graph, batches, {value: [collector] for value, collector in watching.items()})


def batches_of(calibration: Any, inputs: Sequence[InputSpec]) -> Iterator[tuple[Array, ...]]:
    """Yield batches of a network's inputs from a MindSpore dataset, an iterable of batches, or arrays.

    Parameters
    ----------
    calibration : Dataset, ndarray, Tensor, tuple of arrays, or iterable
        A dataset or an iterable gives batches: an array, a tuple or list that starts with the inputs (labels may
        follow), or a dictionary with the inputs' names. An array, or a tuple with one for each input, holds all
        samples along the first axis and is cut into batches of the size that the network was exported with.
    inputs : sequence of InputSpec
        What the network takes.

    Raises
    ------
    CalibrationError
        If it is none of these.
    """
    if isinstance(calibration, Dataset):
        for row in calibration.create_dict_iterator(num_epochs=1, output_numpy=True):
            names = {spec.name for spec in inputs}
            yield _inputs_of(row if names <= set(row) else list(row.values()), inputs)
    elif _is_array(calibration):
        yield from _cut([np.asarray(_array(calibration))], inputs)
    elif isinstance(calibration, tuple) and calibration and all(map(_is_array, calibration)):
        yield from _cut([_array(item) for item in calibration[: len(inputs)]], inputs)
    elif isinstance(calibration, Iterable) and not isinstance(calibration, str | bytes | Mapping):
        for batch in calibration:
            yield _inputs_of(batch, inputs)
    else:
        raise CalibrationError(
            f"calibration data can't be {type(calibration).__name__}.",
            advice="Call it, if it makes the batches: batches()."
            if callable(calibration)
            else "Give a MindSpore dataset, an iterable of batches, or an array of samples.",
        )


def _advice(batch: Sequence[Array], inputs: Sequence[InputSpec]) -> str:
    for array, spec in zip(batch, inputs, strict=False):
        if spec.shape is not None and array.ndim == len(spec.shape) - 1:
            return "These are single samples: make batches of them, dataset.batch(32) for example."
        if spec.dtype and array.dtype != spec.dtype:
            names = ", ".join(item.name for item in inputs)
            return (
                f"A batch's arrays are taken in the order of the network's inputs ({names}), labels behind them; "
                f"{spec.name} must be {spec.dtype}."
            )
    return ""


def _is_array(value: object) -> bool:
    return isinstance(value, np.ndarray | mindspore.Tensor)


def _array(value: Any) -> Array:
    return value.asnumpy() if isinstance(value, mindspore.Tensor) else np.asarray(value)


def _inputs_of(batch: Any, inputs: Sequence[InputSpec]) -> tuple[Array, ...]:
    if isinstance(batch, Mapping):
        missing = [spec.name for spec in inputs if spec.name not in batch]
        if missing:
            raise CalibrationError(f"a calibration batch has no {missing[0]!r}; it has {', '.join(map(str, batch))}.")
        return tuple(_array(batch[spec.name]) for spec in inputs)
    values = batch if isinstance(batch, tuple | list) else [batch]
    if len(values) < len(inputs):
        raise CalibrationError(f"a calibration batch has {len(values)} arrays, the network takes {len(inputs)}.")
    return tuple(_array(value) for value in values[: len(inputs)])


def _cut(arrays: Sequence[Array], inputs: Sequence[InputSpec]) -> Iterator[tuple[Array, ...]]:
    if len(arrays) < len(inputs):
        raise CalibrationError(f"{len(arrays)} calibration arrays given, the network takes {len(inputs)} inputs.")
    if any(array.ndim == 0 for array in arrays) or len({len(array) for array in arrays}) > 1:
        raise CalibrationError("the calibration arrays must have as many samples as each other.")
    first = inputs[0].shape if inputs else None
    size = first[0] if first and first[0] > 0 else 32
    total = len(arrays[0])
    for start in range(0, total, size):
        # The last batch is filled up with samples seen before: a network may have its batch size built in.
        begin = max(0, min(start, total - size))
        yield tuple(array[begin : begin + size] for array in arrays)
