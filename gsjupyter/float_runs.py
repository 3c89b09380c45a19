"""Runs of a network in floating point, on ONNX Runtime where that can: to calibrate and to measure takes hundreds.

ONNX Runtime runs a network on a CPU several times as fast as MindSpore does, and has nothing to compile. What it
computes is the same to some millionths, which no range and no gain notices. MindSpore runs what has no counterpart in
ONNX, what runs on another device, and everything where ONNX Runtime isn't installed.
"""

import itertools
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import mindspore
import numpy as np
import onnx_ir as ir

from gsjupyter.engines import is_onnxruntime_installed
from gsjupyter.engines.execution_providers import ENVIRONMENT, TITLE, WORKER
from gsjupyter.engines.worker import Worker
from gsjupyter.errors import EngineError, ModelFileError, UnsupportedError
from gsjupyter.formats.onnx.builder import batch_size_of
from gsjupyter.formats.onnx.lowering import lowered_graph
from gsjupyter.mindir import Array, Graph, InputSpec, Model, Output, Value, check_inputs, run_with
from gsjupyter.mindir.variants import VariantRunner

_KEYS: Final = itertools.count()
_TOLERANCE: Final = 1e-3


class InnerRuns(Protocol):
    """Runs a network and gives inner values."""

    @property
    def model(self) -> Model:
        """What is run."""

    def inner(self, *inputs: Any) -> tuple[Array, ...]:
        """Run the network and return the inner values, in the order in which they were named."""


class VariantRuns(Protocol):
    """Runs a network, also with other values for some of its parameters."""

    def __call__(self, *inputs: Any) -> Output:
        """Run the network."""

    def variant(self, parameters: Mapping[str, Array], *inputs: Any) -> Output:
        """Run the network with other values for the parameters that are named."""


@contextmanager
def inner_runs(model: Model, graph: Graph, values: Sequence[Value]) -> Iterator[InnerRuns]:
    """Give what runs a float model and returns inner values.

    Parameters
    ----------
    model : Model
        The model that the graph was taken from.
    graph : Graph
        The graph, without side effects. Left as it is, and to be left so meanwhile.
    values : sequence of Value
        Values of that graph.
    """
    output = graph.output
    graph.output = graph.add_tuple([output, *values])
    try:
        onnx_model = _lowered(replace(model, output_keys=()), graph)
    finally:
        graph.output = output
    with _session(onnx_model, len(values)) as session:
        yield run_with(model, graph, values) if session is None else _OnnxInnerRuns(session, model, graph, values)


@contextmanager
def variant_runs(model: Model) -> Iterator[VariantRuns]:
    """Give what runs a float model with any values for its parameters.

    Parameters
    ----------
    model : Model
        The model, without side effects.
    """
    graph = model.graph()
    onnx_model = _lowered(model, graph, [parameter.name for parameter in graph.parameters()])
    with _session(onnx_model) as session:
        yield VariantRunner(model) if session is None else _OnnxVariantRuns(session, model)


def _lowered(model: Model, graph: Graph, variable: Collection[str] = ()) -> ir.Model | None:
    """Return a graph as ONNX, named parameters being variable; None if MindSpore is to run it."""
    if not is_onnxruntime_installed() or mindspore.get_context("device_target") != "CPU":
        return None
    try:
        onnx_model = lowered_graph(model, graph, free_batch=True)
    except UnsupportedError:
        return None
    stored = onnx_model.graph.initializers
    if not set(variable) <= set(stored):
        return None
    # A stored value that is listed among the inputs can be replaced for single runs.
    onnx_model.graph.inputs.extend(stored[name] for name in variable)
    return onnx_model


@cache
def _worker() -> Worker:
    """Return the process for all float runs: to start one takes longer than to run a small network."""
    return Worker(WORKER, TITLE, environment=ENVIRONMENT)


def close_worker() -> None:
    """End the process for float runs; the next run starts it again."""
    if _worker.cache_info().currsize:
        _worker().close()


class _Session:
    """A network in ONNX Runtime, until that fails to run it.

    Parameters
    ----------
    key : str
        What the process knows it by.
    inner : int
        How many of its outputs are inner values: the last ones.
    """

    def __init__(self, key: str, inner: int) -> None:
        self._key = key
        self._inner = inner
        self._has_failed = False
        self._has_other_sizes = False

    def run(self, model: Model, inputs: Sequence[Any], parameters: Mapping[str, Array]) -> list[Array] | None:
        """Run the network and return its outputs; None if ONNX Runtime can't, or couldn't before.

        A network that has its batch size built in may still run in MindSpore, which also explains it if not.
        """
        arrays = check_inputs(model.name, model.inputs, inputs)
        if self._has_failed:
            return None
        try:
            outputs = self._call(arrays, parameters)
            is_sound = self._has_other_sizes or self._is_sound(model.inputs, arrays, outputs, parameters)
        except EngineError:
            is_sound = False
        self._has_failed = not is_sound
        return outputs if is_sound else None

    def _call(self, arrays: Sequence[Array], parameters: Mapping[str, Array]) -> list[Array]:
        names = list(parameters)
        return _worker().call("run", [*arrays, *parameters.values()], key=self._key, names=names)[1]

    def _is_sound(
        self,
        specs: Sequence[InputSpec],
        arrays: Sequence[Array],
        outputs: Sequence[Array],
        parameters: Mapping[str, Array],
    ) -> bool:
        """Say whether outputs are those of the same samples in a batch as large as exported, if this one isn't."""
        size = batch_size_of(specs)
        if size is None or size == len(arrays[0]):
            return True
        count = len(arrays[0])
        # The last ones: for the first ones a place in the batch that is built in may be right by chance.
        usual = [np.resize(array[-size:], (size, *array.shape[1:])) for array in arrays]
        expected = self._call(usual, parameters)
        of_network = len(outputs) - self._inner
        self._has_other_sizes = all(
            _agree(found, wanted, count, size)
            for found, wanted in zip(outputs[:of_network], expected[:of_network], strict=True)
        )
        return self._has_other_sizes


def _agree(found: Array, expected: Array, count: int, size: int) -> bool:
    """Say whether outputs for `count` and for `size` samples are the same for those that both have."""
    shapes = (found.shape[:1], expected.shape[:1]) == ((count,), (size,)) and found.shape[1:] == expected.shape[1:]
    last = found[-size:]
    return shapes and np.allclose(last, expected[: len(last)], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)


@contextmanager
def _session(onnx_model: ir.Model | None, inner: int = 0) -> Iterator[_Session | None]:
    if onnx_model is None:
        yield None
        return
    key = str(next(_KEYS))
    loaded = _loaded(onnx_model, key)
    try:
        yield _Session(key, inner) if loaded else None
    finally:
        if loaded and _worker().process_id is not None:
            with suppress(EngineError):
                _worker().call("unload", key=key)


def _loaded(onnx_model: ir.Model, key: str) -> bool:
    """Load a network, and say whether ONNX Runtime could."""
    with tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder:
        path = Path(folder) / "model.onnx"
        ir.save(onnx_model, path, external_data="model.onnx.data")
        try:
            _worker().call("load", path=str(path), provider="cpu", key=key)
        except (EngineError, ModelFileError, UnsupportedError):
            return False
    return True


class _OnnxInnerRuns:
    def __init__(self, session: _Session, model: Model, graph: Graph, values: Sequence[Value]) -> None:
        self.model = model
        self._session = session
        self._graph = graph
        self._values = values

    def inner(self, *inputs: Any) -> tuple[Array, ...]:
        outputs = self._session.run(self.model, inputs, {})
        if outputs is None:
            return self._in_mindspore.inner(*inputs)
        return tuple(outputs[len(outputs) - len(self._values) :])

    @cached_property
    def _in_mindspore(self) -> InnerRuns:
        return run_with(self.model, self._graph, self._values)


class _OnnxVariantRuns:
    def __init__(self, session: _Session, model: Model) -> None:
        self._session = session
        self._model = model

    def __call__(self, *inputs: Any) -> Output:
        return self.variant({}, *inputs)

    def variant(self, parameters: Mapping[str, Array], *inputs: Any) -> Output:
        outputs = self._session.run(self._model, inputs, parameters)
        return self._in_mindspore.variant(parameters, *inputs) if outputs is None else tuple(outputs)

    @cached_property
    def _in_mindspore(self) -> VariantRuns:
        return VariantRunner(self._model)
