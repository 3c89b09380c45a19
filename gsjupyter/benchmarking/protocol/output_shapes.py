"""Outputs that can't be held against others, in words: what has another shape may be as wrong as other numbers are."""

from collections.abc import Sequence

from gsjupyter.benchmarking.protocol.batches import resized
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.benchmarking.records import Finding
from gsjupyter.engines.messages import Array


def difference_of_shapes(
    title: str, reference: Sequence[Array], reference_batch: int, outputs: Sequence[Array], batch: int
) -> str:
    """Return in which way a row's outputs have other shapes than those of a reference, as a sentence; else nothing.

    Parameters
    ----------
    title : str
        What to call the reference.
    reference, outputs : sequence of ndarray
        Flat, in the same order.
    reference_batch, batch : int
        How many samples they were run on. Axes that count them may differ.
    """
    if len(reference) != len(outputs):
        gives = f"{len(outputs)} output{'s' if len(outputs) != 1 else ''}"
        return f"It gives {gives}, and {title} gives {len(reference)}."
    common = min(reference_batch, batch)
    for number, (expected, found) in enumerate(zip(reference, outputs, strict=True), 1):
        if resized(expected, reference_batch, common).shape == resized(found, batch, common).shape:
            continue
        here, there = ("", "") if batch == reference_batch else (f" at batch {batch}", f" at batch {reference_batch}")
        if len(outputs) == 1:
            return f"Its outputs have shape {found.shape}{here}, those of {title} {expected.shape}{there}."
        which = f"Its output {number} of {len(outputs)}"
        return f"{which} has shape {found.shape}{here}, that of {title} {expected.shape}{there}."
    return ""


def keeps_written_batch(row: Row) -> bool:
    """Say whether a row's outputs have the batch size that its file was written for, and not the one it was run on."""
    firsts = {len(array) for array in row.outputs or () if array.ndim}
    return row.written_batch in firsts and row.batch not in firsts


def kept_batch(row: Row) -> Finding | None:
    """Return what to say of a row whose outputs don't follow its batch; None if they do, or that can't be told."""
    if not keeps_written_batch(row):
        return None
    shape = next(array.shape for array in row.outputs or () if array.ndim and len(array) == row.written_batch)
    return Finding(
        "wrong-output",
        f"Run at batch {row.batch}, it gives an output of shape {shape}, as for the batch of {row.written_batch} that "
        "it was exported with.",
        "Unless its outputs don't count samples, that batch size is built into the network, and what it computes here "
        "is something else: measure it at that one, or export it with this one.",
    )
