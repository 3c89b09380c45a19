"""Runs one network with different weights: compiled once, where each variant as a model would be compiled anew."""

from collections.abc import Mapping
from typing import Any

import mindspore

from gsjupyter.interrupts import uninterrupted
from gsjupyter.mindir.model import Model
from gsjupyter.mindir.runner import Runner
from gsjupyter.mindir.types import Array
from gsjupyter.signature import Output


class VariantRunner(Runner):
    """A runner whose parameters can be replaced for single runs.

    Parameters
    ----------
    model : Model
        What to run. It stays as it is, and so does what the runner computes between variants.

    Raises
    ------
    EngineError
        If MindSpore can't load it.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self._own = {parameter.name: parameter for parameter in model.graph().parameters()}
        self._loaded = self._cell.parameters_dict()

    def variant(self, parameters: Mapping[str, Array], *inputs: Any) -> Output:
        """Run the model with other values for some of its parameters, and put its own back.

        An interrupt takes effect when they are back.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            The other values, by the parameter's name, of its shape and data type.
        *inputs : ndarray or Tensor
            As in `Runner`.

        Raises
        ------
        ValueError
            If the model has no such parameter, or of another shape or data type.
        InputError, UnsupportedError, EngineError
            As `Runner` does.
        """
        self._check(parameters)
        with uninterrupted():
            try:
                for name, array in parameters.items():
                    self._set(name, array)
                return self(*inputs)
            finally:
                for name in parameters:
                    self._set(name, self._own[name].array)

    def _check(self, parameters: Mapping[str, Array]) -> None:
        for name, array in parameters.items():
            own = self._own.get(name)
            if own is None or (own.shape, own.dtype) != (array.shape, array.dtype):
                raise ValueError(f"{array.dtype} values of shape {array.shape} can't replace {own or name!r}")

    def _set(self, name: str, array: Array) -> None:
        self._loaded[name].set_data(mindspore.Tensor(array))
