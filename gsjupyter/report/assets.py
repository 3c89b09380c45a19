"""The scripts and styles that saved outputs carry: built from TypeScript, installed with the package."""

from functools import cache
from importlib.resources import files

from gsjupyter.errors import UnsupportedError


def is_built(name: str) -> bool:
    """Say whether a script or style is there: a source tree has none before its first build.

    Parameters
    ----------
    name : str
        The file, ``report.js`` for example.
    """
    return files("gsjupyter").joinpath("widgets", "static", name).is_file()


@cache
def asset(name: str) -> str:
    """Return the text of a script or style.

    Parameters
    ----------
    name : str
        The file, ``report.js`` for example.

    Raises
    ------
    UnsupportedError
        If it was not built.
    """
    if not is_built(name):
        raise UnsupportedError(
            f"gsjupyter/widgets/static/{name} is missing: this gsjupyter was installed without what its widgets need.",
            advice="Install it again: pip install --force-reinstall gsjupyter; in a source tree, pip install -e .",
        )
    return files("gsjupyter").joinpath("widgets", "static", name).read_text("utf-8")
