"""What an engine's profile is brought to, whatever the engine: it goes from the worker to the notebook as JSON."""

from typing import TypedDict


class OperatorRecord(TypedDict):
    """What one operator of a running network took; records lie in the order in which they ran.

    Parameters
    ----------
    name : str
        The operator's name, as the engine has it.
    operator : str
        Its kind, ``QLinearConv`` for example.
    scope : str
        The cell that it was written in, as a dotted name; empty for the network itself, and where that isn't known.
    weights : list of str
        The parameters that it reads, by name.
    durations_s : list of float
        How long it took, in each run.
    """

    name: str
    operator: str
    scope: str
    weights: list[str]
    durations_s: list[float]
