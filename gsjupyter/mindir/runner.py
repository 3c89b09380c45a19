"""Runs a model on MindSpore, with any inner values as extra outputs: calibration and comparison need no hooks."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import mindspore
import numpy as np
from mindspore import nn

from gsjupyter.errors import EngineError, UnsupportedError
from gsjupyter.mindir.files import save_model
from gsjupyter.mindir.graph import Graph
from gsjupyter.mindir.model import Model
from gsjupyter.mindir.session import first_line, undisturbed
from gsjupyter.mindir.types import Array
from gsjupyter.mindir.values import Node, Value
from gsjupyter.signature import Output, check_inputs

_NO_KERNEL: Final = re.compile(r"Unsupported op \[(\w+)\] on (\w+)")


class Runner:
    """A model loaded into MindSpore, in the device and mode that the user has set.

    Parameters
    ----------
    model : Model
        What to run.

    Raises
    ------
    EngineError
        If MindSpore can't load it.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        with tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder, undisturbed():
            path = Path(folder) / "model.mindir"
            save_model(model, path)
            try:
                self._cell = nn.GraphCell(mindspore.load(str(path)))
            except Exception as error:
                raise EngineError(f"MindSpore can't load {model.name}: {first_line(error)}") from error

    def __call__(self, *inputs: Any) -> Output:
        """Run the model on arrays or Tensors and return arrays, in the nesting of the network's output.

        Raises
        ------
        InputError
            If number, rank, fixed axes or data type of the inputs don't fit.
        UnsupportedError
            If the device has no kernel for an operator; the message names its layers.
        EngineError
            If MindSpore fails to run it.
        """
        arrays = check_inputs(self.model.name, self.model.inputs, inputs)
        with undisturbed():
            try:
                outputs = self._cell(*[mindspore.Tensor(array) for array in arrays])
                arrays_out = _as_arrays(outputs)
            except Exception as error:
                raise explained(self.model, error) from error
        keys = self.model.output_keys
        if keys and isinstance(arrays_out, tuple):
            return dict(zip(keys, arrays_out, strict=True))
        return arrays_out


def run_with(model: Model, graph: Graph, values: Sequence[Value]) -> "InnerRunner":
    """Return a runner that gives the named inner values of a graph besides its output.

    Parameters
    ----------
    model : Model
        The model that the graph was taken from.
    graph : Graph
        The graph, left as it is.
    values : sequence of Value
        Values of that graph.
    """
    output = graph.output
    graph.output = graph.add_tuple([output, *values])
    try:
        return InnerRunner(model.with_graph(graph, output_keys=()))
    finally:
        graph.output = output


class InnerRunner(Runner):
    """A runner whose output is (the network's output, the inner values)."""

    def inner(self, *inputs: Any) -> tuple[Array, ...]:
        """Run the model and return the inner values, in the order in which they were named."""
        outputs = self(*inputs)
        return tuple(np.asarray(value) for value in outputs[1:]) if isinstance(outputs, tuple) else ()


def explained(model: Model, error: Exception) -> EngineError | UnsupportedError:
    """Return what MindSpore's exception says of a model that it was to run, in words."""
    missing = _NO_KERNEL.search(str(error))
    if missing is None or not model.is_editable:
        return EngineError(f"MindSpore can't run {model.name}: {first_line(error)}")
    operator, device = missing.groups()
    layers = dict.fromkeys(_layer_in_words(node) for node in model.graph().nodes(operator))
    named = ", ".join(list(layers)[:3]) + (f" and {len(layers) - 3} more" if len(layers) > 3 else "")
    return UnsupportedError(
        f"{model.name} can't run: {device} has no kernel for {operator}, in layer {named or '(network)'}, "
        "and gsjupyter doesn't know what it computes.",
        advice="Replace that layer by one of standard operators, or convert where its device is: "
        "mindspore.set_context(device_target=...).",
    )


def _layer_in_words(node: Node) -> str:
    cell = node.scope.cell_class
    return f"{node.layer or '(network)'}{f' ({cell})' if cell else ''}"


def _as_arrays(value: Any) -> Output:
    if isinstance(value, tuple | list):
        return tuple(_as_arrays(item) for item in value)
    return value.asnumpy() if isinstance(value, mindspore.Tensor) else np.asarray(value)
