"""The sketches that a panel's browser asks for: each is made once, however often a user goes back to a kind of grid."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import reduce
from typing import Any, Final, TypeAlias

from gsjupyter.progress import counted
from gsjupyter.quantization import Granularity, Scheme, WeightSketch, check_granularity, weight_clipping
from gsjupyter.quantization.sensitivity import BITS
from gsjupyter.widgets.opened import OpenedNetwork
from gsjupyter.widgets.sketch_format import encode

Grid: TypeAlias = tuple[Granularity, bool]
"""A granularity, and whether symmetric."""

_MOST_GRIDS: Final = 6
"""So many kinds of grids are kept; sketches for asymmetric ones take 0.3 MB a layer."""


class SketchStore:
    """Sketches of a network's weights, by the layers' numbers in ``Network.layers``.

    Layers whose weight no option changes have none.

    Parameters
    ----------
    opened : OpenedNetwork
        The network.
    """

    def __init__(self, opened: OpenedNetwork) -> None:
        self._groups = opened.groups
        self._sketches: OrderedDict[Grid, dict[int, WeightSketch]] = OrderedDict()
        self._ratios: dict[tuple[int, str, Scheme], float] = {}

    def sketch(self, layer: int, granularity: Granularity, *, symmetric: bool) -> WeightSketch:
        """Return the sketch of a layer's weights; of several together, if the layer has several."""
        found = self._of_grid((granularity, symmetric))
        if layer not in found:
            found[layer] = reduce(
                WeightSketch.merged,
                (
                    WeightSketch.of(item.weight.array, item.axis, granularity, symmetric=symmetric)
                    for item in self._groups[layer].weights
                ),
            )
        return found[layer]

    def clipping(self, layer: int, observer: str, scheme: Scheme) -> float:
        """Return the clipping that an observer chooses for a layer."""
        if observer == "minmax":
            return 1.0
        key = (layer, observer, scheme)
        if key not in self._ratios:
            sketch = self.sketch(layer, scheme.granularity, symmetric=scheme.symmetric)
            self._ratios[key] = weight_clipping(sketch, scheme, observer)
        return self._ratios[key]

    def block(self, granularity: Granularity, symmetric: bool, layers: Sequence[int]) -> dict[str, Any]:
        """Return sketches for a browser: a ``SketchBlock``, its data as bytes.

        Parameters
        ----------
        granularity : str
            What shares a scale.
        symmetric : bool
            Whether for symmetric schemes.
        layers : sequence of int
            The layers' numbers.

        Raises
        ------
        OptionError
            If there is no such granularity.
        """
        check_granularity("granularity", granularity)
        wanted = self._changeable(layers)
        sketches = [
            self.sketch(layer, granularity, symmetric=symmetric)
            for layer in counted(wanted, "sketching weights", "layer")
        ]
        return {"granularity": granularity, "symmetric": symmetric, "layers": wanted, "data": encode(sketches)}

    def clippings(
        self, observer: str, granularity: Granularity, symmetric: bool, narrow_range: bool, layers: Sequence[int]
    ) -> dict[str, Any]:
        """Return the clippings that an observer chooses: a ``ClippingTable``.

        Parameters
        ----------
        observer : {"minmax", "percentile", "mse", "entropy"}
            What chooses.
        granularity : str
            What shares a scale.
        symmetric, narrow_range : bool
            As in `ConvertOptions`.
        layers : sequence of int
            The layers' numbers.

        Raises
        ------
        OptionError
            If there is no such observer, or no such granularity.
        """
        schemes = [Scheme(bits, symmetric, narrow_range and symmetric, granularity) for bits in BITS]
        ratios = {
            str(layer): [self.clipping(layer, observer, scheme) for scheme in schemes]
            for layer in counted(self._changeable(layers), "choosing clippings", "layer")
        }
        return {
            "observer": observer,
            "granularity": granularity,
            "symmetric": symmetric,
            "narrow_range": narrow_range,
            "ratios": ratios,
        }

    def _changeable(self, layers: Sequence[int]) -> list[int]:
        return [layer for layer in layers if not self._groups[layer].obstacle]

    def _of_grid(self, grid: Grid) -> dict[int, WeightSketch]:
        found = self._sketches.setdefault(grid, {})
        self._sketches.move_to_end(grid)
        if len(self._sketches) > _MOST_GRIDS:
            self._sketches.popitem(last=False)
        return found
