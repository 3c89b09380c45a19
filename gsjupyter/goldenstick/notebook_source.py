"""The source of a class that was defined in a notebook, as a file that can be read and never runs the cell again.

MindSpore's rewrite, which Golden Stick's algorithms start from, reads a class from its file and looks names up in its
module. A notebook has neither. What is written here holds the class's methods only, taken one by one from the functions
that the class has now: not the cell around them, not the class's other statements, not the expressions of default
values. So reading or even importing it repeats nothing that the cell did, and a method that was replaced since is read
as it is now.
"""

import ast
import builtins
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any, Final

from gsjupyter.goldenstick.method_source import definition_of, global_names, movable

_CONSTRUCTOR: Final = "__init__"
"""Not written: rewrite replaces its body, and derives from the class, which has the original."""

_ENTRY: Final = "construct"


@dataclass
class ClassSource:
    """A class as text, and what the names in it stand for.

    Parameters
    ----------
    definition : ast.ClassDef
        The class: its bases and methods.
    own : dict of str to object
        Names that belong to this class: itself, its bases, default values, variables of the function it was made in.
    shared : dict of str to object
        Names of the notebook, as they are now.
    missing : set of str
        Names that the notebook doesn't have yet.
    """

    definition: ast.ClassDef
    own: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    def text(self, own: str, shared: str) -> str:
        """Return the text of a module that has the class, and imports its names so that whoever copies it can.

        Parameters
        ----------
        own, shared : str
            The names of modules that hold the names of this class, and those of the notebook.
        """
        imports = [_import_of(name, value, own) for name, value in sorted(self.own.items())]
        imports += [_import_of(name, value, shared) for name, value in sorted(self.shared.items())]
        return "\n".join([*imports, "", "", ast.unparse(self.definition), ""])


def _import_of(name: str, value: object, otherwise: str) -> str:
    # rewrite imports some names by itself (nn, F, Cell), and renames those that come from elsewhere.
    home, original = "", ""
    if isinstance(value, ModuleType):
        home, _, original = value.__name__.rpartition(".")
        if not home and sys.modules.get(original) is value:
            return f"import {original} as {name}"
    elif isinstance(value, type) and value.__module__ != "__main__":
        home, original = value.__module__, value.__name__
    if original and getattr(sys.modules.get(home), original, None) is value:
        return f"from {home} import {original} as {name}"
    return f"from {otherwise} import {name}"


def class_source(cls: type, names: Mapping[type, str] | None = None) -> ClassSource:
    """Return the source of a class, made from what the class is now.

    Parameters
    ----------
    cls : type
        The class. Methods whose source isn't known (made by ``exec``, say) are left out: who derives from the class
        inherits them.
    names : mapping of type to str, optional
        What to call classes instead of by their names.
    """
    bases = [base for base in cls.__bases__ if base is not object]
    called = {item: (names or {}).get(item, item.__name__) for item in (cls, *bases)}
    definition = ast.ClassDef(
        name=called[cls],
        bases=[ast.Name(id=called[base], ctx=ast.Load()) for base in bases],
        keywords=[],
        body=[],
        decorator_list=[],
    )
    if "type_params" in ast.ClassDef._fields:
        definition.type_params = []  # type: ignore[attr-defined]  # new in Python 3.12
    source = ClassSource(definition, {name: item for item, name in called.items()})
    for name, owner, function in _methods(cls):
        node = definition_of(function)
        if node is not None:
            node.name = name
            written, values = movable(node, function, owner)
            source.own.update(values)
            _collect_names(written, function, source)
            definition.body.append(written)
    definition.body = definition.body or [ast.Pass()]
    ast.fix_missing_locations(definition)
    return source


def has_source(cls: type, method: str) -> bool:
    """Tell whether the source of a class's own method is known; True if it has no such method of its own."""
    function = _function_of(vars(cls).get(method))
    return function is None or definition_of(function) is not None


def _methods(cls: type) -> Iterator[tuple[str, type, FunctionType]]:
    own = {name: (cls, member) for name, member in vars(cls).items() if name != _CONSTRUCTOR}
    if _ENTRY not in own:
        # rewrite looks for it in this class only, and finds nothing to replace if it isn't there.
        owners = [item for item in cls.__mro__ if _ENTRY in vars(item)]
        # That of nn.Cell itself says only that there is none.
        if owners and not owners[0].__module__.startswith("mindspore."):
            own[_ENTRY] = (owners[0], vars(owners[0])[_ENTRY])
    for name, (owner, member) in own.items():
        function = _function_of(member)
        if function is not None:
            yield name, owner, function


def _function_of(member: object) -> FunctionType | None:
    function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    if callable(function):
        function = inspect.unwrap(function)
    return function if isinstance(function, FunctionType) else None


def _collect_names(node: ast.FunctionDef, function: FunctionType, source: ClassSource) -> None:
    names = set(global_names(function.__code__)) - {"super"}
    for expression in node.decorator_list:
        names |= {item.id for item in ast.walk(expression) if isinstance(item, ast.Name)}
    if function.__closure__:
        outer = inspect.getclosurevars(function).nonlocals
        source.own.update({name: value for name, value in outer.items() if name not in source.own})
    namespace = function.__globals__
    from_notebook = namespace.get("__name__") == "__main__"
    for name in names - set(source.own):
        if name in namespace:
            (source.shared if from_notebook else source.own)[name] = namespace[name]
        elif not hasattr(builtins, name):
            source.missing.add(name)
