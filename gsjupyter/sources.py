"""What users call a network, as a model: cells, files, models."""

from pathlib import Path
from typing import Any

import mindspore
import numpy as np
from mindspore import nn

from gsjupyter.errors import InputError, SourceError
from gsjupyter.mindir import Array, InputSpec, Model, as_tensor, load_model, model_from_cell

_CHECKPOINTS = (".ckpt", ".safetensors")


def model_of(source: Any, example: Any = None) -> Model:
    """Return the model of a network.

    Parameters
    ----------
    source : nn.Cell, str, Path or Model
        The network, or a MindIR file.
    example : optional
        One example of the input, several inputs as a tuple. Needed for a cell.

    Raises
    ------
    SourceError
        If it is no network.
    InputError
        If the example is missing or doesn't fit.
    """
    if isinstance(source, Model):
        return source
    if isinstance(source, str | Path):
        path = Path(source)
        if path.suffix.lower() in _CHECKPOINTS:
            raise SourceError(
                f"{path.name} is a checkpoint: it holds a network's values, and not the network.",
                advice=f"Give the network, or its class, and the file with it: %gs_convert Net x --ckpt {path.name}, "
                f"or gs.convert(Net, x, ckpt={path.name!r}).",
            )
        if path.suffix.lower() == ".onnx":
            raise SourceError(
                f"{path.name} is an ONNX file, which a conversion can end in but not start from.",
                advice=f"To run it: gs.load({path.name!r}).",
            )
        return load_model(path)
    if isinstance(source, nn.Cell):
        if example is None:
            raise InputError(
                f"to convert {type(source).__name__}, an example of its input is needed.",
                advice="Give one batch, as the network is called with: %gs_convert net x, or gs.convert(net, x).",
            )
        return model_from_cell(source, inputs_of(example))
    if isinstance(source, type) and issubclass(source, nn.Cell):
        raise SourceError(
            f"{source.__name__} is a class, not a network.",
            advice=f"Make an instance of it: {source.__name__}(). With a checkpoint, --ckpt, the class will do.",
        )
    raise SourceError(f"{_describe(source)} is no network.", advice="Give an nn.Cell, or the path of a .mindir file.")


def _describe(source: object) -> str:
    text = repr(source)
    readable = len(text) <= 40 and not text.startswith("<")
    return f"{type(source).__name__} {text}" if readable else f"this {type(source).__name__}"


def inputs_of(example: Any) -> tuple[Any, ...]:
    """Return an example as one value for each input."""
    return tuple(example) if isinstance(example, tuple | list) else (example,)


def arrays_of(example: Any) -> tuple[Array, ...] | None:
    """Return an example as arrays; None if one of them has a shape only (a Tensor made for dynamic axes)."""
    tensors = [as_tensor(value) for value in inputs_of(example)]
    if any(-1 in tensor.shape for tensor in tensors):
        return None
    return tuple(tensor.asnumpy() for tensor in tensors)


def random_inputs(inputs: tuple[InputSpec, ...], rng: np.random.Generator) -> tuple[Array, ...]:
    """Return random input that a network takes: normal numbers, zeros for integers; 1 for each dynamic axis."""
    arrays = []
    for spec in inputs:
        if spec.shape is None or not spec.dtype:
            raise InputError(f"input {spec.name} is no tensor, so there is no random one.", advice="Give an example.")
        shape = [abs(size) for size in spec.shape]
        dtype = np.dtype(spec.dtype)
        normal = np.issubdtype(dtype, np.floating)
        arrays.append(rng.standard_normal(shape).astype(dtype) if normal else np.zeros(shape, dtype))
    return tuple(arrays)


def mindspore_version() -> str:
    """Return the version of MindSpore at work."""
    return str(mindspore.__version__)
