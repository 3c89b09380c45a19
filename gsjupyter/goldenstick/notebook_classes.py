"""Classes of a notebook, made to look for a while as if they came from a file: MindSpore's rewrite reads only those.

While a class is `sourceable` its ``__module__`` is a module that exists in `sys.modules`, with a file whose text
`inspect.getsource` finds; afterwards everything is as it was, but for the files, which stay until Python ends.
"""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gsjupyter.errors import UnsupportedError
from gsjupyter.goldenstick.notebook_source import class_source, has_source

SHARED_NAMES: Final = "gsjupyter_names"
"""The module from which the names of the notebook are imported."""

# rewrite takes modules for the same one if the name of one begins with the name of the other.
_MODULE_NAME: Final = "gsjupyter_notebook_{:06d}"


class NotebookClasses:
    """The modules and files of a notebook's classes.

    Parameters
    ----------
    folder : Path
        Where to write the files.
    namespace : mapping of str to object
        The notebook's names.
    """

    def __init__(self, folder: Path, namespace: Mapping[str, Any]) -> None:
        self._folder = folder
        self._namespace = namespace
        self._numbers = itertools.count(1)
        self._modules: dict[tuple[type, str], ModuleType] = {}
        self._names = ModuleType(SHARED_NAMES)
        self.missing: set[str] = set()

    @contextmanager
    def sourceable(self, cls: type) -> Iterator[None]:
        """Give a class, and those that it derives from, a module and a file, if they are of the notebook.

        Raises
        ------
        UnsupportedError
            If the source of its ``construct`` isn't known.
        """
        classes = [item for item in cls.__mro__ if item.__module__ == "__main__"]
        before = [(item, item.__name__, item.__qualname__) for item in classes]
        names = _names_of(classes)
        modules = [self._module_of(item, names) for item in classes]
        with self.importable(), _without_file(sys.modules["__main__"]):
            try:
                for item, module in zip(classes, modules, strict=True):
                    item.__module__ = module.__name__
                    item.__name__ = item.__qualname__ = names[item]
                yield
            finally:
                for item, name, qualified_name in before:
                    item.__module__ = "__main__"
                    item.__name__, item.__qualname__ = name, qualified_name

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let what was made from these classes import them; afterwards `sys.path` and `sys.modules` are as before."""
        modules = {module.__name__: module for module in (self._names, *self._modules.values())}
        path = list(sys.path)
        outer = {name: sys.modules[name] for name in modules if name in sys.modules}
        # rewrite adds a folder for each file that it reads, and MindSpore's own folders among them.
        sys.path.insert(0, str(self._folder))
        sys.modules.update(modules)
        try:
            yield
        finally:
            sys.path[:] = path
            for name in modules:
                sys.modules.pop(name, None)
            sys.modules.update(outer)

    def _module_of(self, cls: type, names: Mapping[type, str]) -> ModuleType:
        if not has_source(cls, "construct"):
            raise UnsupportedError(
                f"the source of {cls.__name__}.construct isn't known, and Golden Stick's transformation reads it.",
                advice="Define the class in a cell of its own, or in a .py file.",
            )
        source = class_source(cls, names)
        self.missing |= source.missing
        # One class whose methods were replaced is another text, and linecache would go on showing the old one.
        key = (cls, source.text("own", SHARED_NAMES))
        module = self._modules.get(key)
        if module is None:
            module = ModuleType(_MODULE_NAME.format(next(self._numbers)))
            file = self._folder / f"{module.__name__}.py"
            file.write_text(source.text(module.__name__, SHARED_NAMES), encoding="utf-8")
            module.__file__ = str(file)
            self._modules[key] = module
        vars(module).update({**source.shared, **source.own})
        vars(self._names).update(source.shared)
        return module


def _names_of(classes: Sequence[type]) -> dict[type, str]:
    """Return a name for each class: ``class Net(Net)`` in a later cell makes two of one name."""
    names: dict[type, str] = {}
    for cls in classes:
        taken = sum(other.__name__ == cls.__name__ for other in names)
        names[cls] = f"{cls.__name__}_before_{taken}" if taken else cls.__name__
    return names


@contextmanager
def _without_file(main: ModuleType) -> Iterator[None]:
    # Some front ends set __file__ in the notebook; rewrite would then look for its functions there.
    file = vars(main).pop("__file__", None)
    try:
        yield
    finally:
        if file is not None:
            main.__file__ = file
