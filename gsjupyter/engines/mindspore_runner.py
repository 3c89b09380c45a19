"""Runs a file in MindSpore with as little as possible beside: a benchmark times this, and nothing of ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mindspore
import numpy as np

from gsjupyter.engines.messages import Array
from gsjupyter.engines.mindspore import folded
from gsjupyter.engines.timed_runs import Run
from gsjupyter.errors import GsError
from gsjupyter.mindir import Runner, load_model
from gsjupyter.mindir.runner import explained


class BoundRunner(Runner):
    """A runner that can be bound to its inputs."""

    @classmethod
    def of_file(cls, path: Path) -> "BoundRunner":
        """Load a file as `gsjupyter.load` does it.

        Raises
        ------
        ModelFileError
            If it is missing, or no sound MindIR.
        EngineError
            If MindSpore can't load it.
        """
        return cls(folded(load_model(path)))

    def bound(self, arrays: Sequence[Array]) -> Run:
        """Return what runs the model on some arrays, from host to host, without a check.

        Parameters
        ----------
        arrays : sequence of ndarray
            The inputs.

        Returns
        -------
        callable
            Returns the outputs, flat, after the device has computed them.
        """
        cell, to_tensor = self._cell, mindspore.Tensor.from_numpy
        # Tensors share the arrays' memory, and a network with ``x += 1`` would change its own input.
        overwrites = not self.model.is_editable or any("Inplace" in node.op for node in self.model.graph().nodes())

        def run() -> list[Array]:
            return _flat(cell(*[to_tensor(array.copy() if overwrites else array) for array in arrays]))

        return run

    def explained(self, error: Exception) -> GsError:
        """Return what MindSpore's exception says, in words."""
        return explained(self.model, error)


def _flat(value: Any) -> list[Array]:
    if isinstance(value, mindspore.Tensor):
        return [value.asnumpy()]
    if isinstance(value, tuple | list):
        return [array for item in value for array in _flat(item)]
    return [np.asarray(value)]
