"""How a network becomes a file for MindSpore Lite, checked before anything runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from gsjupyter.choices import check_choice, check_flag
from gsjupyter.errors import OptionError
from gsjupyter.signature import InputSpec

Device: TypeAlias = Literal["cpu", "gpu", "ascend"]
InputFormat: TypeAlias = Literal["NCHW", "NHWC"]
Quantization: TypeAlias = Literal["carried", "weight", "full", "dynamic", "none"]

DEVICES: Final[tuple[str, ...]] = get_args(Device)
INPUT_FORMATS: Final[tuple[str, ...]] = get_args(InputFormat)
QUANTIZATIONS: Final[tuple[str, ...]] = get_args(Quantization)
LITE_QUANTIZATIONS: Final = ("weight", "full", "dynamic")
"""Those that the converter itself does."""


@dataclass(frozen=True)
class LiteSettings:
    """How to convert a network for MindSpore Lite.

    Parameters
    ----------
    device : {"cpu", "gpu", "ascend"}
        What the file is to run on. The converter's optimizations depend on it.
    float16 : bool
        Whether to store weights that are float32 in float16.
    input_format : {"NCHW", "NHWC"}, optional
        In which order the file takes the axes of its inputs with four; by the converter's own choice, NHWC, if left
        out.
    input_shapes : mapping of str to tuple of int
        Fixed shapes of inputs, by name; as exported if left out.
    quantization : {"none", "carried", "weight", "full", "dynamic"}
        Who quantizes: nobody; gsjupyter, whose integers are carried over; or the converter, which quantizes weights
        only, or the inputs of layers too, with ranges from calibration data (``"full"``) or found while the network
        runs (``"dynamic"``).

    Raises
    ------
    OptionError
        If a value is unknown or can't be said to the converter.

    Examples
    --------
    >>> LiteSettings(float16=True, input_shapes={"x": (1, 3, 224, 224)})
    """

    device: Device = "cpu"
    float16: bool = False
    input_format: InputFormat | None = None
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    quantization: Quantization = "none"

    def __post_init__(self) -> None:
        check_choice("device", self.device, DEVICES)
        check_flag("float16", self.float16)
        if self.input_format is not None:
            check_choice("input_format", self.input_format, INPUT_FORMATS)
        check_choice("quantization", self.quantization, QUANTIZATIONS)
        for name, shape in self.input_shapes.items():
            check_input_name(name, ";")
            _check_shape(name, shape)

    @property
    def optimization(self) -> str:
        """What the converter calls the device: its ``--optimize``."""
        return {"cpu": "general", "gpu": "gpu_oriented", "ascend": "ascend_oriented"}[self.device]

    @property
    def is_quantized_by_lite(self) -> bool:
        """Whether the converter itself quantizes, so that it needs a configuration file."""
        return self.quantization in LITE_QUANTIZATIONS


def check_input_name(name: object, forbidden: str) -> None:
    """Check that the converter can be told an input's name.

    Parameters
    ----------
    name : object
        The name.
    forbidden : str
        The characters that separate names where it is to stand.

    Raises
    ------
    OptionError
        If it is no text, empty, or holds one of them, or what ends a line.
    """
    if not isinstance(name, str) or not name:
        raise OptionError(f"an input's name must be text, not {name!r}.")
    found = [character for character in name if character in forbidden or not character.isprintable()]
    if found:
        raise OptionError(
            f"MindSpore Lite's converter can't be told of input {name!r}: it reads {found[0]!r} as the end of a name.",
            advice="Give the argument of the network's construct another name.",
        )


def _check_shape(name: str, shape: object) -> None:
    sizes = shape if isinstance(shape, tuple) else ()
    if not sizes or any(not isinstance(size, int) or isinstance(size, bool) or size < 1 for size in sizes):
        raise OptionError(
            f"the shape of input {name} must be whole numbers from 1 on, not {shape!r}.",
            advice='Give all of its axes, for example {"x": (1, 3, 224, 224)}.',
        )


def check_shapes(settings: LiteSettings, inputs: Sequence[InputSpec]) -> None:
    """Check that fixed shapes are meant for inputs that the network has: the converter passes over others in silence.

    Parameters
    ----------
    settings : LiteSettings
        How it is to be converted.
    inputs : sequence of InputSpec
        What the network takes.

    Raises
    ------
    OptionError
        If there is no such input, or it has another number of axes.
    """
    known = {spec.name: spec for spec in inputs}
    for name, shape in settings.input_shapes.items():
        check_choice("an input with a fixed shape", name, known)
        axes = known[name].shape
        if axes is not None and len(axes) != len(shape):
            raise OptionError(f"input {name} has {len(axes)} axes, and {shape} gives it {len(shape)}.")
