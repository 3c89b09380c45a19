"""The options of a conversion, checked once, whoever gives them: Python, a magic's flags, or a cell of YAML."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeAlias

from gsjupyter.choices import check_choice, check_flag
from gsjupyter.errors import OptionError
from gsjupyter.passes import LayerSetting, LayerSettings
from gsjupyter.passes.selection import INTEGERS
from gsjupyter.quantization import OBSERVERS, Granularity, check_granularity, parse_budget, parse_max_drop

WEIGHTS: Final = ("float32", "float16", *reversed(INTEGERS))
ACTIVATIONS: Final = ("float32", "int8")
GRANULARITIES: Final = ("channel", "tensor", "group:128", "group:64", "group:32")
"""Those that completion offers; any ``group:N`` will do."""
ROUNDINGS: Final = ("nearest", "gptq")

LayerOverride: TypeAlias = str | Mapping[str, Any]


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert a network.

    Parameters
    ----------
    weights : {"float32", "float16", "int8", "int7", ..., "int2"}
        How weights are stored. Integers of less than 8 bits are packed.
    activations : {"float32", "int8"}
        How the inputs of layers with weights are quantized (8 bits, unsigned, asymmetric).
    granularity : str
        What part of a weight has a scale of its own: each output ``"channel"``, the whole ``"tensor"``, or with
        ``"group:64"`` each 64 neighbours within a channel.
    symmetric : bool
        Whether a weight's grid lies evenly around 0. If not, each scale has a zero point, which suits few bits and
        lopsided values.
    narrow_range : bool
        Whether a symmetric grid leaves out its lowest integer, which balances it.
    weight_observer, activation_observer : {"minmax", "percentile", "mse", "entropy"}
        What chooses the ranges; see `gsjupyter.quantization.observers`.
    clipping : float, optional
        The share of the range of each scale that weights keep, more than 0 and 1 at most; values beyond it take the
        last integer. By default the observer chooses it.
    rounding : {"nearest", "gptq"}
        How weights become integers: each to the nearest, or so that the errors within a channel make up for each other
        on the calibration data (GPTQ). An observer that clips works against it.
    equalize : bool
        Whether to balance the channels of neighbouring layers where the first has one scale for its tensor
        (cross-layer equalization).
    smooth : bool
        Whether to move outliers of int8 activations into weights (SmoothQuant); costs a multiplication in front of
        matrix products whose input can't be scaled where it is made.
    bias_correction : bool
        Whether to take the mean error that quantized weights make out of the biases.
    layers : mapping of str to str or mapping
        Settings of single layers, by name or glob: a weight's format, or any of ``weights``, ``activations``,
        ``granularity``, ``symmetric``, ``narrow_range``, ``observer`` and ``clipping``. ``keep`` in `gs.convert` is
        short for float32.
    budget : str or int, optional
        How large the weights of the layers may be: ``"4x"`` smaller than in float32, ``"500KB"``, or a number of bytes.
        Bits are chosen for each layer within it.
    max_drop : str, optional
        How much worse the output may become, for the smallest weights: ``"30dB"`` is the lowest SQNR of the output,
        ``"1%"`` the points of accuracy that labelled samples may lose. Bits are chosen for each layer within it.
    simulate : bool
        Whether quantized activations are computed (the file gives what a device would give) or only annotated.

    Raises
    ------
    OptionError
        If a value is unknown; the message names the nearest one.
    """

    weights: str = "float32"
    activations: str = "float32"
    granularity: Granularity = "channel"
    symmetric: bool = True
    narrow_range: bool = True
    weight_observer: str = "minmax"
    activation_observer: str = "minmax"
    clipping: float | None = None
    rounding: str = "nearest"
    equalize: bool = False
    smooth: bool = False
    bias_correction: bool = False
    layers: Mapping[str, LayerOverride] = field(default_factory=dict)
    budget: str | int | None = None
    max_drop: str | None = None
    simulate: bool = True

    def __post_init__(self) -> None:
        check_choice("weights", self.weights, WEIGHTS)
        check_choice("activations", self.activations, ACTIVATIONS)
        check_granularity("granularity", self.granularity)
        check_choice("weight_observer", self.weight_observer, OBSERVERS)
        check_choice("activation_observer", self.activation_observer, OBSERVERS)
        _check_clipping("clipping", self.clipping)
        check_choice("rounding", self.rounding, ROUNDINGS)
        for name in ("symmetric", "narrow_range", "equalize", "smooth", "bias_correction", "simulate"):
            check_flag(name, getattr(self, name))
        _check_layers(self.layers)
        if self.budget is not None and self.max_drop is not None:
            raise OptionError("budget and max_drop both choose the bits.", advice="Give one of them.")
        if self.chooses_bits and self.weights != "float32":
            raise OptionError(
                f"weights={self.weights} has no effect where the bits are chosen.",
                advice="Leave it out. Formats of single layers go into layers: {fc3: int8}.",
            )
        if self.budget is not None:
            # Only whether it can be read: of what, is known later.
            parse_budget(self.budget, 1)
        if self.max_drop is not None:
            parse_max_drop(self.max_drop)

    @property
    def settings(self) -> LayerSettings:
        """How each layer is quantized."""
        default = LayerSetting(
            self.weights,
            self.activations,
            self.granularity,
            self.symmetric,
            self.narrow_range,
            self.weight_observer,
            self.clipping,
        )
        return LayerSettings(default, dict(self.layers))

    @property
    def chooses_bits(self) -> bool:
        """Whether bits are chosen layer by layer."""
        return self.budget is not None or self.max_drop is not None

    @property
    def quantizes(self) -> bool:
        """Whether any weight may be stored in less than float32."""
        return self.weights != "float32" or bool(self.layers) or self.chooses_bits


def _check_layers(layers: object) -> None:
    if not isinstance(layers, Mapping):
        raise OptionError("layers must map names or globs to formats, for example {fc3: float32, 'conv*': int8}.")
    for name, chosen in layers.items():
        check_layer_name(name)
        where = f"layers[{name!r}]"
        if not isinstance(chosen, Mapping):
            check_choice(where, chosen, WEIGHTS)
            continue
        for option, value in chosen.items():
            check_choice(f"a setting in {where}", option, _OVERRIDES)
            _OVERRIDES[option](f"{option} in {where}", value)


def _check_clipping(option: str, value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and 0 < float(value) <= 1):  # type: ignore[arg-type]  # a number, by then
        raise OptionError(
            f"{option} must be more than 0 and 1 at most, not {value!r}.",
            advice="0.8 keeps four fifths of each range; leave it out to let the observer choose.",
        )


_OVERRIDES: Final[Mapping[str, Callable[[str, object], None]]] = {
    "weights": lambda option, value: check_choice(option, value, WEIGHTS),
    "activations": lambda option, value: check_choice(option, value, ACTIVATIONS),
    "granularity": check_granularity,
    "symmetric": check_flag,
    "narrow_range": check_flag,
    "observer": lambda option, value: check_choice(option, value, OBSERVERS),
    "clipping": _check_clipping,
}
"""What an override may set, each with its check."""


def check_layer_name(name: object) -> None:
    """Check that a layer's name, or a glob, is text.

    Raises
    ------
    OptionError
        If it isn't: YAML reads an unquoted 1.10 as the number 1.1.
    """
    if not isinstance(name, str):
        raise OptionError(f"a layer's name must be text, not {name!r}.", advice="Put it in quotes.")


def options_from(
    settings: Mapping[str, object], keep: str | Iterable[str] = (), base: ConvertOptions | None = None
) -> ConvertOptions:
    """Return the options that a mapping of names to values gives.

    Parameters
    ----------
    settings : mapping
        Fields of `ConvertOptions`.
    keep : str or iterable of str
        Names or globs of layers that stay in float32; they go before `layers`.
    base : ConvertOptions, optional
        What the mapping doesn't name is taken from here; the defaults otherwise.

    Raises
    ------
    OptionError
        If a name or a value is unknown.
    """
    names = [item.name for item in fields(ConvertOptions)]
    for name in settings:
        check_choice("an option", name, names)
    if base is not None:
        settings = {**{name: getattr(base, name) for name in names}, **settings}
    layers = settings.get("layers") or {}
    if isinstance(layers, Mapping):
        kept = dict.fromkeys(_names_of(keep), "float32")
        settings = {**settings, "layers": {**kept, **{key: value for key, value in layers.items() if key not in kept}}}
    return ConvertOptions(**settings)  # type: ignore[arg-type]  # checked by the dataclass itself


def _names_of(keep: Any) -> list[str]:
    several = isinstance(keep, Iterable) and not isinstance(keep, str)
    names: list[str] = []
    for name in keep if several else [keep]:
        check_layer_name(name)
        names.append(name)
    return names
