"""Golden Stick's network transformation, made to work in a notebook and on containers of cells.

SimQAT, LSQ and SLB go through `mindspore.rewrite`: the network's source is read, layers are replaced in it, and the new
source is saved, imported and called. Each step is changed where it can't work or leaves something behind:

- read: the classes of a notebook are given a file for that time (`notebook_classes`);
- functions that it calls are left where they are: copied, as rewrite does with those of the user, they would miss the
  names of their own module, or find another's;
- replace: in a container (`nn.CellList`, a list of cells, `nn.SequentialCell` at the top or inside another container)
  the first cell has no known input and inner containers no name to be reached by, on which Golden Stick fails with an
  IndexError or NameError;
- save: in a folder of our own instead of ``rewritten_network`` in the user's working directory;
- call: MindSpore names the parameters in a container by those of its first two cells, and fails with an IndexError
  while these are half renamed. In the end rewrite names all of them anew.
"""

import ast
import atexit
import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gsjupyter.attachment import Attachment
from gsjupyter.errors import GsError, UnsupportedError
from gsjupyter.goldenstick.notebook_classes import SHARED_NAMES, NotebookClasses
from gsjupyter.goldenstick.rewritten_module import load_rewritten

_ADVICE = (
    "Golden Stick replaces the layers that an algorithm knows where construct calls them one by one "
    "(x = self.conv1(x)), in loops over a container (for layer in self.layers: x = layer(x)), and in a SequentialCell."
)

# The class's name alone would be taken by the next network of that class, also after the extension was loaded again.
_numbers = itertools.count(1)


class Rewriting:
    """What is changed in MindSpore's rewrite and Golden Stick.

    Parameters
    ----------
    attachment : Attachment
        What takes the changes back.
    namespace : mapping of str to object
        The notebook's names.
    """

    def __init__(self, attachment: Attachment, namespace: Mapping[str, Any]) -> None:
        self._attachment = attachment
        self._namespace = namespace
        self._links: list[tuple[dict[str, Any], str, str]] = []

    def attach_transformer(self, module: ModuleType) -> None:
        """Change what ``mindspore_gs.net_transform`` uses."""
        from mindspore.rewrite.parsers.assign_parser import AssignParser
        from mindspore.rewrite.symbol_tree import SymbolTree, SymbolTreeBuilder

        replace = self._attachment.replace
        listed = AssignParser._function_parse_black_list  # noqa: SLF001 - it has no other way
        replace(AssignParser, "_function_parse_black_list", _NotCopied(listed))
        for name in ("__init__", "build"):
            replace(SymbolTreeBuilder, name, self._with_source(getattr(SymbolTreeBuilder, name)))
        replace(SymbolTree, "_get_cls_through_file", self._loader())
        replace(SymbolTree, "get_network", _with_names_in_between(SymbolTree.get_network))
        unfolder = module.NodeUnfolder
        replace(unfolder, "_get_nodes_from_cell_container", staticmethod(_unfolded_by(unfolder, module.Node)))

    def attach_algorithm(self, module: ModuleType) -> None:
        """Change what ``mindspore_gs.quantization.quantization_aware_training`` says when it fails."""
        algorithm = module.QuantizationAwareTraining
        self._attachment.replace(algorithm, "apply", _in_words(algorithm.apply, module.QuantCell))

    def refresh(self) -> None:
        """Give the rewritten networks the notebook's names as they are now."""
        for names, name, original in self._links:
            if original in self._namespace:
                names[name] = self._namespace[original]

    @cached_property
    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="gsjupyter-networks-"))
        # MindSpore reads a network's source when it compiles, so it must last as long as Python.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    @cached_property
    def _classes(self) -> NotebookClasses:
        return NotebookClasses(self._folder, self._namespace)

    def _with_source(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(builder: Any, *arguments: Any) -> Any:
            network = arguments[0] if arguments else builder._origin_net  # noqa: SLF001 - its name in every version
            with self._classes.sourceable(type(network)):
                return method(builder, *arguments)

        return call

    def _loader(self) -> Callable[[Any], type]:
        def load(tree: Any) -> type:
            name = tree.get_opt_cls_name()
            file = self._folder / f"{name}_{next(_numbers)}.py"
            code = tree.get_code()
            file.write_text(code, encoding="utf-8")
            with self._classes.importable():
                module = load_rewritten(file)
            self._link(vars(module), code)
            return getattr(module, name)  # type: ignore[no-any-return]

        return load

    def _link(self, names: dict[str, Any], code: str) -> None:
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module == SHARED_NAMES:
                self._links += [(names, item.asname or item.name, item.name) for item in node.names]
        self._links += [(names, name, name) for name in self._classes.missing if name not in names]


class _NotCopied(list[Any]):
    """The functions that rewrite calls as they are: its own list, and all that aren't MindSpore's."""

    def __contains__(self, function: object) -> bool:
        ours = isinstance(function, FunctionType) and function.__module__.partition(".")[0] != "mindspore"
        return ours or super().__contains__(function)


def _unfolded_by(unfolder: Any, node_type: Any) -> Callable[[Any], Iterator[Any]]:
    def nodes_of(node: Any) -> Iterator[Any]:
        container = node.get_handler()
        for index, inner in enumerate(container.nodes()):
            inputs = container.get_inputs()
            # A container that a loop goes through, or inside another one, has none.
            if index == 0 and inputs and not inner.get_inputs():
                inner.set_arg_providers(0, (inputs[0], 0))
            if isinstance(inner, type(container)):
                # The rewritten network reaches it through the one around it.
                inner.set_func_name(
                    type(inner.get_func_name()).create_naming_value(f"{container.get_func_name()}[{index}]")
                )
            yield from unfolder.unfold_nodes(node_type(inner))

    return nodes_of


def _with_names_in_between(get_network: Callable[[Any], Any]) -> Callable[[Any], Any]:
    from mindspore.nn.layer import container

    @wraps(get_network)
    def call(tree: Any) -> Any:
        prefix_and_index = container._get_prefix_and_index  # noqa: SLF001 - the only place where it can be mended

        def tolerant(cells: Any) -> Any:
            try:
                return prefix_and_index(cells)
            except IndexError:
                return "", 0

        container._get_prefix_and_index = tolerant  # noqa: SLF001
        try:
            return get_network(tree)
        finally:
            container._get_prefix_and_index = prefix_and_index  # noqa: SLF001

    return call


def _in_words(apply: Callable[..., Any], replaced: type) -> Callable[..., Any]:
    @wraps(apply)
    def call(algorithm: Any, network: Any, **options: Any) -> Any:
        name = type(network).__name__
        try:
            result = apply(algorithm, network, **options)
        except Exception as error:
            for cause in _causes(error):
                if isinstance(cause, GsError):
                    raise cause from error
            first = list(_causes(error))[-1]
            raise UnsupportedError(
                f"{type(algorithm).__name__} can't transform {name}: {type(first).__name__}: {first}", advice=_ADVICE
            ) from error
        if not any(isinstance(cell, replaced) for _, cell in result.cells_and_names()):
            warnings.warn(f"{type(algorithm).__name__} replaced no layer of {name}. {_ADVICE}", stacklevel=3)
        return result

    return call


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
