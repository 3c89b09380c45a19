"""MindSpore as an engine: runs a model on the device that the user's context names."""

from typing import Any

import mindspore

from gsjupyter.mindir import Model, Runner
from gsjupyter.passes import FoldConstants, apply
from gsjupyter.signature import as_given


class MindSporeModel:
    """A model ready to run.

    Stored integers are turned into numbers once, here, so that a small file costs no speed: MindSpore would otherwise
    dequantize every weight at every call.

    Parameters
    ----------
    model : Model
        What to run. It stays as it is.

    Raises
    ------
    EngineError
        If MindSpore can't load it.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._runner = Runner(folded(model))

    def __call__(self, *inputs: Any) -> Any:
        """Run the model; arrays give arrays, Tensors give Tensors.

        Raises
        ------
        InputError
            If the inputs don't fit.
        EngineError
            If MindSpore fails.
        """
        return as_given(self._runner(*inputs), inputs)

    def __repr__(self) -> str:
        takes = ", ".join(f"{spec.name}: {spec.dtype}{list(spec.shape or ())}" for spec in self.model.inputs)
        return f"{self.model.name}({takes}) on MindSpore {mindspore.get_context('device_target')}"


def folded(model: Model) -> Model:
    """Return a model with everything constant computed; one with control flow is returned as it is."""
    return apply(FoldConstants(model, growth_limit=False), model)[0] if model.is_editable else model
