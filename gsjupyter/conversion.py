"""The conversion: source to MindIR, through the passes, verified against the source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from gsjupyter.calibration_data import CalibrationData
from gsjupyter.choices import check_choice
from gsjupyter.conversion_notes import input_notes, quantization_notes
from gsjupyter.engines import MindSporeModel
from gsjupyter.float_network import FloatNetwork, float_network
from gsjupyter.interrupts import interruptible
from gsjupyter.layer_errors import layer_errors
from gsjupyter.layer_table import layers_of
from gsjupyter.mindir import Array, Model, Runner, flat_output
from gsjupyter.options import ConvertOptions, options_from
from gsjupyter.passes import (
    ActivationStatistics,
    PackWeights,
    PassResult,
    UnpackWeights,
    apply,
    linear_operators,
)
from gsjupyter.progress import Steps
from gsjupyter.quantized_form import QuantizedForm
from gsjupyter.report import (
    Document,
    Facts,
    LayerErrors,
    Layers,
    Messages,
    PruningReport,
    Sensitivity,
    Shown,
    Table,
    Verification,
    format_bytes,
    verify,
)
from gsjupyter.report.figures import plot_histogram
from gsjupyter.report.layer_chart import layer_chart
from gsjupyter.report.layers_block import LayersBlock
from gsjupyter.report.page import write_page
from gsjupyter.signature import sample_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Conversion(Shown):
    """A converted network: call it, look at it, export it.

    Parameters
    ----------
    model : Model
        The converted network.
    source : Model
        The network that it was made from.
    float_model : Model
        The network in standard form, before anything was quantized: what each layer is compared with.
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
    sensitivity : Sensitivity, optional
        What the bits of the layers were chosen by; None if they were given.
    activations : mapping of str to ActivationStatistics
        How the inputs of layers are quantized, and a sketch of what calibration saw of them, by layer name.
    example : tuple of ndarray
        The input that it was verified on.
    expected : mapping of str to ndarray
        What the source makes of it, by the output's name.
    calibration : CalibrationData, optional
        What it was calibrated with, for what a file's own engine has to know besides.
    """

    model: Model
    source: Model
    float_model: Model
    options: ConvertOptions
    passes: tuple[PassResult, ...]
    layers: Layers
    verification: Verification
    notes: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()
    pruning: PruningReport | None = None
    sensitivity: Sensitivity | None = None
    activations: Mapping[str, ActivationStatistics] = field(default_factory=dict)
    example: tuple[Array, ...] = ()
    expected: Mapping[str, Array] = field(default_factory=dict)
    calibration: CalibrationData | None = None

    @cached_property
    def _engine(self) -> MindSporeModel:
        return MindSporeModel(self.model)

    def __call__(self, *inputs: Any) -> Any:
        """Run the converted network on MindSpore; arrays give arrays, Tensors give Tensors."""
        return self._engine(*inputs)

    def layer_errors(self, example: Any = None) -> LayerErrors:
        """Return each layer's own error, and the error that has come together up to it.

        Both networks run once, inside one graph.

        Parameters
        ----------
        example : Tensor, ndarray or tuple of these, optional
            One batch of the network's input; what it was verified on by default.

        Raises
        ------
        InputError
            If the example doesn't fit.
        EngineError
            If MindSpore can't run the networks.
        """
        return layer_errors(self.float_model, self._unpacked, self.example if example is None else example)

    def histogram(self, layer: str) -> "list[Axes]":
        """Draw a layer's weight and the input that calibration saw, each with its quantization grid.

        Parameters
        ----------
        layer : str
            The layer's name, as in the table.

        Raises
        ------
        OptionError
            If there is no such layer; the message names the nearest one.
        """
        check_choice("layer", layer, [record.name for record in self.layers])
        before, after = (
            next(item for item in linear_operators(model.graph()) if item.name == layer)
            for model in (self.float_model, self._unpacked)
        )
        was, became = (
            item.stored.quantized if item.stored is not None and item.stored.is_integer else None
            for item in (before, after)
        )
        weight = before.weight.array if was is None else was.dequantize()
        return plot_histogram(layer, weight, became, self.activations.get(layer), axis=before.axis)

    @property
    def _unpacked(self) -> Model:
        return apply(UnpackWeights(), self.model)[0]

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
                *self._prediction(),
                ("Passes", self._passes_in_words()),
            ]
        )
        title = f"{self.name}: {self.formats}"
        tables: list[LayersBlock | Table] = [self._chart, self.layers.table()] if self.layers else []
        tables += [self.pruning.table()] if self.pruning is not None else []
        notes = [Messages([("note", note) for note in self.notes])] if self.notes else []
        return Document(title, [facts, *tables, *notes])

    @cached_property
    def _chart(self) -> LayersBlock:
        return layer_chart(self.layers, self.float_model, self.model)

    @overload
    def to_html(self, path: None = None, *, overwrite: bool = False) -> str: ...
    @overload
    def to_html(self, path: str | Path, *, overwrite: bool = False) -> Path: ...
    def to_html(self, path: str | Path | None = None, *, overwrite: bool = False) -> str | Path:
        """Write the report as a page of its own, or return it as a fragment of HTML without a script.

        The page needs neither server nor network, its charts answer to the mouse and the keyboard, and it is light or
        dark as its reader's screen.

        Parameters
        ----------
        path : str or Path, optional
            Where to write the page, ``"report.html"``. Nothing is left there if it can't be written.
        overwrite : bool
            Whether to replace a file that is there.

        Returns
        -------
        str or Path
            The fragment, or where the page is.

        Raises
        ------
        OptionError
            If the path doesn't end in ``.html``.
        WriteError
            If the file exists, or is a folder, or the disk is full.
        UnsupportedError
            If gsjupyter was installed without the page's script.
        """
        return super().to_html() if path is None else write_page(self.document(), path, overwrite=overwrite)

    def _prediction(self) -> list[tuple[str, str]]:
        if self.sensitivity is None:
            return []
        bits = sorted(set(self.sensitivity.current.values()))
        chosen = f"{bits[0]} to {bits[-1]} bits a layer" if len(bits) > 1 else f"{bits[0]} bits"
        predicted = self.sensitivity.predict(self.sensitivity.current)
        return [("Chosen", f"{chosen}; SQNR {predicted:.1f} dB predicted, {self.verification.sqnr_db:.1f} dB found")]

    @property
    def formats(self) -> str:
        """What became of the numbers, in words: ``int8 weights, int8 activations``, or ``float32``."""
        weights = sorted({record.weights.partition(" ")[0] for record in self.layers} - {"float32"})
        named = " and ".join(weights) if len(weights) <= 2 else f"{weights[0]} to {weights[-1]}"
        parts = [f"{named} weights"] if weights else []
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
    labels: Any = None,
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
        Data that int8 activations take their ranges from, and that GPTQ, smoothing and bias correction look at; the
        example by default. See `gsjupyter.calibration`.
    labels : array_like of int, optional
        The classes of the samples in `example`, where ``max_drop`` is in points of accuracy.
    keep : str or iterable of str
        Names or globs of layers to leave in float32.
    options : ConvertOptions, optional
        All options at once; single ones go before it.
    **settings
        The fields of `ConvertOptions`.

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
    >>> gs.convert(net, x, weights="int4", granularity="group:64", rounding="gptq", calibration=batches)
    >>> gs.convert(net, x, budget="6x")
    """
    chosen = options_from(settings, keep, options)
    with interruptible(), Steps() as steps:
        network = float_network(source, example, ckpt, calibration, simulate=chosen.simulate, begin=steps.begin)
        return _Run(network, chosen, steps).conversion(labels)


class _Run:
    """One conversion under way."""

    def __init__(self, network: FloatNetwork, options: ConvertOptions, steps: Steps) -> None:
        self.network = network
        self.source = network.source.model
        self.standard = network.standard
        self.example = network.example
        self.options = options
        self.steps = steps
        self.notes: list[str] = []

    def conversion(self, labels: Any) -> Conversion:
        quantized = QuantizedForm(self.options, self.network.data, labels, self.standard.pipeline)
        model = quantized.run(self.network.model, self.steps.begin)
        float_model = quantized.float_model or self.network.model
        self.notes += quantized.notes
        self.steps.begin("pack")
        pack = PackWeights(model)
        packed, packing = apply(pack, model)
        steps = [self.standard.lowering, *quantized.passes, pack]
        layers = layers_of(float_model, steps, quantized.results, quantized.shares)
        self.steps.begin("verify")
        expected = self._expected()
        actual = flat_output(MindSporeModel(packed)(*self.example))
        verification = verify(expected, actual, sample_count(self.example), self.network.input_kind)
        self.notes += input_notes(self.example, verification)
        self.notes += self.standard.notes(layers, quantized.settings)
        if self.options.quantizes:
            self.notes += quantization_notes(model, layers)
        return Conversion(
            model=packed,
            source=self.source,
            options=self.options,
            passes=(*self.standard.results, *quantized.results, packing),
            layers=layers,
            verification=verification,
            notes=tuple(self.notes),
            recognised=self.standard.recognised,
            pruning=self.standard.pruning,
            float_model=float_model,
            sensitivity=quantized.sensitivity,
            activations=quantized.activations,
            example=self.example,
            expected=expected,
            calibration=self.network.data,
        )

    def _expected(self) -> dict[str, Array]:
        source = self.standard.runnable_source()
        if source is not self.source:
            self.notes.append(
                "The source's own quantization was computed by its formulas, for the comparison: this device has no "
                "kernels for it."
            )
        return flat_output(Runner(source)(*self.example))
