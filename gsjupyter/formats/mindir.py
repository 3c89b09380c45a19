"""MindIR as a file to deploy: what MindSpore loads, on any backend."""

from pathlib import Path

from gsjupyter.mindir import Model, save_model


def save(model: Model, path: Path) -> tuple[Path, ...]:
    """Write a model; above 1 GiB its parameters go to a folder beside it.

    Returns
    -------
    tuple of Path
        The files written, the one to load first.

    Raises
    ------
    WriteError
        If it can't be written. Then nothing is changed.
    """
    return save_model(model, path)
