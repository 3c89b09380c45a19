"""What the browser runs of a panel: without it a widget is an empty box, so that it is missing is said at once."""

from gsjupyter.report.assets import asset


def script(name: str) -> str:
    """Return an ES module.

    Parameters
    ----------
    name : {"panel", "report"}
        Which one.

    Raises
    ------
    UnsupportedError
        If it was not built.
    """
    return asset(f"{name}.js")


def style(name: str) -> str:
    """Return a style sheet.

    Parameters
    ----------
    name : {"panel", "report"}
        Which one.

    Raises
    ------
    UnsupportedError
        If it was not built.
    """
    return asset(f"{name}.css")
