"""What the rows of a benchmark are fed with: the same samples for all, in batches of any size."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import psutil

from gsjupyter.benchmarking.protocol.subjects import Subject
from gsjupyter.engines.messages import Array
from gsjupyter.errors import InputError
from gsjupyter.report import format_bytes
from gsjupyter.signature import InputSpec, check_inputs, is_tensor, sample_count


@dataclass(frozen=True)
class Fed:
    """What a model is run on.

    Parameters
    ----------
    arrays : tuple of ndarray
        One for each input.
    batch : int
        How many samples they hold.
    origin : tuple of ndarray, optional
        The user's arrays that they were made of; None if they are random.
    """

    arrays: tuple[Array, ...]
    batch: int
    origin: tuple[Array, ...] | None


@dataclass(frozen=True)
class Inputs:
    """Where the inputs of all rows come from.

    Parameters
    ----------
    given : tuple of ndarray, optional
        What the user gave: every model must take it.
    examples : tuple of tuple of ndarray
        Where nothing is given: the examples of conversions. A model gets its own, or the first that fits if it has
        none; random numbers if none does.
    seed : int
        What random numbers are drawn with. Models that take the same get the same.
    free_batch : int
        How many samples of random numbers a model gets that takes any number of them, if none is asked for.
    """

    given: tuple[Array, ...] | None = None
    examples: tuple[tuple[Array, ...], ...] = ()
    seed: int = 0
    free_batch: int = 1

    @classmethod
    def of(cls, given: tuple[Array, ...] | None, subjects: Iterable[Subject], seed: int) -> "Inputs":
        """Return the inputs of a benchmark: those given, and the examples of its subjects."""
        return cls(given, tuple(item.expected.inputs for item in subjects if item.expected is not None), seed)

    def batch_known(self) -> int | None:
        """Return the batch size that follows without asking a model; None if there is none.

        Nor is there one where first axes differ: which of them counts samples, the model says.
        """
        known = self.given if self.given is not None else next(iter(self.examples), None)
        if known is None:
            return None
        sizes = {len(array) for array in known if array.ndim} or {1}
        return sizes.pop() if len(sizes) == 1 else None

    def fit(
        self, name: str, specs: Sequence[InputSpec], batch: int | None, own: tuple[Array, ...] | None = None
    ) -> Fed:
        """Return the input of a model.

        Parameters
        ----------
        name : str
            What to call the model.
        specs : sequence of InputSpec
            What it takes.
        batch : int, optional
            How many samples; as many as were given, or as the file says, if left out.
        own : tuple of ndarray, optional
            The example that its own outputs are known for.

        Raises
        ------
        InputError
            If what the user gave doesn't fit it, it takes what can't be made up, another batch than 1 is asked for and
            no input has an axis of samples, or there is no memory for so much.
        """
        if self.given is not None:
            return _of(self.given, specs, name, batch)
        for example in (*((own,) if own is not None else ()), *self.examples):
            try:
                return _of(example, specs, name, batch)
            except InputError:
                continue
        return _random(name, specs, batch, self.seed, self.free_batch)


def arrays_of(inputs: Any) -> tuple[Array, ...]:
    """Return what a user gives as inputs, one array or Tensor or several in a tuple, as arrays.

    Raises
    ------
    InputError
        If something is no array, or there are no samples.
    """
    values = inputs if isinstance(inputs, tuple | list) else (inputs,)
    try:
        arrays = tuple(value.asnumpy() if is_tensor(value) else np.asarray(value) for value in values)
    except ValueError as error:
        raise InputError(f"an input is no array: {error}") from error
    if not sample_count(arrays):
        raise InputError(f"the inputs hold no samples: the first has shape {arrays[0].shape}.")
    return arrays


def resized(array: Array, samples: int, wanted: int) -> Array:
    """Return an array with another number of samples, repeated or cut; as it is if its first axis doesn't count them.

    Parameters
    ----------
    array : ndarray of shape (samples, ...)
        What to repeat or cut.
    samples : int
        How many samples there are.
    wanted : int
        How many there are to be.
    """
    if samples == wanted or not array.ndim or len(array) != samples:
        return array
    return np.ascontiguousarray(np.take(array, np.arange(wanted) % samples, axis=0))


def written_batch(specs: Sequence[InputSpec]) -> int | None:
    """Return the batch size that a model's file names; None if it takes any, or no input has an axis of samples.

    Samples are counted along the first input whose first axis is free, else along the first that isn't a single
    number. An empty batch counts as 1, since nothing can be said per sample of none.
    """
    place = _counting(specs)
    shape = None if place is None else specs[place].shape
    return max(1, shape[0]) if shape and shape[0] >= 0 else None


def is_fixed(specs: Sequence[InputSpec], batch: int) -> bool:
    """Say whether a model's file names another batch size than this."""
    return written_batch(specs) not in (None, batch)


def _of(arrays: tuple[Array, ...], specs: Sequence[InputSpec], name: str, batch: int | None) -> Fed:
    checked = check_inputs(name, specs, arrays)
    # An input without a written shape is as it is given.
    place = _counting(
        [replace(spec, shape=spec.shape or array.shape) for spec, array in zip(specs, checked, strict=True)]
    )
    samples = 1 if place is None else len(checked[place])
    if place is not None and not samples:
        raise InputError(f"input {specs[place].name} of {name} holds no samples: it has shape {checked[place].shape}.")
    wanted = samples if batch is None else batch
    _check_axis(name, place, wanted)
    free = place is not None and _is_free(specs[place])
    if wanted > samples:
        _check_memory(name, wanted, sum(array.nbytes for array in checked) * wanted // samples)
    fed = (
        array if free and not _is_free(spec) else resized(array, samples, wanted)
        for spec, array in zip(specs, checked, strict=True)
    )
    # Not ascontiguousarray, which gives a single number an axis.
    return Fed(tuple(np.asarray(array, order="C") for array in fed), wanted, arrays)


def _random(name: str, specs: Sequence[InputSpec], batch: int | None, seed: int, free_batch: int) -> Fed:
    """Return normal numbers, zeros for integers: an index of 0 is one that every table has."""
    place = _counting(specs)
    free = place is not None and _is_free(specs[place])
    wanted = batch or written_batch(specs) or (free_batch if free else 1)
    _check_axis(name, place, wanted)
    first = specs[place].shape if place is not None else None
    arrays: list[Array] = []
    for index, spec in enumerate(specs):
        if spec.shape is None or not spec.dtype:
            raise InputError(f"input {spec.name} of {name} is no tensor, so there is no random one.")
        shape = [abs(size) for size in spec.shape]
        if first and spec.shape[:1] == first[:1]:
            shape[0] = wanted
        dtype = np.dtype(spec.dtype)
        _check_memory(name, wanted, math.prod(shape) * dtype.itemsize)
        if dtype.kind == "f":
            # Sample after sample: those of a small batch are the first of a large one.
            arrays.append(np.random.default_rng((seed, index)).standard_normal(shape, np.float32).astype(dtype))
        else:
            arrays.append(np.zeros(shape, dtype))
    return Fed(tuple(arrays), wanted, None)


def _counting(specs: Sequence[InputSpec]) -> int | None:
    """Return the place of the input whose first axis counts samples; None if all are single numbers."""
    free = (place for place, spec in enumerate(specs) if _is_free(spec))
    return next(free, next((place for place, spec in enumerate(specs) if spec.shape), None))


def _check_axis(name: str, place: int | None, batch: int) -> None:
    if place is None and batch != 1:
        raise InputError(
            f"{name} has no input with an axis of samples, so there is no batch of {batch:,} for it.",
            advice="Leave out batches, or ask for 1.",
        )


def _check_memory(name: str, batch: int, size_bytes: int) -> None:
    """Check that there is room for an input, here and in the worker: the notebook must not end for a benchmark."""
    if 2 * size_bytes > psutil.virtual_memory().available:
        size = format_bytes(size_bytes)
        raise InputError(f"{name} takes {size} of input at batch {batch:,}, and there is no memory for that.")


def _is_free(spec: InputSpec) -> bool:
    return bool(spec.shape) and spec.shape[0] == -1  # type: ignore[index]
