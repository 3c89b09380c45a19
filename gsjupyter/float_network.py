"""A network ready to be quantized: else conversion, prediction and panel would each open sources in a way of their own.

It is exported, in standard form, with an example of its input and the data to calibrate with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gsjupyter.calibration_data import CalibrationData
from gsjupyter.mindir import Array, Model
from gsjupyter.opening import OpenedSource, open_source
from gsjupyter.sources import arrays_of, random_inputs
from gsjupyter.standard_form import StandardForm


@dataclass(frozen=True)
class FloatNetwork:
    """A network in standard form, its weights in floating point.

    Parameters
    ----------
    source : OpenedSource
        The network as it was given, in inference mode.
    standard : StandardForm
        The passes that gave it its standard form, and what they found out.
    model : Model
        The network in standard form.
    example : tuple of ndarray
        One batch of its input.
    data : CalibrationData
        What to calibrate with.
    """

    source: OpenedSource
    standard: StandardForm
    model: Model
    example: tuple[Array, ...]
    data: CalibrationData

    @property
    def input_kind(self) -> str:
        """Where the example came from: ``"given"`` or ``"random"``."""
        return self.data.example_kind


def float_network(
    source: Any,
    example: Any,
    ckpt: str | Path | None,
    calibration: Any,
    *,
    simulate: bool,
    begin: Callable[[str], None],
) -> FloatNetwork:
    """Return a network in standard form; the source is left as it is.

    Parameters
    ----------
    source : nn.Cell, class of one, str or Path
        The network, its class if a checkpoint gives the values, or a MindIR file.
    example : Tensor, ndarray or tuple of these
        One batch of its input; None for a file, which gets random numbers then.
    ckpt : str or Path, optional
        A checkpoint whose values are meant instead of the network's own.
    calibration : Dataset, iterable of batches, or arrays, optional
        What to calibrate with; the example by default.
    simulate : bool
        Whether activations that the network itself quantizes are computed so, or only noted.
    begin : callable
        Called with the name of each step before it runs.

    Raises
    ------
    SourceError, InputError, ModelFileError, UnsupportedError
        As in `gs.convert`.
    """
    begin("export to MindIR")
    opened = open_source(source, example, ckpt, simulate=simulate)
    inputs = opened.model.inputs
    given = arrays_of(example) if example is not None else None
    arrays = given if given is not None else random_inputs(inputs, np.random.default_rng(0))
    standard = StandardForm(opened, simulate=simulate)
    data = CalibrationData(calibration, arrays, "random" if given is None else "given", inputs)
    return FloatNetwork(opened, standard, standard.run(begin), arrays, data)
