"""From a user's ``nn.Cell`` to a model, with the user's network left exactly as it was.

MindSpore's exporter compiles the cell it is given and keeps what it made of it: the next export of a cell that was
changed meanwhile may return the old graph, or fail on it. So the cell is never compiled itself but as the inside of a
new wrapper each time. Whatever the compiler writes on the user's cells (training flags, scopes, phases) is put back.
"""

import inspect
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mindspore
import numpy as np
from mindspore import nn, ops

from gsjupyter.errors import InputError, SourceError
from gsjupyter.mindir.files import load_model
from gsjupyter.mindir.model import Model
from gsjupyter.mindir.read import plain_name
from gsjupyter.mindir.scope import WRAPPER_CELL
from gsjupyter.mindir.session import first_line, undisturbed

_recorded_keys: list[tuple[str, ...]] = []


@ops.constexpr  # type: ignore[untyped-decorator]  # MindSpore has no types
def _record_keys(keys: tuple[str, ...]) -> int:
    # Runs in Python while MindSpore compiles: the only place where the keys of a dictionary output can be seen.
    _recorded_keys.append(keys)
    return 0


class _Wrapper(nn.Cell):  # type: ignore[misc]  # MindSpore has no types
    """Calls the user's network; made anew for each export, so that no compiled graph is ever reused."""

    def __init__(self, network: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        setattr(self, WRAPPER_CELL, network)

    def construct(self, *inputs):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN202 - MindSpore parses this text
        """Return the network's output, dictionaries as tuples."""
        outputs = self.exported_network(*inputs)
        if isinstance(outputs, dict):
            _record_keys(tuple(outputs.keys()))
        return outputs


def model_from_cell(network: nn.Cell, inputs: Sequence[Any]) -> Model:
    """Return the model of a network in inference mode.

    Parameters
    ----------
    network : nn.Cell
        The network. Afterwards it is as before: parameters, training flags, compiled graphs.
    inputs : sequence of Tensor or ndarray
        One example of each input; a Tensor made with ``shape=[None, ...]`` makes an axis dynamic.

    Raises
    ------
    SourceError
        If MindSpore can't compile the network to a graph.
    InputError
        If the number of inputs isn't the network's, or the network refuses their shapes.
    """
    tensors = [as_tensor(value) for value in inputs]
    _check_arity(network, tensors)
    _recorded_keys.clear()
    with tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder, undisturbed(), _in_inference_mode(network):
        stem = str(Path(folder) / "network")
        try:
            mindspore.export(_Wrapper(network), *tensors, file_name=stem, file_format="MINDIR")
        except Exception as error:
            raise _explained(network, tensors, error) from error
        split = Path(f"{stem}_graph.mindir")
        model = load_model(split if split.exists() else Path(f"{stem}.mindir"))
    model.name = type(network).__name__
    model.output_keys = _recorded_keys[-1] if _recorded_keys else ()
    _name_inputs(model, _argument_names(network))
    return model


def as_tensor(value: object) -> mindspore.Tensor:
    """Return a Tensor of a Tensor, an array or a number.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(value, mindspore.Tensor):
        return value
    if isinstance(value, np.ndarray | np.generic | int | float):
        return mindspore.Tensor(value)
    raise InputError(
        f"an input must be a Tensor or a numpy array, not {type(value).__name__}.",
        advice="Give one batch, as the network is called with: np.asarray(...) makes an array of a list.",
    )


def _argument_names(network: nn.Cell) -> list[str]:
    names = list(inspect.signature(network.construct).parameters.values())
    return [item.name for item in names if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]


def _check_arity(network: nn.Cell, tensors: Sequence[object]) -> None:
    construct = network.construct
    code = getattr(construct, "__code__", None)
    if code is None:
        return
    if inspect.ismethod(construct) and code.co_varnames[0] != "self":
        raise SourceError(
            f"the first argument of {type(network).__name__}.construct is called {code.co_varnames[0]!r}, "
            "and MindSpore's graph mode knows it by the name 'self' only.",
            advice="Rename it to self.",
        )
    if code.co_flags & inspect.CO_VARARGS:
        return
    names = _argument_names(network)
    required = len(names) - len(construct.__defaults__ or ())
    if not required <= len(tensors) <= len(names):
        wanted = f"{required}" if required == len(names) else f"{required} to {len(names)}"
        raise InputError(
            f"{type(network).__name__} takes {wanted} input{'s' if wanted != '1' else ''} ({', '.join(names)}), "
            f"{len(tensors)} given.",
            advice=f"Give one batch of each: %gs_convert net {' '.join(names)}, "
            f"or gs.convert(net, ({', '.join(names)})).",
        )


def _explained(network: nn.Cell, tensors: Sequence[mindspore.Tensor], error: Exception) -> SourceError | InputError:
    name = type(network).__name__
    shapes = ", ".join(f"{tuple(tensor.shape)} {tensor.dtype}" for tensor in tensors)
    reason = first_line(error)
    if any(tensor.dtype == mindspore.float64 for tensor in tensors):
        return InputError(
            f"{name} doesn't take input {shapes}: {reason}",
            advice="Networks compute in float32, and numpy makes float64: convert it with .astype('float32').",
        )
    if "set a unique name" in str(error):
        return SourceError(
            f"{name} has two parameters of one name: {reason}",
            advice="Cells that are kept in a tuple or dictionary of Python all call their parameters the same: use "
            "nn.CellList, or give each parameter a name.",
        )
    if isinstance(error, ValueError) and "shape" in str(error).lower():
        return InputError(f"{name} doesn't take input {shapes}: {reason}", advice="Give one input as it is trained on.")
    return SourceError(
        f"MindSpore can't compile {name} to a graph for input {shapes}: {reason}",
        advice="mindspore.export must accept the network with this input; what graph mode can't parse, it can't.",
    )


def _name_inputs(model: Model, names: Sequence[str]) -> None:
    # The wrapper's inputs are called inputs0, inputs1, ...; the user's network has names for them.
    proto = model.proto
    renamed = {item.name: f"{proto.graph.name}:{name}" for item, name in zip(proto.graph.input, names, strict=False)}
    for item in proto.graph.input:
        item.name = renamed.get(item.name, f"{proto.graph.name}:{plain_name(item.name)}")
    for node in proto.graph.node:
        for index, value in enumerate(node.input):
            if value in renamed:
                node.input[index] = renamed[value]
    for output in proto.graph.output:
        output.name = renamed.get(output.name, output.name)


@contextmanager
def _in_inference_mode(network: nn.Cell) -> Iterator[None]:
    cells = [cell for _, cell in network.cells_and_names()]
    before = [(cell, _state(vars(cell))) for cell in cells]
    try:
        network.set_train(False)
        for cell in cells:
            _give_up_absent_parameters(vars(cell))
        yield
    finally:
        for cell, state in before:
            vars(cell).clear()
            vars(cell).update(state)


def _give_up_absent_parameters(attributes: dict[str, Any]) -> None:
    # A parameter that was set to None, as Golden Stick does in layers that it takes over, stops the exporter.
    parameters = attributes.get("_params", {})
    absent = [name for name, parameter in parameters.items() if parameter is None]
    if absent:
        kept = {name: parameter for name, parameter in parameters.items() if parameter is not None}
        attributes.update({"_params": type(parameters)(kept), **dict.fromkeys(absent)})


def _state(attributes: Mapping[str, Any]) -> dict[str, Any]:
    # Sets and flags are changed in place by MindSpore; parameters and child cells are the user's own objects.
    own = {"_func_graph_flags", "_compile_cache", "_phase_cache"}
    copied = {name: type(value)(value) for name, value in attributes.items() if name in own and value is not None}
    return {**attributes, **copied}
