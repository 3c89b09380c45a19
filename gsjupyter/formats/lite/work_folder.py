"""A folder for what Lite's programs read; without this an interrupt while it is removed would leave it there."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gsjupyter.interrupts import uninterrupted


@contextmanager
def work_folder() -> Iterator[Path]:
    """Give an empty folder that nobody else can read, and remove it in the end with all that it holds.

    Yields
    ------
    Path
        The folder, where the system has its temporary files.
    """
    # Its name is known before it exists, so that no interrupt can come between.
    folder = Path(tempfile.gettempdir(), f"gsjupyter-{secrets.token_hex(6)}")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            with uninterrupted():
                shutil.rmtree(folder, ignore_errors=True)
        except KeyboardInterrupt:
            # It may have come before interrupts were kept back.
            shutil.rmtree(folder, ignore_errors=True)
            raise
