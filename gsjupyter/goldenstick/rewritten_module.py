"""The module of a rewritten network, loaded with all names that its methods use.

Rewrite copies classes and imports into it, but not the constants that stand beside a class in its file: compiled later,
the network would fail on their names.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gsjupyter.goldenstick.method_source import global_names


def load_rewritten(file: Path) -> ModuleType:
    """Return the module of a file, which stays in `sys.modules`: inspect finds a class's source by its module."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[file.stem]
        raise
    _complete(module)
    return module


def _complete(module: ModuleType) -> None:
    names = vars(module)
    classes = [item for item in names.values() if isinstance(item, type) and item.__module__ == module.__name__]
    found: dict[str, Any] = {}
    ambiguous: set[str] = set()
    for cls in classes:
        for name, value in _names_used(cls):
            if name not in names and found.setdefault(name, value) is not value:
                # One name of two modules: MindSpore says that it isn't defined, which is better than the wrong one.
                ambiguous.add(name)
    names.update({name: value for name, value in found.items() if name not in ambiguous})


def _names_used(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the names that a copied class's methods look up, with what they are where the class comes from."""
    originals = [base for base in cls.__mro__[1:] if not base.__module__.startswith(("mindspore.", "builtins"))]
    homes = [vars(sys.modules[base.__module__]) for base in originals if base.__module__ in sys.modules]
    functions = [item for item in vars(cls).values() if isinstance(item, FunctionType)]
    for name in {name for function in functions for name in global_names(function.__code__)}:
        home = next((home for home in homes if name in home), None)
        if home is not None:
            yield name, home[name]
