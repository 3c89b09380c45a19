"""Whether the rows of a benchmark compute the same thing: a fast wrong answer must be seen."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gsjupyter.benchmarking.protocol.batches import resized
from gsjupyter.benchmarking.protocol.output_shapes import difference_of_shapes, keeps_written_batch, kept_batch
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.benchmarking.protocol.subjects import Expected
from gsjupyter.benchmarking.records import ENGINE_TITLES, TARGET_TITLES, Finding, OutputCheck
from gsjupyter.engines.messages import Array
from gsjupyter.report import verify
from gsjupyter.signature import sample_count

NEAR_DB: Final = 10.0
"""Outputs with less than this have little in common."""
_ENOUGH_DB: Final = 40.0
_MARGIN_DB: Final = 10.0
_SAME_FILE_DB: Final = 20.0
_CLASSES: Final = ("i4", "i8", "b1")
_SOME: Final = 8
"""Of fewer samples chance may classify most otherwise, of a network that has not been trained for example."""

_WRONG: Final = "Don't trust its speed: it computes something else. Try another engine, provider or quantization."
_WRONG_IF_THE_SAME: Final = (
    "If both are to be the same network, don't trust its speed either: it computes something else."
)
_WHICH_IS_WRONG: Final = "One of the two computes something else: trust neither until you know which."


def check_outputs(rows: Sequence[Row]) -> None:
    """Hold each row's outputs against the reference, and note in the rows what was found.

    The reference is what the network gives that a file was made from, if it was asked for the same input; else it is
    the first row that ran, on as many samples if there is one.
    """
    for row in rows:
        if row.outputs is None:
            continue
        row.check, promised_db = _against_source(row)
        reference = _reference_row(row, rows)
        if row.check is None:
            row.check = _against_row(row, reference)
        finding = _unsteady(row) or kept_batch(row) or _other_shapes(row, reference) or _finding(row, promised_db)
        finding = finding or _disagreement(row, rows)
        row.findings = (finding,) if finding is not None else ()


def compare_outputs(
    title: str, reference: Sequence[Array], reference_samples: int, outputs: Sequence[Array], samples: int
) -> OutputCheck | None:
    """Compare outputs on the same samples, of which one side may have more; None if they can't be compared.

    Parameters
    ----------
    title : str
        What to call the reference.
    reference, outputs : sequence of ndarray
        Flat, in the same order.
    reference_samples, samples : int
        How many samples their first axes count.
    """
    common = min(reference_samples, samples)
    expected = [resized(array, reference_samples, common) for array in reference]
    found = [resized(array, samples, common) for array in outputs]
    if not expected or [array.shape for array in expected] != [array.shape for array in found]:
        return None
    pairs = [_without_what_is_no_number(*pair) for pair in zip(expected, found, strict=True)]
    result = verify(
        {str(index): before for index, (before, _) in enumerate(pairs)},
        {str(index): after for index, (_, after) in enumerate(pairs)},
        common,
        "given",
    )
    agreements = [result.argmax_agreement] if result.argmax_agreement is not None else []
    # Numbers of classes, or words: their difference means nothing.
    agreements += [
        float(np.mean(before == after)) for before, after in pairs if before.size and before.dtype.str[1:] in _CLASSES
    ]
    return OutputCheck(
        reference=title,
        sqnr_db=-math.inf if math.isnan(result.sqnr_db) else result.sqnr_db,
        max_abs_error=math.inf if math.isnan(result.max_abs_error) else result.max_abs_error,
        argmax_agreement=min(agreements, default=None),
        samples=common,
    )


def _without_what_is_no_number(expected: Array, found: Array) -> tuple[Array, Array]:
    """Return two outputs with zeros where both have the same infinity, or NaN: these agree, and have no difference."""
    if expected.dtype.kind != "f" or found.dtype.kind != "f":
        return expected, found
    alike = ~np.isfinite(expected) & ((expected == found) | (np.isnan(expected) & np.isnan(found)))
    return np.where(alike, 0, expected), np.where(alike, 0, found)


def _against_source(row: Row) -> tuple[OutputCheck | None, float | None]:
    """Return a row's comparison with the network it was made from, and how near it was found to be before."""
    subject = row.planned.subject
    if row.outputs is None or subject.expected is None or not _is_same(row.origin, subject.expected.inputs):
        return None, None
    reference = _source_outputs(subject.expected, row.batch)
    check = compare_outputs("its source", reference, row.batch, row.outputs, row.batch)
    return check, subject.promised_db.get(row.planned.engine)


def _source_outputs(source: Expected, batch: int) -> list[Array]:
    samples = sample_count(source.inputs)
    return [resized(array, samples, batch) for array in source.outputs]


def _is_same(given: Sequence[Array] | None, other: Sequence[Array]) -> bool:
    if given is None or len(given) != len(other):
        return False
    return all(_is_equal(left, right) for left, right in zip(given, other, strict=True))


def _reference_row(row: Row, rows: Sequence[Row]) -> Row | None:
    ran = [other for other in rows if other.outputs is not None and not keeps_written_batch(other)]
    alike = [other for other in ran if other.batch == row.batch]
    return next((first for first in (*alike[:1], *ran[:1]) if first is not row), None)


def _against_row(row: Row, reference: Row | None) -> OutputCheck | None:
    if row.outputs is None or reference is None or reference.outputs is None:
        return None
    if not _have_same_samples(row, reference):
        return None
    return compare_outputs(_described(reference), reference.outputs, reference.batch, row.outputs, row.batch)


def _have_same_samples(row: Row, other: Row) -> bool:
    """Say whether the samples that two rows have in common are the same."""
    if len(row.arrays) != len(other.arrays):
        return False
    common = min(row.batch, other.batch)
    pairs = zip(row.arrays, other.arrays, strict=True)
    return all(
        _is_equal(resized(left, row.batch, common), resized(right, other.batch, common)) for left, right in pairs
    )


def _is_equal(left: Array, right: Array) -> bool:
    return left is right or np.array_equal(left, right, equal_nan=left.dtype.kind == "f" and right.dtype.kind == "f")


def _other_shapes(row: Row, reference: Row | None) -> Finding | None:
    """Say if a row's outputs can't be held against its source, or else another row, since they have other shapes."""
    outputs, source = row.outputs or (), row.planned.subject.expected
    if source is not None and _is_same(row.origin, source.inputs):
        symptom = difference_of_shapes("its source", _source_outputs(source, row.batch), row.batch, outputs, row.batch)
        remedy = _WRONG
    elif reference is not None and reference.outputs is not None and _have_same_samples(row, reference):
        title = _described(reference)
        symptom = difference_of_shapes(title, reference.outputs, reference.batch, outputs, row.batch)
        remedy = _WHICH_IS_WRONG if row.digest and row.digest == reference.digest else _WRONG_IF_THE_SAME
    else:
        return None
    return Finding("wrong-output", symptom, remedy) if symptom else None


def _unsteady(row: Row) -> Finding | None:
    """Say that a row's processes don't agree among themselves, or give nothing that could be compared."""
    if row.repeated_db < _SAME_FILE_DB:
        return Finding(
            "wrong-output",
            f"Its outputs differ from process to process, on the same input: the SQNR is {row.repeated_db:.1f} dB.",
            "If it draws random numbers, its outputs can't be compared; else trust neither them nor its speed.",
        )
    if row.check is None and any(np.isnan(array).any() for array in row.outputs or () if array.dtype.kind == "f"):
        return Finding("wrong-output", "Its outputs hold NaN.", "Look for what overflows, or give real inputs.")
    return None


def _finding(row: Row, promised_db: float | None) -> Finding | None:
    check = row.check
    if (
        check is not None
        and promised_db is None
        and check.samples >= _SOME
        and (1.0 if check.argmax_agreement is None else check.argmax_agreement) < 0.5
    ):
        symptom = f"Only {check.argmax_agreement:.0%} of its samples are classified as by {check.reference}."
        return Finding("wrong-output", symptom, _WRONG_IF_THE_SAME)
    if check is None or check.sqnr_db >= _lowest_db(promised_db):
        return None
    if not math.isfinite(check.max_abs_error) and _are_numbers(row.outputs or ()):
        return Finding(
            "wrong-output",
            f"Its outputs are numbers where those of {check.reference} are none.",
            "Look at what it was held against first: something overflows there, so nothing can be told from it.",
        )
    if not math.isfinite(check.max_abs_error):
        symptom = f"Its outputs are no numbers where those of {check.reference} are."
    elif promised_db is not None and promised_db > check.sqnr_db + _MARGIN_DB:
        symptom = (
            f"Its outputs have an SQNR of {check.sqnr_db:.1f} dB against {check.reference}; when the file was made, it "
            f"was {promised_db:.1f} dB."
        )
    else:
        symptom = f"Its outputs are nowhere near those of {check.reference}: the SQNR is {check.sqnr_db:.1f} dB."
    if promised_db is None:
        return Finding("wrong-output", symptom, _WRONG_IF_THE_SAME)
    return Finding("wrong-output", symptom, _WRONG)


def _are_numbers(outputs: Sequence[Array]) -> bool:
    return all(np.isfinite(array).all() for array in outputs if array.dtype.kind == "f")


def _lowest_db(promised_db: float | None) -> float:
    if promised_db is None:
        return NEAR_DB
    enough = min(promised_db, _ENOUGH_DB)
    return enough - _MARGIN_DB if enough > 2 * _MARGIN_DB else enough / 2


def _disagreement(row: Row, rows: Sequence[Row]) -> Finding | None:
    """Say if the same file gives something else elsewhere: then one of the two is wrong, whatever the reference."""
    for other in rows:
        if other is row:
            return None
        if other.digest != row.digest or other.batch != row.batch or not row.digest:
            continue
        check = _against_row(row, other)
        if check is not None and check.sqnr_db < _SAME_FILE_DB:
            return Finding(
                "wrong-output",
                f"The same file gives other outputs here than on {_described(other)}: the SQNR is "
                f"{check.sqnr_db:.1f} dB.",
                _WHICH_IS_WRONG,
            )
    return None


def _described(row: Row) -> str:
    planned = row.planned
    return f"{planned.subject.label} on {ENGINE_TITLES[planned.engine]}, {TARGET_TITLES[planned.target]}"
