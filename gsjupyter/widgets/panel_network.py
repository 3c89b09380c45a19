"""The network that a panel is open on, with the very arguments that copied code hands to `gs.convert`.

So Apply and the copied code make the same file, byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gsjupyter.conversion import Conversion, convert
from gsjupyter.errors import OptionError
from gsjupyter.mindir import Array, Model
from gsjupyter.options import ConvertOptions, LayerOverride
from gsjupyter.passes.selection import FLOATS
from gsjupyter.report import Sensitivity
from gsjupyter.widgets.commands import Sketch
from gsjupyter.widgets.names import Names, names_of
from gsjupyter.widgets.network_data import network_data
from gsjupyter.widgets.opened import open_network
from gsjupyter.widgets.refinement import refinement_data
from gsjupyter.widgets.results import decibel_data
from gsjupyter.widgets.sensitivity_data import measured_sensitivity, sensitivity_data
from gsjupyter.widgets.settings_errors import predict
from gsjupyter.widgets.sketches import SketchStore


@dataclass(frozen=True)
class Given:
    """What the user gave: the arguments of `gs.convert`, apart from options.

    Parameters
    ----------
    source, example, ckpt, calibration, labels
        As in `gs.convert`.
    """

    source: Any
    example: Any = None
    ckpt: str | Path | None = None
    calibration: Any = None
    labels: Any = None

    @classmethod
    def of(cls, source: Any, example: Any, **others: Any) -> "Given":
        """Return what a user gave; of a conversion its source is meant, and its example if there is no other."""
        if isinstance(source, Conversion):
            return cls(source.source, source.example if example is None else example, **others)
        return cls(source, example, **others)


class PanelNetwork:
    """A network opened for a panel.

    Parameters
    ----------
    given : Given
        What to open.
    options : ConvertOptions
        What the panel shows first.
    names : Names
        What the user calls all that was given.
    """

    def __init__(self, given: Given, options: ConvertOptions, names: Names) -> None:
        self.given = given
        self.names = names
        self.opened = open_network(
            given.source, given.example, ckpt=given.ckpt, calibration=given.calibration, options=options
        )
        self.data: dict[str, Any] = network_data(self.opened, names.to_json())
        self._sketches = SketchStore(self.opened)
        self._float: Conversion | None = None
        self._sensitivity: Sensitivity | None = None

    @property
    def example(self) -> tuple[Array, ...]:
        """One batch of the input; random where none was given."""
        return self.opened.example

    def convert(self, options: ConvertOptions) -> Conversion:
        """Convert it, as the copied code does."""
        given = self.given
        return convert(
            given.source,
            given.example,
            ckpt=given.ckpt,
            calibration=given.calibration,
            labels=given.labels,
            options=options,
        )

    def sketched(self, wanted: Sketch) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return a ``SketchBlock`` and a ``ClippingTable`` of types.ts; no table where the observer keeps everything.

        Raises
        ------
        OptionError
            If there are no such layers.
        """
        count = len(self.data["layers"])
        if any(layer >= count for layer in wanted.layers):
            raise OptionError(f"layers must be numbers below {count}.")
        layers = list(dict.fromkeys(wanted.layers))
        block = self._sketches.block(wanted.granularity, wanted.symmetric, layers)
        if wanted.observer == "minmax":
            return block, None
        grid = (wanted.granularity, wanted.symmetric, wanted.narrow_range)
        return block, self._sketches.clippings(wanted.observer, *grid, layers)

    def sketched_for(self, options: ConvertOptions) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return what a browser needs for the options that hold for all layers."""
        layers = tuple(range(len(self.data["layers"])))
        grid = (options.granularity, options.symmetric, options.narrow_range)
        return self.sketched(Sketch(*grid, options.weight_observer, layers))

    def measured(self, options: ConvertOptions, *, at_most_s: float | None = None) -> dict[str, Any]:
        """Measure what each layer's quantization costs the output; return ``Sensitivity`` of types.ts.

        Raises
        ------
        TimeLimitError
            If it would take longer than it may.
        GsError
            As `gs.sensitivity` does.
        """
        asked = _with_free_bits(options)
        self._sensitivity = measured_sensitivity(self.opened, asked, at_most_s=at_most_s)
        return sensitivity_data(self.opened, self._sensitivity, asked)

    def refined(self, options: ConvertOptions) -> dict[str, Any]:
        """Find the bits for a budget by the exact search; return ``Refinement`` of types.ts.

        Raises
        ------
        OptionError
            If there is no budget, it is too small, or nothing was measured yet.
        """
        if self._sensitivity is None:
            raise OptionError(
                "the bits for a budget follow from what was measured.", advice="Measure the layers first."
            )
        return refinement_data(self.opened, self._sketches, self._sensitivity, options)

    def predicted_db(self, options: ConvertOptions) -> float | str | None:
        """Return the predicted SQNR of the output in decibel, as JSON has it; None where nothing was measured."""
        if self._sensitivity is None or options.max_drop is not None:
            return None
        return decibel_data(predict(self.opened, self._sketches, self._sensitivity, options).output_sqnr_db)

    def measurable(self) -> Any:
        """Return it as `gs.benchmark` takes it: itself, or converted to float32 where that is no network by itself."""
        from mindspore import nn

        if self.given.ckpt is None and isinstance(self.given.source, nn.Cell | str | Path):
            return self.given.source
        if self._float is None:
            self._float = convert(self.given.source, self.given.example, ckpt=self.given.ckpt)
        return self._float


def names_in(given: Given, namespace: Mapping[str, Any], names: Names | None = None) -> Names:
    """Return what the user calls what was given: as said, or by identity in a notebook's namespace."""
    objects = {
        "source": given.source,
        "inputs": given.example,
        "ckpt": given.ckpt,
        "calibration": given.calibration,
        "labels": given.labels,
    }
    found = names_of(objects, namespace)
    if names is None:
        return found
    if not isinstance(given.source, Model):
        return names
    # The line names a conversion, and what is converted is its source, which has no name there.
    unnamed = found.unnamed | names.unnamed
    return replace(names, source=found.source, inputs=names.inputs or found.inputs, unnamed=unnamed)


def _with_free_bits(options: ConvertOptions) -> ConvertOptions:
    """Return options that leave all bits open: what is measured must serve when a layer is set otherwise."""
    layers: dict[str, LayerOverride] = {}
    for name, chosen in options.layers.items():
        setting = dict(chosen) if isinstance(chosen, Mapping) else {"weights": chosen}
        # A layer kept in floating point keeps its input so as well.
        kept = {"activations": "float32"} if setting.pop("weights", None) in FLOATS else {}
        if found := {**kept, **setting}:
            layers[name] = found
    # What int8 inputs cost is one run more, and known then when they are chosen.
    return replace(options, layers=layers, activations="int8")
