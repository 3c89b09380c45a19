"""Calibration data that several passes read: without a check an iterator would be empty for the second, unnoticed."""

from collections.abc import Iterator, Sequence
from typing import Any

from gsjupyter.calibration import batches_of
from gsjupyter.errors import CalibrationError
from gsjupyter.mindir import Array, InputSpec
from gsjupyter.signature import sample_count


class CalibrationData:
    """What a network is calibrated with, to be read as often as needed.

    Parameters
    ----------
    given : Dataset, iterable of batches, arrays, or None
        The user's data, in any form that `batches_of` takes; the example where none was given.
    example : sequence of ndarray
        One batch of the network's input.
    example_kind : str
        Where the example came from: ``"given"`` or ``"random"``.
    inputs : sequence of InputSpec
        What the network takes.
    """

    def __init__(self, given: Any, example: Sequence[Array], example_kind: str, inputs: Sequence[InputSpec]) -> None:
        self._given = given
        self.example = example
        self.example_kind = example_kind
        self._inputs = inputs
        self._times_read = 0

    def batches(self) -> Iterator[Sequence[Array]]:
        """Yield the batches, from the first on.

        Raises
        ------
        CalibrationError
            If the data is an iterator that was read before.
        """
        if self._given is None:
            yield self.example
            return
        if self.is_used_up:
            raise CalibrationError(
                "these options read the calibration data more than once, and an iterator can be read once only.",
                advice="Give a list of batches, an array, or a dataset: list(batches), for example.",
            )
        self._times_read += 1
        yield from batches_of(self._given, self._inputs)

    @property
    def is_used_up(self) -> bool:
        """Whether it can't be read any more: an iterator that was read before."""
        return self._times_read > 0 and isinstance(self._given, Iterator)

    @property
    def is_example(self) -> bool:
        """Whether the example serves, as no data was given."""
        return self._given is None

    @property
    def note(self) -> str:
        """What the user should know of the data; empty where they gave it."""
        if self._given is not None:
            return ""
        samples = sample_count(self.example)
        return (
            f"Activation ranges come from the {self.example_kind} example only "
            f"({samples} sample{'s' if samples != 1 else ''}). "
            "Give calibration data for ranges that hold on new input."
        )
