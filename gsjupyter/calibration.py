"""Calibration data in whatever form users have it, and the pass over it: one batch in memory at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import mindspore
import numpy as np
from mindspore.dataset import Dataset

from gsjupyter.errors import CalibrationError, EngineError, InputError
from gsjupyter.mindir import Array, InputSpec, Model, run_with
from gsjupyter.passes import LayerFormats, activation_inputs
from gsjupyter.progress import counted
from gsjupyter.quantization import MinMaxObserver


def observe(model: Model, batches: Iterable[Sequence[Array]], formats: LayerFormats) -> list[MinMaxObserver]:
    """Run a float model on calibration data and watch the inputs of its layers.

    Parameters
    ----------
    model : Model
        The model, with BatchNorm folded.
    batches : iterable of sequences of ndarray
        The inputs, batch by batch.
    formats : LayerFormats
        Layers that it keeps in floating point are not watched.

    Returns
    -------
    list of MinMaxObserver
        One for each of the model's `activation_inputs`, in their order.

    Raises
    ------
    CalibrationError
        If there is no batch, or one doesn't fit the network or makes NaN.
    """
    graph = model.graph()
    targets = activation_inputs(graph, formats)
    runner = run_with(model, graph, list(targets))
    observers = [MinMaxObserver() for _ in targets]
    count = 0
    for batch in counted(batches, "calibrating", "batch"):
        try:
            arrays = runner.inner(*batch)
        except (InputError, EngineError) as error:
            verb = "fit" if isinstance(error, InputError) else "run"
            raise CalibrationError(
                f"calibration batch {count} doesn't {verb}: {error.message}", advice=_advice(batch, model.inputs)
            ) from error
        for observer, array in zip(observers, arrays, strict=True):
            observer.update(array)
        count += 1
    if not count:
        raise CalibrationError(
            "the calibration data is empty.",
            advice="Give a few dozen samples, or leave it out. A generator can be used only once: make it again.",
        )
    return observers


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
