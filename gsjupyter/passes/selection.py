"""Which number format each layer gets: by name or glob, checked, so that a misspelt layer isn't silently ignored."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from gsjupyter.errors import OptionError
from gsjupyter.passes.linear import LinearOperator

FLOATS = ("float32", "float16")


@dataclass(frozen=True)
class LayerFormats:
    """The number format of each layer's weight.

    Parameters
    ----------
    default : str
        The format of layers that no override means.
    overrides : mapping of str to str
        Formats by layer name or glob. A name goes before globs, and an earlier glob before a later one.
    """

    default: str
    overrides: Mapping[str, str] = field(default_factory=dict)

    def override_of(self, name: str) -> str | None:
        """Return the format that an override gives a layer, None if none means it."""
        if name in self.overrides:
            return self.overrides[name]
        return next((chosen for pattern, chosen in self.overrides.items() if fnmatchcase(name, pattern)), None)

    def of(self, name: str) -> str:
        """Return the format of a layer's weight."""
        return self.override_of(name) or self.default

    def is_kept(self, name: str) -> bool:
        """Say whether a layer was asked to stay in floating point."""
        return self.override_of(name) in FLOATS

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
