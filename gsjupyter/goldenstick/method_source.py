"""A function's definition as text that means the same when it is copied into another class and module.

What a copy would change is written out: annotations go, default values are those the function has instead of the
expressions that gave them, ``super()`` and private names (``self.__x``) say which class they speak of.
"""

import ast
import dis
import linecache
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

_PLAIN = (type(None), bool, int, float, str)
_NAME_LOADS = {"LOAD_GLOBAL", "LOAD_NAME"}


def definition_of(function: FunctionType) -> ast.FunctionDef | None:
    """Return a function's definition, found by where its code says that it was compiled; None if that isn't known."""
    code = function.__code__
    # IPython keeps the text of every cell here, under the name that it compiled the cell with.
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    for node in _function_definitions(text):
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        if node.name == code.co_name and first == code.co_firstlineno:
            copy = ast.parse(ast.unparse(node)).body[0]
            return copy if isinstance(copy, ast.FunctionDef) else None
    return None


@lru_cache(maxsize=64)
def _function_definitions(text: str) -> tuple[ast.FunctionDef, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def movable(node: ast.FunctionDef, function: FunctionType, owner: type) -> tuple[ast.FunctionDef, dict[str, Any]]:
    """Return a definition that can be copied elsewhere, and what the names mean that this brought in.

    Parameters
    ----------
    node : ast.FunctionDef
        The function's definition; it is changed.
    function : FunctionType
        The function.
    owner : type
        The class that it is a method of.
    """
    values: dict[str, Any] = {}
    _fix_defaults(node, function, values)
    names = _Written(node, owner)
    names.visit(node)
    if names.speaks_of_owner:
        values[names.owners_name] = SimpleNamespace(**{owner.__name__: owner})
    return node, values


def _fix_defaults(node: ast.FunctionDef, function: FunctionType, values: dict[str, Any]) -> None:
    def expression(key: str, value: object) -> ast.expr:
        if isinstance(value, _PLAIN):
            return ast.Constant(value=value)
        name = f"default_of_{node.name}_{key}"
        values[name] = value
        return ast.Name(id=name, ctx=ast.Load())

    given = function.__defaults__ or ()
    node.args.defaults = [expression(str(index), value) for index, value in enumerate(given)]
    by_name = function.__kwdefaults__ or {}
    node.args.kw_defaults = [
        expression(item.arg, by_name[item.arg]) if item.arg in by_name else None for item in node.args.kwonlyargs
    ]


class _Written(ast.NodeTransformer):
    """Writes out what depends on the class that the text stands in."""

    def __init__(self, method: ast.FunctionDef, owner: type) -> None:
        self.owners_name = f"owner_of_{method.name}"
        self.speaks_of_owner = False
        self._owner = owner.__name__
        self._private = f"_{owner.__name__.lstrip('_')}"
        arguments = [*method.args.posonlyargs, *method.args.args]
        self._self = arguments[0].arg if arguments else ""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return ast.Pass()
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr.startswith("__") and not node.attr.endswith("__"):
            node.attr = f"{self._private}{node.attr}"
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "super" and self._is_own(node.args[:1]):
            # In a class derived from its owner, super() would begin with the owner itself. The class must be called by
            # its name, as graph mode looks for that name, and not alone, as rewrite would replace it.
            self.speaks_of_owner = True
            owners = ast.Name(id=self.owners_name, ctx=ast.Load())
            owner = ast.Attribute(value=owners, attr=self._owner, ctx=ast.Load())
            node.args = [owner, ast.Name(id=self._self, ctx=ast.Load())]
        return self.generic_visit(node)

    def _is_own(self, first: list[ast.expr]) -> bool:
        return all(isinstance(item, ast.Name) and item.id == self._owner for item in first)


def global_names(code: CodeType) -> Iterator[str]:
    """Yield the names that code, and the functions in it, look up outside of it."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in _NAME_LOADS:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)
