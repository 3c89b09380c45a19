"""Calibration data as the converter reads it: a folder for each input, with a file of bare numbers for each batch.

A file is read into the input as it will be in the .ms file: what has four axes lies channels last there, unless the
converter is told to keep the order, and data types of 64 bits have become those of 32. Only the number of bytes is
checked; wrong axes give wrong ranges.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gsjupyter.atomic import staging
from gsjupyter.engines.lite_layout import converted
from gsjupyter.errors import CalibrationError, InputError
from gsjupyter.formats.lite.settings import LiteSettings
from gsjupyter.mindir import Array, InputSpec, check_inputs

FOLDER: Final = "calibration"
_IMAGE_AXES: Final = 4
_NARROWER: Final = {"int64": "int32", "float64": "float32"}


@dataclass(frozen=True)
class CalibrationFiles:
    """Calibration data on disk.

    Parameters
    ----------
    folders : mapping of str to str
        The folder of each input, relative to the one that all were put into.
    batches : int
        How many files each of them holds.
    """

    folders: Mapping[str, str]
    batches: int


def write_calibration(
    batches: Iterable[Sequence[Array]], inputs: Sequence[InputSpec], settings: LiteSettings, folder: Path
) -> CalibrationFiles:
    """Write calibration data for the converter; all of it, or nothing.

    Parameters
    ----------
    batches : iterable of sequences of ndarray
        The inputs, batch by batch, of any length: they are cut to the one that the network was exported with. Samples
        that don't fill a last one are left out.
    inputs : sequence of InputSpec
        What the network takes.
    settings : LiteSettings
        How it is converted: the order of the axes depends on it.
    folder : Path
        Where to put the folder ``calibration``; it must exist.

    Raises
    ------
    CalibrationError
        If a batch doesn't fit the network, holds integers that take more than 32 bits, or there are fewer samples than
        one batch takes.
    WriteError
        If they can't be written.
    """
    folders = {spec.name: f"{FOLDER}/input{index}" for index, spec in enumerate(inputs)}
    count = 0
    with staging(folder) as stage:
        for place in folders.values():
            (stage / place).mkdir(parents=True)
        for count, arrays in enumerate(_whole_batches(_checked(batches, inputs, settings), inputs), 1):
            for array, place in zip(arrays, folders.values(), strict=True):
                array.tofile(stage / place / f"{count - 1:05}.bin")
        if not count:
            wanted = _batch_of(inputs)
            raise CalibrationError(
                f"the calibration data holds fewer samples than one batch of the network takes ({wanted}).",
                advice="Give more samples, or convert with an example of fewer. A generator can be used only once.",
            )
    return CalibrationFiles(folders, count)


def _checked(
    batches: Iterable[Sequence[Array]], inputs: Sequence[InputSpec], settings: LiteSettings
) -> Iterator[list[Array]]:
    for number, batch in enumerate(batches):
        try:
            arrays = check_inputs("the network", inputs, batch)
            yield [as_file_takes(*pair, settings) for pair in zip(inputs, arrays, strict=True)]
        except InputError as error:
            raise CalibrationError(
                f"calibration batch {number} doesn't fit: {error.message}", advice=error.advice
            ) from error


def _whole_batches(batches: Iterable[list[Array]], inputs: Sequence[InputSpec]) -> Iterator[list[Array]]:
    """Yield the same samples in batches of the exported length."""
    size = _batch_of(inputs)
    waiting: list[Array] = []
    for batch in batches:
        lengths = {len(array) for array in batch if array.ndim}
        if size is None or len(lengths) != 1 or any(not array.ndim for array in batch):
            # Inputs that share no axis of samples can't be cut.
            yield batch
            continue
        waiting = [np.concatenate(pair) for pair in zip(waiting, batch, strict=True)] if waiting else batch
        while len(waiting[0]) >= size:
            yield [array[:size] for array in waiting]
            waiting = [array[size:] for array in waiting]


def _batch_of(inputs: Sequence[InputSpec]) -> int | None:
    """Return the length of the first axis that all inputs were exported with; None if they have none in common."""
    lengths = {spec.shape[0] if spec.shape else -1 for spec in inputs}
    return next(iter(lengths)) if len(lengths) == 1 and min(lengths) > 0 else None


def as_file_takes(spec: InputSpec, array: Array, settings: LiteSettings) -> Array:
    """Return an input as the converter's output takes it.

    Parameters
    ----------
    spec : InputSpec
        The input.
    array : ndarray
        As the network takes it.
    settings : LiteSettings
        How the network is converted.

    Raises
    ------
    InputError
        If it holds integers that take more than 32 bits.
    """
    channels_last = array.ndim == _IMAGE_AXES and settings.input_format != "NCHW"
    moved = array.transpose(0, 2, 3, 1) if channels_last else array
    return converted(spec.name, moved, _NARROWER.get(array.dtype.name, array.dtype.name))
