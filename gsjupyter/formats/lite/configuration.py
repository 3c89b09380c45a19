"""Lite's own quantization, said in its configuration file [1]_, as near to the scheme of a conversion as it can be.

Lite knows one scheme for the whole network, and layers that are left out of it. What it can't express, and would
change what a layer loses, is an error; what it chooses by itself is told.

.. [1] https://www.mindspore.cn/lite/docs/en/master/advanced/quantization.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gsjupyter.errors import OptionError, UnsupportedError
from gsjupyter.formats.lite.settings import LITE_QUANTIZATIONS, LiteSettings, check_input_name
from gsjupyter.mindir import Model, Scope
from gsjupyter.mindir.read import plain_name
from gsjupyter.passes import LayerSetting, LayerSettings, linear_operators
from gsjupyter.passes.selection import FLOATS

_KINDS: Final = {"weight": "WEIGHT_QUANT", "full": "FULL_QUANT", "dynamic": "DYNAMIC_QUANT"}
_METHODS: Final = {
    "minmax": "MAX_MIN",
    "entropy": "KL",
    "percentile": "REMOVAL_OUTLIER",
    "mse": "REMOVAL_OUTLIER",
}
_BITS: Final = 8
_ADVICE: Final = "Or carry this conversion's own quantization over (carried), which keeps each layer as it is."
_SEPARATORS: Final = ",:'"
_MOST_FILES: Final = 65_535


class QuantizationOptions(Protocol):
    """What of a conversion's options matters here; `gsjupyter.options.ConvertOptions` has it all."""

    @property
    def activation_observer(self) -> str:
        """What chooses the ranges of layers' inputs."""

    @property
    def bias_correction(self) -> bool:
        """Whether biases take up the mean error of weights."""

    @property
    def rounding(self) -> str:
        """How weights become integers."""

    @property
    def equalize(self) -> bool:
        """Whether the channels of neighbouring layers are balanced."""

    @property
    def smooth(self) -> bool:
        """Whether outliers are moved from inputs into weights."""

    @property
    def quantizes(self) -> bool:
        """Whether any weight is stored in less than float32."""

    @property
    def chooses_bits(self) -> bool:
        """Whether bits are chosen layer by layer."""

    @property
    def settings(self) -> LayerSettings:
        """How each layer is quantized."""


@dataclass(frozen=True)
class LiteScheme:
    """How the converter quantizes a network.

    Parameters
    ----------
    kind : {"weight", "full", "dynamic"}
        What it quantizes, as in `LiteSettings`.
    bits : int
        Of how many bits integers are.
    activation_method : {"MAX_MIN", "KL", "REMOVAL_OUTLIER"}
        What chooses the ranges of layers' inputs.
    per_channel : bool
        Whether each output channel of a weight has a scale of its own.
    bias_correction : bool
        Whether biases take up the mean error.
    target : str
        The hardware whose integer kernels it is for; empty for none in particular.
    skipped : tuple of str
        The operators that stay in float, by the names that they have in the MindIR.
    notes : tuple of str
        What Lite does in another way than the conversion would.
    """

    kind: str
    bits: int = _BITS
    activation_method: str = "MAX_MIN"
    per_channel: bool = True
    bias_correction: bool = False
    target: str = ""
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def lite_scheme(settings: LiteSettings, options: QuantizationOptions, model: Model) -> LiteScheme:
    """Return how the converter is to quantize a network, as a conversion's options say it.

    Parameters
    ----------
    settings : LiteSettings
        What the converter is to quantize.
    options : ConvertOptions
        The conversion's options. If they quantize nothing, all layers get 8 bits.
    model : Model
        The network in float, as it is given to the converter.

    Raises
    ------
    OptionError
        If Lite has no way to say what the options say.
    UnsupportedError
        If no layer is left to quantize.
    """
    kind = settings.quantization
    if kind not in LITE_QUANTIZATIONS:
        raise OptionError(f"quantization={kind} needs no configuration of MindSpore Lite.")
    if options.chooses_bits:
        raise OptionError(
            "MindSpore Lite's own quantization has the same bits in all layers, and this conversion has chosen them "
            "layer by layer.",
            advice=f"Convert with weights=int8 instead of a budget or max_drop. {_ADVICE}",
        )
    layers = _operator_names(model)
    chosen = {name: options.settings.setting(name) for name in layers} if options.quantizes else {}
    integers = {name: setting for name, setting in chosen.items() if setting.weights not in FLOATS}
    if chosen and not integers:
        raise UnsupportedError(
            "no layer is left for MindSpore Lite to quantize: all of them are kept in float.",
            advice="Convert with weights=int8, or leave the quantization out.",
        )
    return LiteScheme(
        kind=kind,
        bits=_bits_of(kind, integers),
        activation_method=_METHODS[options.activation_observer],
        per_channel=_is_per_channel(kind, integers),
        bias_correction=options.bias_correction,
        target="ASCEND" if settings.device == "ascend" else "",
        skipped=tuple(operator for name in chosen if name not in integers for operator in layers[name]),
        notes=(*_notes(kind, options, integers), *_note_on_convolutions(kind, model)),
    )


def _operator_names(model: Model) -> dict[str, list[str]]:
    """Return what the operators of each layer with weights are called in the file: the converter keeps these names."""
    readers: dict[str, list[str]] = {}
    for proto in model.proto.graph.node:
        for name in proto.input:
            readers.setdefault(plain_name(name), []).append(proto.domain)
    layers: dict[str, list[str]] = {}
    for operator in linear_operators(model.graph()):
        scope = operator.node.scope
        found = [name for name in readers.get(operator.weight.name, []) if Scope.parse(name) == scope]
        names = layers.setdefault(operator.name, [])
        names.extend(name for name in found if name not in names)
    return layers


def configuration_text(scheme: LiteScheme, calibration: Mapping[str, str] | None = None, batches: int = 0) -> str:
    """Return the text of the converter's configuration file.

    Parameters
    ----------
    scheme : LiteScheme
        How to quantize.
    calibration : mapping of str to str, optional
        The folder of each input's calibration data, relative to where the converter runs. Full quantization needs it.
    batches : int
        How many files each of them holds.

    Raises
    ------
    OptionError
        If there is no calibration data for full quantization, or a name that the file can't hold.

    Examples
    --------
    >>> print(configuration_text(LiteScheme("dynamic")))
    [common_quant_param]
    quant_type=DYNAMIC_QUANT
    bit_num=8
    """
    common = {"quant_type": _KINDS[scheme.kind], "bit_num": scheme.bits}
    sections = {"common_quant_param": common}
    if scheme.kind == "weight":
        # Its defaults would leave small layers out.
        common |= {"min_quant_weight_size": 0, "min_quant_weight_channel": 0}
    if scheme.skipped:
        common["skip_quant_node"] = _listed(scheme.skipped)
    if scheme.kind == "full":
        sections["data_preprocess_param"] = _preprocessing(calibration or {}, batches)
        sections["full_quant_param"] = {
            "activation_quant_method": scheme.activation_method,
            "bias_correction": _flag(scheme.bias_correction),
            "per_channel": _flag(scheme.per_channel),
            **({"target_device": scheme.target} if scheme.target else {}),
        }
    return "\n".join(_section(name, values) for name, values in sections.items())


def _preprocessing(calibration: Mapping[str, str], batches: int) -> dict[str, object]:
    if not calibration or batches < 1:
        raise OptionError(
            "full quantization by MindSpore Lite needs calibration data.",
            advice="Convert with calibration data, or take quantization=dynamic, which needs none.",
        )
    if batches > _MOST_FILES:
        raise OptionError(f"MindSpore Lite takes {_MOST_FILES:,} batches of calibration data, not {batches:,}.")
    for name, folder in calibration.items():
        check_input_name(name, _SEPARATORS)
        check_input_name(folder, _SEPARATORS)
    return {
        "calibrate_path": ",".join(f"{name}:{folder}" for name, folder in calibration.items()),
        "calibrate_size": batches,
        "input_type": "BIN",
    }


def _bits_of(kind: str, integers: Mapping[str, LayerSetting]) -> int:
    formats = {setting.weights for setting in integers.values()}
    if len(formats) > 1:
        odd = ", ".join(f"{name} in {setting.weights}" for name, setting in list(integers.items())[:4])
        raise OptionError(
            f"MindSpore Lite's own quantization has the same bits in all layers, and here they differ ({odd}, ...).",
            advice=f"Give all layers the same bits, or keep some in float32. {_ADVICE}",
        )
    bits = int(formats.pop().removeprefix("int")) if formats else _BITS
    if kind != "weight" and bits != _BITS:
        raise OptionError(
            f"MindSpore Lite's {kind} quantization has 8 bits, and this conversion {bits}.",
            advice="Convert with weights=int8, or take quantization=weight.",
        )
    return bits


def _is_per_channel(kind: str, integers: Mapping[str, LayerSetting]) -> bool:
    granularities = {setting.granularity for setting in integers.values()}
    groups = sorted(granularity for granularity in granularities if granularity.startswith("group"))
    if groups:
        raise OptionError(
            f"MindSpore Lite's own quantization has a scale for each channel or tensor, and none for {groups[0]}.",
            advice=f"Convert with granularity=channel. {_ADVICE}",
        )
    if len(granularities) > 1 or (granularities == {"tensor"} and kind != "full"):
        raise OptionError(
            f"MindSpore Lite's {kind} quantization has a scale for each channel{' in all layers' * (kind == 'full')}, "
            "and here layers have one for their tensor.",
            advice=f"Convert with granularity=channel. {_ADVICE}",
        )
    return granularities != {"tensor"}


def _notes(kind: str, options: QuantizationOptions, integers: Mapping[str, LayerSetting]) -> list[str]:
    notes: list[str] = []
    others = _without_effect(kind, options, integers)
    if others:
        notes.append(f"MindSpore Lite quantizes by its own rules: {', '.join(others)} had no effect on this file.")
    if kind == "full" and options.activation_observer in ("percentile", "mse"):
        notes.append(
            f"MindSpore Lite has no observer {options.activation_observer}: it leaves out outliers (REMOVAL_OUTLIER)."
        )
    if kind == "full" and len({setting.activations for setting in integers.values()}) > 1:
        notes.append("MindSpore Lite quantizes the inputs of all layers whose weights it quantizes, or of none.")
    if kind == "weight":
        notes.append("MindSpore Lite 2.0.0 can't load weights that its converter has quantized: try the file first.")
    return notes


def _note_on_convolutions(kind: str, model: Model) -> list[str]:
    if kind != "dynamic" or not model.graph().nodes("Conv2D"):
        return []
    return ["Dynamic quantization by MindSpore Lite is for matrix products; convolutions stay in float."]


def _without_effect(kind: str, options: QuantizationOptions, integers: Mapping[str, LayerSetting]) -> list[str]:
    settings = integers.values()
    found = {
        "asymmetric grids": any(not setting.symmetric for setting in settings),
        "weight_observer": any(setting.observer != "minmax" for setting in settings),
        "clipping": any(setting.clipping is not None for setting in settings),
        f"rounding={options.rounding}": options.rounding != "nearest",
        "equalize": options.equalize,
        "smooth": options.smooth,
        "bias_correction": options.bias_correction and kind != "full",
    }
    return [name for name, is_set in found.items() if is_set]


def _listed(names: Sequence[str]) -> str:
    for name in names:
        check_input_name(name, ",")
    return ",".join(names)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _section(name: str, values: Mapping[str, object]) -> str:
    return "".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in values.items())])
