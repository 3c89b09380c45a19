"""Chooses the bits of each layer: the best output within a size, or the smallest size within a loss."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gsjupyter.errors import OptionError
from gsjupyter.mindir import Array
from gsjupyter.quantization import Allocation, parse_max_drop, smallest_setting, sqnr_db
from gsjupyter.report import Sensitivity


def bits_within_drop(
    sensitivity: Sensitivity,
    max_drop: str,
    outputs: Callable[[Allocation], Sequence[Array]],
    reference: Sequence[Array],
    labels: Any,
) -> Allocation:
    """Return the smallest setting whose output is good enough, found out by running some.

    Parameters
    ----------
    sensitivity : Sensitivity
        The settings to choose from, and what they are predicted to cost.
    max_drop : str
        What may be lost, as in `ConvertOptions`.
    outputs : callable
        Returns the outputs of the network with a setting.
    reference : sequence of ndarray
        The outputs of the float network on the same input.
    labels : array_like of int, shape (samples,)
        The classes of the samples; None if accuracy doesn't matter.

    Raises
    ------
    OptionError
        If labels are missing, don't fit the output, or no setting is good enough.
    """
    drop = parse_max_drop(max_drop)
    if drop.accuracy is None:
        least_db = drop.sqnr_db or 0.0
        guess = sensitivity.first_reaching(least_db)
        return smallest_setting(
            sensitivity.curve.settings,
            lambda setting: worst_sqnr_db(reference, outputs(setting)) >= least_db,
            guess=guess,
        )
    classes, scores = checked_labels(labels, reference)
    # Written so that a point of rounding error in the sum doesn't count as a sample.
    least = accuracy(reference[scores], classes) - drop.accuracy - 1e-9
    return smallest_setting(
        sensitivity.curve.settings, lambda setting: accuracy(outputs(setting)[scores], classes) >= least
    )


def accuracy(scores: Array, classes: Array) -> float:
    """Return the share of samples whose largest score, of shape (samples, classes), is that of their class."""
    return float(np.mean(scores.argmax(axis=1) == classes))


def accuracy_in_words(reference: Sequence[Array], actual: Sequence[Array], labels: Any) -> str:
    """Return how many labelled samples are classified rightly, by the float network and by another."""
    classes, scores = checked_labels(labels, reference)
    before, after = (accuracy(outputs[scores], classes) for outputs in (reference, actual))
    return f"Accuracy on the {classes.size} labelled samples: {before:.1%} in float, {after:.1%} with the chosen bits."


def worst_sqnr_db(reference: Sequence[Array], actual: Sequence[Array]) -> float:
    """Return the lowest SQNR of several outputs, in decibel."""
    return min(sqnr_db(expected, found) for expected, found in zip(reference, actual, strict=True))


def checked_labels(labels: Any, outputs: Sequence[Array]) -> tuple[Array, int]:
    """Return the labels, and the number of the output that holds a score for each class.

    Raises
    ------
    OptionError
        If they are missing, aren't one for each sample, or are no classes of the output.
    """
    if labels is None:
        raise OptionError(
            "max_drop in percent needs the classes of the samples given.",
            advice="Give labels=y (on the line: --labels y), or say what the output's SQNR may fall to: 30dB.",
        )
    classes = np.asarray(labels.asnumpy() if hasattr(labels, "asnumpy") else labels)
    fitting = [index for index, output in enumerate(outputs) if output.ndim == 2 and len(output) == classes.size]
    if classes.ndim != 1 or not np.issubdtype(classes.dtype, np.integer) or not fitting:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise OptionError(
            f"labels must be one integer for each sample; they are {classes.dtype} of shape {classes.shape}, and the "
            f"output is of shape {shapes}."
        )
    count = outputs[fitting[0]].shape[1]
    if classes.min(initial=0) < 0 or classes.max(initial=0) >= count:
        raise OptionError(
            f"labels are from {classes.min()} to {classes.max()}, and the output has {count} classes, 0 to {count - 1}."
        )
    return classes, fitting[0]
