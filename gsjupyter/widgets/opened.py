"""The network that a panel is opened on: exported and calibrated once, and not at every click.

What no option changes is found out here too: weights that are stored in integers already, or that other operators read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsjupyter.calibration_data import CalibrationData
from gsjupyter.errors import CalibrationError, ParameterError
from gsjupyter.float_network import float_network
from gsjupyter.interrupts import interruptible
from gsjupyter.layer_gains import weight_groups
from gsjupyter.mindir import Array, Model
from gsjupyter.options import ConvertOptions
from gsjupyter.passes import LinearOperator
from gsjupyter.passes.quantize_weights import check_finite, obstacle_of_readers
from gsjupyter.progress import Steps
from gsjupyter.report import Layers
from gsjupyter.widgets.layer_inputs import LayerInputs

_FLOAT_BYTES: Final = 4


@dataclass(frozen=True)
class WeightGroup:
    """Weights that have the same bits: one layer, or several that share a weight.

    Parameters
    ----------
    names : tuple of str
        The layers' names.
    operators : tuple of LinearOperator
        What reads the weights, in the order in which it runs.
    obstacle : str
        Why no option changes the weights; empty if options do.
    """

    names: tuple[str, ...]
    operators: tuple[LinearOperator, ...]
    obstacle: str = ""

    @property
    def name(self) -> str:
        """The first layer's name."""
        return self.names[0]

    @cached_property
    def weights(self) -> tuple[LinearOperator, ...]:
        """One operator for each weight."""
        return tuple({operator.weight: operator for operator in reversed(self.operators)}.values())[::-1]

    @cached_property
    def size(self) -> int:
        """The number of weights."""
        return sum(int(np.prod(operator.shape, dtype=np.int64)) for operator in self.weights)

    @property
    def float_bytes(self) -> int:
        """What the weights take in float32."""
        return _FLOAT_BYTES * self.size

    @property
    def kept_bytes(self) -> int:
        """What they take while no option changes them: as float32, or as they are stored."""
        kept = [item.stored.size_bytes for item in self.weights if item.stored is not None]
        return sum(kept) if len(kept) == len(self.weights) else self.float_bytes

    @cached_property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest weight; what is NaN or infinite doesn't count."""
        ends = [_ends(_numbers(operator)) for operator in self.weights]
        return min(low for low, _ in ends), max(high for _, high in ends)


@dataclass(frozen=True)
class OpenedNetwork:
    """A network in standard form, with its layers and what calibration sees of them.

    Parameters
    ----------
    model_source : nn.Cell, class of one, str or Path
        The network, as `gs.convert` takes it.
    float_model : Model
        The network in standard form, its weights in floating point.
    example : tuple of ndarray
        One batch of its input.
    data : CalibrationData
        What to calibrate with.
    inputs : LayerInputs
        What calibration sees of the layers' inputs.
    groups : tuple of WeightGroup
        Its weights, in the order in which they run.
    recognised : tuple of str
        Which algorithms have compressed it.
    source_notes : tuple of str
        What the user should know of the source.
    """

    model_source: Any
    float_model: Model
    example: tuple[Array, ...]
    data: CalibrationData
    inputs: LayerInputs
    groups: tuple[WeightGroup, ...]
    recognised: tuple[str, ...]
    source_notes: tuple[str, ...]

    @property
    def input_kind(self) -> str:
        """Where the example came from: ``"given"`` or ``"random"``."""
        return self.data.example_kind

    @property
    def float_bytes(self) -> int:
        """What all weights of layers take in float32."""
        return sum(group.float_bytes for group in self.groups)

    @property
    def fixed_bytes(self) -> int:
        """What the weights take that no option changes."""
        return sum(group.kept_bytes for group in self.groups if group.obstacle)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know.

        Raises
        ------
        CalibrationError
            If the calibration data that was given doesn't fit the network, or makes NaN.
        """
        return tuple(filter(None, (*self.source_notes, self.inputs.note)))


def open_network(
    source: Any,
    example: Any = None,
    *,
    ckpt: str | Path | None = None,
    calibration: Any = None,
    options: ConvertOptions | None = None,
) -> OpenedNetwork:
    """Open a network for a panel; the source is left as it is.

    Parameters
    ----------
    source : nn.Cell, class of one, str or Path
        The network, its class if a checkpoint gives the values, or a MindIR file.
    example : Tensor, ndarray or tuple of these
        One batch of its input. For a file it may be left out.
    ckpt : str or Path, optional
        A checkpoint whose values are meant instead of the network's own.
    calibration : Dataset, iterable of batches, or arrays, optional
        Data that ranges of activations come from; the example by default.
    options : ConvertOptions, optional
        Of these ``simulate`` matters to networks that quantize their own activations.

    Raises
    ------
    SourceError, InputError, ModelFileError, UnsupportedError
        As in `gs.convert`.
    CalibrationError
        If the data is an iterator, which can be read once only.
    """
    if isinstance(calibration, Iterator):
        raise CalibrationError(
            "a panel reads the calibration data each time it converts, and an iterator can be read once only.",
            advice="Give a list of batches, an array, or a dataset: list(batches), for example.",
        )
    chosen = options or ConvertOptions()
    with interruptible(), Steps() as steps:
        network = float_network(source, example, ckpt, calibration, simulate=chosen.simulate, begin=steps.begin)
        graph = network.model.graph()
        return OpenedNetwork(
            model_source=source,
            float_model=network.model,
            example=network.example,
            data=network.data,
            inputs=LayerInputs(network.model, graph, network.data),
            groups=tuple(_group(operators) for operators in weight_groups(graph)),
            recognised=network.standard.recognised,
            source_notes=tuple(network.standard.notes(Layers([]), chosen.settings)),
        )


def _group(operators: Sequence[LinearOperator]) -> WeightGroup:
    names = tuple(dict.fromkeys(operator.name for operator in operators))
    obstacles = (_obstacle(item, operators) for item in operators)
    return WeightGroup(names, tuple(operators), next(filter(None, obstacles), ""))


def _obstacle(operator: LinearOperator, group: Sequence[LinearOperator]) -> str:
    """Return why the weight of an operator stays as it is; empty if it doesn't have to."""
    if operator.stored is not None:
        return f"already stored as {operator.stored.scheme}"
    if obstacle := obstacle_of_readers([item for item in group if item.weight is operator.weight]):
        return obstacle
    try:
        check_finite(operator)
    except ParameterError as error:
        return error.message.removesuffix(".")
    return ""


def _numbers(operator: LinearOperator) -> npt.NDArray[np.generic]:
    stored = operator.stored
    return operator.weight.array if stored is None or not stored.is_integer else stored.quantized.dequantize()


def _ends(numbers: npt.NDArray[np.generic]) -> tuple[float, float]:
    values = np.asarray(numbers, np.float32)
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if np.isfinite(low) and np.isfinite(high):
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
