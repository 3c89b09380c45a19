"""A benchmark on an engine of a cluster: the single-machine one, with files that were sent and a text as its answer."""

from functools import partial
from time import monotonic
from typing import Any, Final

from gsjupyter.benchmarking.cluster.parcel import Parcel
from gsjupyter.benchmarking.results.storage import to_json
from gsjupyter.cluster import tell_progress
from gsjupyter.cluster.engine_folder import file_in, working_in

_TELL_S: Final = 0.5


def run(token: str, parcel: str) -> str:
    """Make a benchmark here, and return it as JSON.

    Parameters
    ----------
    token : str
        The folder that its files were sent to.
    parcel : str
        What to measure, as `Parcel.packed` gives it.

    Raises
    ------
    GsError
        If it can't be made.
    """
    from gsjupyter.benchmarking.run import measure

    with working_in(token):
        wanted = Parcel.unpacked(parcel, partial(file_in, token))
        where: dict[str, Any] = dict(wanted.wanted)
        return to_json(measure(wanted.subjects, wanted.inputs, options=wanted.options, steps=_Told(), **where))


class _Told:
    """Tells the client what goes on, now and then: a row may have many blocks a second."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def begin(self, step: str) -> None:
        """Tell the step that begins."""
        now = monotonic()
        if now >= self._next_s:
            self._next_s = now + _TELL_S
            tell_progress(step)
