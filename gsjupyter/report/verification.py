"""A conversion against its source on the same input: the proof that comes with every result."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsjupyter.quantization import cosine_similarity, max_abs_error, sqnr_db


@dataclass(frozen=True)
class OutputComparison:
    """One output of a converted network against the source's.

    Parameters
    ----------
    name : str
        The output's key or number.
    sqnr_db : float
        Signal to quantization noise ratio in decibel; infinite if equal.
    cosine : float
        Cosine similarity.
    max_abs_error : float
        Largest absolute difference, in the output's unit.
    relative_error : float
        The same, over the largest absolute value of the source's output.
    argmax_agreement : float or None
        Share of samples whose largest value is at the same place; None unless the output is (samples, classes).
    """

    name: str
    sqnr_db: float
    cosine: float
    max_abs_error: float
    relative_error: float
    argmax_agreement: float | None

    @classmethod
    def of(cls, name: str, reference: npt.ArrayLike, actual: npt.ArrayLike) -> "OutputComparison":
        """Compare two outputs of the same shape."""
        expected, computed = np.asarray(reference), np.asarray(actual)
        worst = max_abs_error(expected, computed)
        peak = float(np.abs(expected.astype(np.float64)).max()) if expected.size else 0.0
        agreement = None
        if expected.ndim == 2 and expected.shape[1] > 1 and expected.shape[0] > 0:
            agreement = float(np.mean(expected.argmax(1) == computed.argmax(1)))
        relative = worst / peak if peak else worst
        return cls(name, sqnr_db(expected, computed), cosine_similarity(expected, computed), worst, relative, agreement)


@dataclass(frozen=True)
class Verification:
    """How near a converted network is to its source, output by output; what is not a number counts as the worst.

    Parameters
    ----------
    outputs : tuple of OutputComparison
        One for each output that holds floating point numbers; for each output if none does.
    samples : int
        How many samples the input had.
    input_kind : str
        Where the input came from: ``"given"`` by the user, or ``"random"`` where none was.
    """

    outputs: tuple[OutputComparison, ...]
    samples: int
    input_kind: str

    @property
    def sqnr_db(self) -> float:
        """The lowest ratio of all outputs, in decibel."""
        return float(np.min([output.sqnr_db for output in self.outputs]))

    @property
    def cosine(self) -> float:
        """The lowest cosine similarity of all outputs."""
        return float(np.min([output.cosine for output in self.outputs]))

    @property
    def max_abs_error(self) -> float:
        """The largest difference of all outputs."""
        return float(np.max([output.max_abs_error for output in self.outputs]))

    @property
    def relative_error(self) -> float:
        """The largest relative difference of all outputs."""
        return float(np.max([output.relative_error for output in self.outputs]))

    @property
    def argmax_agreement(self) -> float | None:
        """The share of samples classified alike, of the first output that classifies; None if none does."""
        found = (item.argmax_agreement for item in self.outputs if item.argmax_agreement is not None)
        return next(found, None)

    def __str__(self) -> str:
        parts = [f"SQNR {self.sqnr_db:.1f} dB", f"cosine {self.cosine:.6f}", f"max error {self.max_abs_error:.3g}"]
        if np.isnan(self.max_abs_error):
            parts = ["output holds NaN"]
        elif self.max_abs_error == 0.0:
            parts = ["identical output"]
        elif self.argmax_agreement is not None:
            parts.append(f"same class {self.argmax_agreement:.0%}")
        return f"{', '.join(parts)} on {self.samples} {self.input_kind} sample{'s' if self.samples != 1 else ''}"


def verify(
    reference: Mapping[str, npt.NDArray[np.generic]],
    actual: Mapping[str, npt.NDArray[np.generic]],
    samples: int,
    input_kind: str,
) -> Verification:
    """Compare the floating point outputs of two networks that were given the same input; all outputs if none is.

    Parameters
    ----------
    reference, actual : mapping of str to ndarray
        The outputs by name, in the same order; the names are those of the reference.
    samples : int
        How many samples the input had.
    input_kind : {"given", "random"}
        Where it came from.
    """
    outputs = [
        (name, expected, found) for (name, expected), found in zip(reference.items(), actual.values(), strict=True)
    ]
    numbers = [output for output in outputs if np.issubdtype(output[1].dtype, np.floating)]
    return Verification(tuple(OutputComparison.of(*output) for output in numbers or outputs), samples, input_kind)
