"""What is said of a file that would be replaced: whoever writes says it in the same words, with size and age."""

from datetime import datetime
from pathlib import Path

from gsjupyter.errors import WriteError
from gsjupyter.report.document import format_bytes


class ExistingFileError(WriteError):
    """There is a file already: who has another way to allow that it is replaced tells it by the kind."""


def check_free(target: Path, *, origin: str = "", flag: str = "--overwrite (in Python: overwrite=True)") -> None:
    """Check that there is nothing yet where a file is to be written.

    Parameters
    ----------
    target : Path
        Where.
    origin : str
        What is known of the file that is there, to be said behind its age.
    flag : str
        What to add to replace it.

    Raises
    ------
    ExistingFileError
        If there is.
    """
    if not target.exists():
        return
    status = target.stat()
    written = datetime.fromtimestamp(status.st_mtime).astimezone()
    raise ExistingFileError(
        f"{target.name} exists ({format_bytes(status.st_size)}, written {written:%Y-%m-%d %H:%M}{origin}).",
        advice=f"Add {flag} to replace it, or give another name.",
    )
