"""Which settings each layer gets: by name or glob, checked, so that a misspelt layer isn't silently ignored."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from gsjupyter.errors import OptionError
from gsjupyter.passes.linear import LinearOperator
from gsjupyter.quantization import Granularity, Scheme

FLOATS: Final = ("float32", "float16")
INTEGERS: Final = tuple(f"int{bits}" for bits in range(2, 9))
INTEGER_ACTIVATIONS: Final = "int8"


@dataclass(frozen=True)
class LayerSetting:
    """How one layer is quantized.

    Parameters
    ----------
    weights : str
        The weight's format: ``"float32"``, ``"float16"``, or ``"int2"`` to ``"int8"``.
    activations : {"float32", "int8"}
        The input's format.
    granularity : str
        What has a scale of its own: ``"tensor"``, ``"channel"`` or ``"group:N"``.
    symmetric, narrow_range : bool
        As in `Scheme`.
    observer : {"minmax", "percentile", "mse", "entropy"}
        What chooses the weight's range.
    clipping : float, optional
        The share of the range that is kept, more than 0 and 1 at most; by default the observer chooses it.
    """

    weights: str = "float32"
    activations: str = "float32"
    granularity: Granularity = "channel"
    symmetric: bool = True
    narrow_range: bool = True
    observer: str = "minmax"
    clipping: float | None = None

    @property
    def scheme(self) -> Scheme | None:
        """The weight's scheme; None in floating point."""
        if self.weights in FLOATS:
            return None
        bits = int(self.weights.removeprefix("int"))
        # An asymmetric grid has no end to leave out: its zero point lies where the range needs it.
        return Scheme(bits, self.symmetric, self.narrow_range and self.symmetric, self.granularity)

    def overridden(self, override: "str | Mapping[str, Any]") -> "LayerSetting":
        """Return the setting with some of its fields changed.

        Parameters
        ----------
        override : str or mapping
            A weight's format, or fields by name. A layer whose weight is put back into floating point keeps its input
            so too, unless `override` says something else. One that names an observer leaves the clipping to it.
        """
        changes = {"weights": override} if isinstance(override, str) else dict(override)
        if changes.get("weights") in FLOATS:
            changes = {"activations": "float32", **changes}
        if "observer" in changes:
            changes = {"clipping": None, **changes}
        return replace(self, **changes)


@dataclass(frozen=True)
class LayerSettings:
    """How each layer is quantized.

    Parameters
    ----------
    default : LayerSetting
        For layers that no override means.
    overrides : mapping of str to str or mapping
        By layer name or glob: a weight's format, or fields of `LayerSetting`. A name goes before globs, and an earlier
        glob before a later one.
    bits : mapping of str to int
        Bits of single weights, by name; they go before everything else.
    """

    default: LayerSetting = field(default_factory=LayerSetting)
    overrides: "Mapping[str, str | Mapping[str, Any]]" = field(default_factory=dict)
    bits: Mapping[str, int] = field(default_factory=dict)

    def setting(self, name: str) -> LayerSetting:
        """Return how a layer is quantized."""
        override = self._override_of(name)
        setting = self.default.overridden(override) if override is not None else self.default
        return replace(setting, weights=f"int{self.bits[name]}") if name in self.bits else setting

    def of(self, name: str) -> str:
        """Return the format of a layer's weight."""
        return self.setting(name).weights

    def is_kept(self, name: str) -> bool:
        """Say whether a layer's input stays in floating point."""
        return self.setting(name).activations != INTEGER_ACTIVATIONS

    def has_override(self, name: str) -> bool:
        """Say whether an override means a layer."""
        return self._override_of(name) is not None

    def check(self, operators: Iterable[LinearOperator]) -> None:
        """Check that every override means at least one layer.

        Raises
        ------
        OptionError
            If one means none; the message names the nearest layer.
        """
        names = sorted({operator.name for operator in operators})
        for pattern in self.overrides:
            if not any(name == pattern or fnmatchcase(name, pattern) for name in names):
                near = difflib.get_close_matches(pattern, names, 1)
                hint = f"Did you mean {near[0]}?" if near else f"The layers with weights are {', '.join(names[:8])}."
                raise OptionError(f"the network has no layer {pattern!r} with a weight.", advice=hint)

    def _override_of(self, name: str) -> "str | Mapping[str, Any] | None":
        if name in self.overrides:
            return self.overrides[name]
        return next((chosen for pattern, chosen in self.overrides.items() if fnmatchcase(name, pattern)), None)
