"""Changes to other people's modules, made when these are imported, and taken back on request.

Without it the extension would have to import MindSpore and Golden Stick when it is loaded, to change how they behave.
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from inspect import getattr_static
from types import ModuleType
from typing import Any, TypeAlias

Action: TypeAlias = Callable[[ModuleType], None]


class Attachment:
    """A set of changes to other modules that `undo` takes back."""

    def __init__(self) -> None:
        self._finder = _Finder()
        self._replaced: list[tuple[Any, str, object, object]] = []

    def when_imported(self, name: str, action: Action) -> None:
        """Call `action` with a module: now if it is imported already, else once it is.

        A version of the module that hasn't got what the action is after gives a warning and is left as it is.
        """
        if name in sys.modules:
            _attempt(action, sys.modules[name])
            return
        self._finder.actions[name] = action
        if self._finder not in sys.meta_path:
            sys.meta_path.insert(0, self._finder)

    def replace(self, owner: Any, name: str, value: object) -> None:
        """Give a class or module another attribute until `undo`."""
        self._replaced.append((owner, name, getattr_static(owner, name), value))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Take everything back; what others replaced meanwhile stays."""
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        self._finder.actions.clear()
        while self._replaced:
            owner, name, before, value = self._replaced.pop()
            if getattr_static(owner, name) is value:
                setattr(owner, name, before)


class _Finder(MetaPathFinder):
    """Finds nothing by itself, and has the modules that others find acted on."""

    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.actions:
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.actions)
        return spec


class _Loader(Loader):
    """Loads a module by its own loader, which it leaves in its place, and acts on it."""

    def __init__(self, loader: Loader, actions: dict[str, Action]) -> None:
        self._loader = loader
        self._actions = actions

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        action = self._actions.pop(module.__name__, None)
        if action is not None:
            _attempt(action, module)


def _attempt(action: Action, module: ModuleType) -> None:
    try:
        action(module)
    except (AttributeError, ImportError) as error:
        # The import itself was right, and must not fail for our sake.
        warnings.warn(f"gsjupyter doesn't know this version of {module.__name__}: {error}", stacklevel=2)
