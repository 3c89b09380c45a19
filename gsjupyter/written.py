"""What a format's writer tells of the files that it has written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gsjupyter.report import Verification


@dataclass(frozen=True)
class Written:
    """What a file holds and how it was found to run.

    Parameters
    ----------
    files : tuple of Path
        The files, the one to load first.
    verification : Verification, optional
        The file against the network's source; None where it wasn't run.
    notes : tuple of str
        What the user should know.
    settings : mapping of str to object
        How the file was made, besides the conversion's options: for the manifest.
    versions : mapping of str to str
        The software that made it, besides gsjupyter's own: for the manifest.
    """

    files: tuple[Path, ...]
    verification: Verification | None = None
    notes: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
