"""The options of a conversion, checked once, whoever gives them: Python, a magic's flags, or a cell of YAML."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gsjupyter.errors import OptionError
from gsjupyter.passes import LayerFormats
from gsjupyter.quantization import Granularity

WEIGHTS = ("float32", "float16", "int8")
ACTIVATIONS = ("float32", "int8")
GRANULARITIES = ("channel", "tensor")


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert a network.

    Parameters
    ----------
    weights : {"float32", "float16", "int8"}
        How weights are stored.
    activations : {"float32", "int8"}
        How the inputs of layers with weights are quantized (8 bits, unsigned, asymmetric).
    granularity : {"channel", "tensor"}
        Whether each output channel of a weight has its own scale.
    layers : mapping of str to str
        Weight formats of single layers, by name or glob; ``keep`` in `gs.convert` is short for float32.
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
    layers: Mapping[str, str] = field(default_factory=dict)
    simulate: bool = True

    def __post_init__(self) -> None:
        check_choice("weights", self.weights, WEIGHTS)
        check_choice("activations", self.activations, ACTIVATIONS)
        check_choice("granularity", self.granularity, GRANULARITIES)
        if not isinstance(self.layers, Mapping):
            raise OptionError("layers must map names or globs to formats, for example {fc3: float32, 'conv*': int8}.")
        for name, chosen in self.layers.items():
            check_layer_name(name)
            check_choice(f"layers[{name!r}]", chosen, WEIGHTS)
        if not isinstance(self.simulate, bool):
            raise OptionError(f"simulate must be true or false, not {self.simulate!r}.")

    @property
    def formats(self) -> LayerFormats:
        """The weight format of each layer."""
        return LayerFormats(self.weights, dict(self.layers))

    def stores(self, chosen: str) -> bool:
        """Say whether any layer's weight is to be stored in a format."""
        return chosen == self.weights or chosen in self.layers.values()


def check_choice(option: str, value: object, choices: Iterable[str]) -> None:
    """Check that a value is one of the choices.

    Raises
    ------
    OptionError
        If it isn't; the message names the nearest one.
    """
    known = list(choices)
    if value not in known:
        near = difflib.get_close_matches(str(value), known, 1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise OptionError(f"{option} must be one of {', '.join(known)}, not {value!r}.", advice=hint)


def check_layer_name(name: object) -> None:
    """Check that a layer's name, or a glob, is text.

    Raises
    ------
    OptionError
        If it isn't: YAML reads an unquoted 1.10 as the number 1.1.
    """
    if not isinstance(name, str):
        raise OptionError(f"a layer's name must be text, not {name!r}.", advice="Put it in quotes.")


def options_from(settings: Mapping[str, object], keep: str | Iterable[str] = ()) -> ConvertOptions:
    """Return the options that a mapping of names to values gives.

    Parameters
    ----------
    settings : mapping
        Fields of `ConvertOptions`.
    keep : str or iterable of str
        Names or globs of layers that stay in float32; they go before `layers`.

    Raises
    ------
    OptionError
        If a name or a value is unknown.
    """
    names = [item.name for item in fields(ConvertOptions)]
    for name in settings:
        check_choice("an option", name, names)
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
