"""The conversion: source to MindIR, through the passes, verified against the source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gsjupyter.calibration_data import CalibrationData
from gsjupyter.engines import MindSporeModel
from gsjupyter.interrupts import interruptible
from gsjupyter.layer_table import layers_of
from gsjupyter.mindir import Array, Model, Output, Runner
from gsjupyter.opening import OpenedSource, open_source
from gsjupyter.options import ConvertOptions, options_from
from gsjupyter.passes import PassResult, linear_operators
from gsjupyter.progress import Steps
from gsjupyter.quantized_form import QuantizedForm
from gsjupyter.report import Document, Facts, Layers, Messages, PruningReport, Shown, Verification, format_bytes, verify
from gsjupyter.sources import arrays_of, random_inputs
from gsjupyter.standard_form import StandardForm


@dataclass(frozen=True, repr=False)
class Conversion(Shown):
    """A converted network: call it, look at it, export it.

    Parameters
    ----------
    model : Model
        The converted network.
    source : Model
        The network that it was made from.
    options : ConvertOptions
        How it was made.
    passes : tuple of PassResult
        What each pass changed, and what it left alone, with the reasons.
    layers : Layers
        The per-layer table.
    verification : Verification
        How near it is to its source, on the same input.
    notes : tuple of str
        What the user should know.
    recognised : tuple of str
        Which algorithms have compressed the source, ``SimQAT, 8 bit, per channel, 5 layers`` for example.
    pruning : PruningReport, optional
        What was removed of a pruned network; None if nothing was pruned.
    """

    model: Model
    source: Model
    options: ConvertOptions
    passes: tuple[PassResult, ...]
    layers: Layers
    verification: Verification
    notes: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()
    pruning: PruningReport | None = None

    @cached_property
    def _engine(self) -> MindSporeModel:
        return MindSporeModel(self.model)

    def __call__(self, *inputs: Any) -> Any:
        """Run the converted network on MindSpore; arrays give arrays, Tensors give Tensors."""
        return self._engine(*inputs)

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.model.name

    def document(self) -> Document:
        """Return what to show."""
        before, after = self.source.size_bytes, self.model.size_bytes
        recognised = [("Recognised", "; ".join(self.recognised))] if self.recognised else []
        facts = Facts(
            [
                *recognised,
                ("Size", f"{format_bytes(before)} → {format_bytes(after)} ({after / before:.0%})"),
                ("Against the source", str(self.verification)),
                ("Passes", self._passes_in_words()),
            ]
        )
        title = f"{self.name}: {self.formats}"
        tables = [self.layers.table()] if self.layers else []
        tables += [self.pruning.table()] if self.pruning is not None else []
        notes = [Messages([("note", note) for note in self.notes])] if self.notes else []
        return Document(title, [facts, *tables, *notes])

    @property
    def formats(self) -> str:
        """What became of the numbers, in words: ``int8 weights, int8 activations``, or ``float32``."""
        weights = sorted({record.weights.partition(" ")[0] for record in self.layers} - {"float32"})
        parts = [f"{' and '.join(weights)} weights"] if weights else []
        if any(record.activations != "float32" for record in self.layers):
            parts.append("int8 activations" if self.options.simulate else "activation scales noted")
        return ", ".join(parts) or "float32"

    def _passes_in_words(self) -> str:
        counts = [f"{result.name} {len(result.done)}" for result in self.passes if result.done]
        return ", ".join(counts) or "nothing to change"


def convert(
    source: Any,
    example: Any = None,
    *,
    ckpt: str | Path | None = None,
    calibration: Any = None,
    keep: str | Iterable[str] = (),
    options: ConvertOptions | None = None,
    **settings: Any,
) -> Conversion:
    """Convert a network to a standard one that runs on any backend.

    The source is left exactly as it is: parameters, training flags, compiled graphs.

    Parameters
    ----------
    source : nn.Cell, class of one, str or Path
        The network, its class if a checkpoint gives the values, or a MindIR file.
    example : Tensor, ndarray or tuple of these
        One batch of its input, as the network is called with; several inputs as a tuple. For a file it may be left out.
    ckpt : str or Path, optional
        A checkpoint (``.ckpt``, ``.safetensors``, or a folder of the latter) whose values are meant instead of the
        network's own; also one of integers that post-training quantization has saved.
    calibration : Dataset, iterable of batches, or arrays, optional
        Data that int8 activations take their ranges from; the example by default. See `gsjupyter.calibration`.
    keep : str or iterable of str
        Names or globs of layers to leave in float32.
    options : ConvertOptions, optional
        All options at once; single ones go before it.
    **settings
        The fields of `ConvertOptions`: weights, activations, granularity, layers, simulate.

    Returns
    -------
    Conversion

    Raises
    ------
    SourceError, InputError
        If the source is no network, the example doesn't fit, or the checkpoint is another network's.
    ModelFileError
        If a file is damaged, or of another kind.
    OptionError
        If an option is unknown or out of range.
    CalibrationError, ParameterError
        If the data or the weights can't be quantized.
    UnsupportedError
        If the network has control flow that depends on data.

    Examples
    --------
    >>> conversion = gs.convert(net, x, weights="int8", activations="int8", calibration=batches)
    >>> conversion(x)
    """
    given_at_once = {item.name: getattr(options, item.name) for item in fields(options)} if options is not None else {}
    chosen = options_from({**given_at_once, **settings}, keep)
    with interruptible(), Steps() as steps:
        steps.begin("export to MindIR")
        opened = open_source(source, example, ckpt, simulate=chosen.simulate)
        given = arrays_of(example) if example is not None else None
        return _Run(opened, chosen, given, calibration, steps).conversion()


class _Run:
    """One conversion under way."""

    def __init__(
        self,
        opened: OpenedSource,
        options: ConvertOptions,
        example: tuple[Array, ...] | None,
        calibration: Any,
        steps: Steps,
    ) -> None:
        self.source = opened.model
        self.standard = StandardForm(opened, simulate=options.simulate)
        self.options = options
        self.steps = steps
        self.input_kind = "given" if example is not None else "random"
        self.example = example if example is not None else random_inputs(self.source.inputs, np.random.default_rng(0))
        data = CalibrationData(calibration, self.example, self.input_kind, self.source.inputs)
        self.quantized = QuantizedForm(options, data, self.standard.pipeline)
        self.notes = self.quantized.notes

    def conversion(self) -> Conversion:
        float_model = self.standard.run(self.steps.begin)
        model = self.quantized.run(float_model, self.steps.begin)
        layers = layers_of(float_model, [self.standard.lowering, *self.quantized.passes], self.quantized.results)
        self.steps.begin("verify")
        verification = self._verified(model)
        self._note_what_was_not_done(model, layers, verification)
        return Conversion(
            model=model,
            source=self.source,
            options=self.options,
            passes=(*self.standard.results, *self.quantized.results),
            layers=layers,
            verification=verification,
            notes=tuple(self.notes),
            recognised=self.standard.recognised,
            pruning=self.standard.pruning,
        )

    def _note_what_was_not_done(self, model: Model, layers: Layers, verification: Verification) -> None:
        if any(np.isnan(array).any() for array in self.example if np.issubdtype(array.dtype, np.floating)):
            self.notes.append("The input holds NaN, so the verification says little.")
        elif np.isnan(verification.sqnr_db):
            self.notes.append("The output holds NaN for this input, so the verification says little.")
        self.notes += self.standard.notes(layers, self.quantized.settings)
        if not self.options.quantizes:
            return
        if not any(record.weights != "float32" for record in layers):
            self.notes.append("No weight was quantized: see passes for the reasons.")
        graph = model.graph()
        known = {part for operator in linear_operators(graph) for part in operator.parameters}
        wide = [item for item in graph.parameters() if item.dtype == np.float32 and len(item.shape or ()) > 1]
        rest = [item for item in wide if item not in known]
        if rest:
            size = format_bytes(sum(item.size_bytes for item in rest))
            names = ", ".join(item.name for item in rest[:3]) + (", ..." if len(rest) > 3 else "")
            self.notes.append(f"Left in float32, since no pass knows their operators: {names} ({size}).")

    def _verified(self, model: Model) -> Verification:
        source = self.standard.runnable_source()
        if source is not self.source:
            self.notes.append(
                "The source's own quantization was computed by its formulas, for the comparison: this device has no "
                "kernels for it."
            )
        reference = _flat(Runner(source)(*self.example))
        actual = _flat(MindSporeModel(model)(*self.example))
        return verify(
            list(reference), list(reference.values()), list(actual.values()), _samples(self.example), self.input_kind
        )


def _samples(arrays: Sequence[Array]) -> int:
    return len(arrays[0]) if arrays and arrays[0].ndim else 1


def _flat(output: Output, name: str = "") -> dict[str, Array]:
    if isinstance(output, dict):
        items: Iterable[tuple[str, Output]] = output.items()
    elif isinstance(output, tuple):
        items = ((str(index), value) for index, value in enumerate(output))
    else:
        return {name or "output": output}
    flat: dict[str, Array] = {}
    for key, value in items:
        flat.update(_flat(value, f"{name}.{key}" if name else key))
    return flat
