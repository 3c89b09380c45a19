"""Names of a package that are loaded when they are first used: who needs one needs not load what others stand on."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what is to be the ``__getattr__`` of a package.

    Parameters
    ----------
    package : str
        Its name.
    homes : mapping of str to str
        The module that each of its public names is in.

    Examples
    --------
    >>> __getattr__ = lazy_names(__name__, {"LiteModel": "gsjupyter.engines.lite"})
    """

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return load
