"""What MindSpore Lite's converter reads: the network, its configuration file, and the data to calibrate with.

The same files are given to the converter here, and packed into a bundle for another machine.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.calibration_data import CalibrationData
from gsjupyter.conversion import Conversion
from gsjupyter.engines.lite_layout import NETWORK
from gsjupyter.errors import OptionError
from gsjupyter.formats.lite import (
    LiteSettings,
    arguments,
    check_shapes,
    configuration_text,
    lite_scheme,
    shell_line,
    write_calibration,
)
from gsjupyter.formats.lite.annotations import annotated
from gsjupyter.formats.lite.installation import PROGRAM
from gsjupyter.formats.lite.plain_arithmetic import PlainArithmetic
from gsjupyter.formats.lite.shared_products import part_from_rectifiers
from gsjupyter.mindir import Array, Model, save_model
from gsjupyter.passes import Change, apply

CONFIGURATION: Final = "quantization.cfg"
_INTEGERS: Final = re.compile(r"u?int\d+")
_MOST_NAMED: Final = 3
_CALIBRATED: Final = ("carried", "full")
"""The ways to quantize that take ranges from data."""


@dataclass(frozen=True)
class LiteSources:
    """The files that the converter reads.

    Parameters
    ----------
    model : Path
        The network as MindIR, the file to name to the converter.
    configuration : Path, optional
        The configuration file of Lite's own quantization.
    settings : LiteSettings
        How to convert.
    notes : tuple of str
        What the user should know.
    """

    model: Path
    configuration: Path | None
    settings: LiteSettings
    notes: tuple[str, ...] = ()

    @property
    def configuration_text(self) -> str:
        """What the configuration file says; empty if there is none."""
        return self.configuration.read_text(encoding="utf-8") if self.configuration is not None else ""

    def by_hand(self, file: str) -> dict[str, object]:
        """Return what a manifest says of how to make a file of them by hand: the command, and its configuration.

        Parameters
        ----------
        file : str
            The name of the file, with its suffix ``.ms``.
        """
        configuration = self.configuration.name if self.configuration is not None else None
        given = arguments(self.settings, self.model.name, file, configuration)
        return {"command": shell_line(PROGRAM, given), "configuration": self.configuration_text}


def settings_for(
    conversion: Conversion,
    *,
    device: str | None = None,
    float16: bool = False,
    quantization: str | None = None,
    input_shape: Mapping[str, Sequence[int]] | None = None,
    input_format: str | None = None,
) -> LiteSettings:
    """Return how a conversion is to become a file for MindSpore Lite: its integers are carried over, if it has any.

    Raises
    ------
    OptionError
        If a value is unknown, or an input, or its shape has another number of axes.
    """
    if not isinstance(input_shape, Mapping | None):
        raise OptionError(
            f"input_shape must tell the shape of each input by its name, not {input_shape!r}.",
            advice='For example {"x": (1, 3, 224, 224)}.',
        )
    own = "carried" if _has_integers(conversion) else "none"
    settings = LiteSettings(
        device=device if device is not None else "cpu",  # type: ignore[arg-type]  # it is checked there
        # float16 weights are what the converter calls so, too.
        float16=float16 or any(record.weights == "float16" for record in conversion.layers),
        input_format=input_format,  # type: ignore[arg-type]  # likewise
        input_shapes={name: _axes(shape) for name, shape in (input_shape or {}).items()},
        quantization=quantization if quantization is not None else own,  # type: ignore[arg-type]  # likewise
    )
    check_shapes(settings, conversion.model.inputs)
    return settings


def _axes(shape: Any) -> Any:
    """Return a shape as a tuple of Python's own integers, and what is none as it is: `LiteSettings` refuses that."""
    if not isinstance(shape, Sequence):
        return shape
    return tuple(int(size) if isinstance(size, np.integer) else size for size in shape)


def _has_integers(conversion: Conversion) -> bool:
    return any(_INTEGERS.match(record.weights) for record in conversion.layers)


def write_sources(conversion: Conversion, folder: Path, stem: str, settings: LiteSettings, data: Any) -> LiteSources:
    """Write what the converter reads.

    Parameters
    ----------
    conversion : Conversion
        What to convert.
    folder : Path
        Where.
    stem : str
        What to call the network's file, without its suffix.
    settings : LiteSettings
        How to convert.
    data : Dataset, iterable of batches, arrays, or None
        What to calibrate with; if None what the conversion was calibrated with, or its example.

    Raises
    ------
    OptionError
        If Lite's own quantization can't do what the conversion's options say, nothing is there to carry over, or data
        is given that nothing would be calibrated with.
    CalibrationError
        If the data doesn't fit the network.
    WriteError
        If they can't be written.
    """
    if data is not None and settings.quantization not in _CALIBRATED:
        raise OptionError(
            f"calibration is for quantization={' and '.join(_CALIBRATED)}, and this is {settings.quantization}.",
            advice="Leave it out, or let Lite quantize: quantization=full.",
        )
    batches = _Batches(conversion, data)
    model, notes = _model_for(conversion, settings, batches)
    place = folder / f"{stem}.mindir"
    save_model(model, place)
    configuration = None
    if settings.is_quantized_by_lite:
        scheme = lite_scheme(settings, conversion.options, model)
        notes += scheme.notes
        calibration: Mapping[str, str] = {}
        count = 0
        if settings.quantization == "full":
            written = write_calibration(batches, model.inputs, settings, folder)
            calibration, count = written.folders, written.batches
        configuration = folder / CONFIGURATION
        configuration.write_text(configuration_text(scheme, calibration, count), encoding="utf-8")
    return LiteSources(place, configuration, settings, (*notes, *batches.notes))


def fits_example(conversion: Conversion, settings: LiteSettings) -> bool:
    """Say whether the file takes the conversion's example: not if it is to have inputs of other shapes."""
    shapes = {spec.name: array.shape for spec, array in zip(conversion.model.inputs, conversion.example, strict=True)}
    return all(tuple(shape) == shapes[name] for name, shape in settings.input_shapes.items())


def network_options(conversion: Conversion, settings: LiteSettings) -> dict[str, object]:
    """Return what a manifest says of the network's ends: the file's own may lie another way round.

    Parameters
    ----------
    conversion : Conversion
        The network.
    settings : LiteSettings
        How it is converted.
    """
    shapes = settings.input_shapes
    inputs = [
        {"name": spec.name, "shape": list(shapes.get(spec.name, spec.shape or ())), "dtype": spec.dtype}
        for spec in conversion.model.inputs
    ]
    outputs = [
        # With inputs of other shapes nobody has seen the outputs.
        {"name": name, "shape": [-1] * array.ndim if shapes else list(array.shape), "dtype": array.dtype.name}
        for name, array in conversion.expected.items()
    ]
    return {NETWORK: {"inputs": inputs, "outputs": outputs}}


class _Batches:
    """What to calibrate with, read only if something asks for it; `notes` says what the user should know of it then."""

    def __init__(self, conversion: Conversion, given: Any) -> None:
        kind = conversion.verification.input_kind
        self._data = CalibrationData(given, conversion.example, kind, conversion.model.inputs)
        own = conversion.calibration
        if given is None and own is not None and not own.is_used_up:
            self._data = own
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[Sequence[Array]]:
        if self._data.note:
            self.notes = [self._data.note]
        yield from self._data.batches()


def _model_for(conversion: Conversion, settings: LiteSettings, batches: _Batches) -> tuple[Model, list[str]]:
    if settings.quantization != "carried":
        plain, _ = apply(PlainArithmetic(), conversion.float_model)
        graph = plain.graph()
        part_from_rectifiers(graph)
        return plain.with_graph(graph), []
    if not _has_integers(conversion):
        raise OptionError(
            f"quantization=carried carries over what the conversion has quantized, and {conversion.name} is float32.",
            advice="Convert it with weights=int8, or let Lite quantize it: quantization=full.",
        )
    plain, _ = apply(PlainArithmetic(), conversion.model)
    model, changes = annotated(plain, batches)
    notes = _notes_on(changes)
    if not any(change.is_done for change in changes):
        notes.append(
            "No layer is quantized in this file: convert with activations=int8 and calibration data as well, "
            "or let Lite quantize it: quantization=full."
        )
    return model, notes


def _notes_on(changes: Iterable[Change]) -> list[str]:
    """Say what Lite computes in float, and why."""
    reasons: dict[str, list[str]] = {}
    for change in changes:
        if not change.is_done:
            reasons.setdefault(change.reason, []).append(f"{change.layer} ({change.operator})")
    notes = []
    for reason, places in reasons.items():
        named = list(dict.fromkeys(places))
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        notes.append(f"In float in MindSpore Lite: {', '.join(named[:_MOST_NAMED])}{more}: {reason}.")
    return notes
