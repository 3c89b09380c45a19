"""Where a file for MindSpore Lite has its channels: last, mostly, where the network has them second.

Lite's converter gives inputs with four axes the layout NHWC, unless it is told otherwise, and outputs keep that of the
network. It turns int64 into int32 and float64 into float32 too, and an engine without float16 takes float32 in its
place. Here both sides are brought together, so that a file can be fed like the network that it was made from.

Which input was changed, its shapes tell: (1, 3, 32, 32) in the network is (1, 32, 32, 3) in the file. What the network
has stands in the manifest beside the file. Where there is none, or all three axes are equal, the file's own note
decides, except for networks made in TensorFlow, which have their channels last themselves.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from gsjupyter.engines.lite_structure import DTYPES, LiteTensor
from gsjupyter.engines.messages import Array
from gsjupyter.errors import InputError
from gsjupyter.signature import InputSpec

NETWORK: Final = "network"
"""Under this name a manifest's options have what the network takes and gives: ``inputs`` and ``outputs``, lists of
objects with ``name``, ``shape`` and ``dtype``. The outputs are named as `signature.flat_output` names them."""

_CHANNELS_LAST: Final = ("tf", "tflite")


@dataclass(frozen=True)
class Network:
    """What the network has that a file was made from.

    Parameters
    ----------
    inputs, outputs : tuple of InputSpec
        Its ends; empty if nothing tells.
    """

    inputs: tuple[InputSpec, ...] = ()
    outputs: tuple[InputSpec, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Network":
        """Return what a manifest's options tell; nothing if they don't, or nothing sound."""
        noted = options.get(NETWORK)
        if not isinstance(noted, Mapping):
            return cls()
        return cls(_specs(noted.get("inputs")), _specs(noted.get("outputs")))

    @classmethod
    def beside(cls, path: Path) -> "Network":
        """Return what the manifest beside a file tells; nothing if there is none."""
        from gsjupyter.formats.manifest import manifest_path

        try:
            content = json.loads(manifest_path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return cls()
        options = content.get("options") if isinstance(content, dict) else None
        return cls.of(options) if isinstance(options, dict) else cls()


def _specs(noted: Any) -> tuple[InputSpec, ...]:
    found = []
    for item in noted if isinstance(noted, list) else ():
        match item:
            case {"name": str(name), "shape": [*axes], "dtype": str(dtype)} if _are_sizes(axes):
                found.append(InputSpec(name, tuple(axes), dtype if dtype in DTYPES.values() else ""))
            case _:
                return ()
    return tuple(found)


def _are_sizes(axes: Sequence[Any]) -> bool:
    return all(type(size) is int and size >= -1 for size in axes)


@dataclass(frozen=True)
class Port:
    """An input, as the network has it and as the engine takes it.

    Parameters
    ----------
    spec : InputSpec
        As the network has it.
    tensor : LiteTensor
        As the engine has it.
    is_moved : bool
        Whether the engine takes the channels last where the network has them second.
    """

    spec: InputSpec
    tensor: LiteTensor
    is_moved: bool

    @classmethod
    def of(cls, spec: Mapping[str, Any], tensor: Mapping[str, Any]) -> "Port":
        """Return an input as the engine's process describes it."""
        shape = tuple(tensor["shape"])
        as_taken = LiteTensor(tensor["name"], shape, tensor["dtype"], tensor["layout"])
        return cls(InputSpec.of(spec), as_taken, bool(tensor["is_moved"]))

    def spec_of(self, array: Any) -> InputSpec:
        """Return what an array is to be checked against: the network's form, unless only the engine's fits.

        One that fits both, of shape (1, 3, 3, 3) for example, is taken for the network's.
        """
        given, array = self.spec, np.asarray(array)
        if not _fits(given.shape or (), array.shape) and _fits(self.tensor.shape, array.shape):
            given = replace(given, shape=self.tensor.shape)
        return replace(given, dtype=self.tensor.dtype) if array.dtype == self.tensor.dtype else given

    def for_engine(self, array: Array) -> Array:
        """Return an array as the engine takes it, in one piece.

        Raises
        ------
        InputError
            If it holds integers that the engine's data type hasn't.
        """
        is_networks = _fits(self.spec.shape or (), array.shape)
        moved = array.transpose(0, 2, 3, 1) if self.is_moved and is_networks else array
        return np.asarray(converted(self.spec.name, moved, self.tensor.dtype), order="C")


def ports_of(tensors: Sequence[LiteTensor], framework: str, network: Network) -> tuple[Port, ...]:
    """Return the inputs of a model, as the network has them and as the engine takes them.

    Parameters
    ----------
    tensors : sequence of LiteTensor
        As the engine has them.
    framework : str
        What the network was made in; empty if nothing tells.
    network : Network
        What is known of it.
    """
    known: Sequence[InputSpec | None] = network.inputs
    if len(known) != len(tensors) or any(not _is_alike(*pair) for pair in zip(network.inputs, tensors, strict=True)):
        known = [None] * len(tensors)
    return tuple(_port(tensor, framework, spec) for tensor, spec in zip(tensors, known, strict=True))


def _is_alike(spec: InputSpec, tensor: LiteTensor) -> bool:
    """Say whether a note can be of an input: its name and its number of axes are the same."""
    return spec.name == tensor.name and (spec.shape is None or len(spec.shape) == len(tensor.shape))


def _port(tensor: LiteTensor, framework: str, known: InputSpec | None) -> Port:
    own, is_moved = tensor.shape, False
    if len(own) == 4:
        is_moved = tensor.layout == "NHWC" and framework not in _CHANNELS_LAST
        if known is not None and known.shape is not None:
            # Neither holds if it was converted for other sizes.
            is_same, is_last = _fits(known.shape, own), _fits(_channels_last(known.shape), own)
            is_moved = is_last if is_same != is_last else is_moved
        n, h, w, c = own
        own = (n, c, h, w) if is_moved else own
    dtype = known.dtype if known is not None and known.dtype else tensor.dtype
    return Port(InputSpec(tensor.name, own, dtype), tensor, is_moved)


def as_network_gives(array: Array, known: InputSpec | None) -> Array:
    """Return an output of the engine as the network gives it, as far as that is known.

    Parameters
    ----------
    array : ndarray
        What the engine has given.
    known : InputSpec, optional
        What the network gives.
    """
    if known is None or known.shape is None:
        return array
    if array.ndim == 4 == len(known.shape) and not _fits(known.shape, array.shape):
        moved = array.transpose(0, 3, 1, 2)
        array = moved if _fits(known.shape, moved.shape) else array
    is_of_its_kind = bool(known.dtype) and np.dtype(known.dtype).kind == array.dtype.kind
    return array.astype(known.dtype) if is_of_its_kind and array.dtype != known.dtype else array


def converted(name: str, array: Array, dtype: str) -> Array:
    """Return an array in another data type of the same kind: real numbers are rounded, integers have to fit.

    Raises
    ------
    InputError
        If they don't.
    """
    if not dtype or array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        result = array.astype(dtype)
    if array.dtype.kind in "iu" and not np.array_equal(result, array):
        raise InputError(
            f"input {name} holds integers from {array.min()} to {array.max()}, and the file takes {dtype} only."
        )
    return result


def _channels_last(shape: Sequence[int]) -> tuple[int, ...]:
    n, c, h, w = shape
    return (n, h, w, c)


def _fits(wanted: Sequence[int], given: Sequence[int]) -> bool:
    """Say whether two shapes agree behind the axis of samples."""
    if len(wanted) != len(given):
        return False
    return all(-1 in pair or pair[0] == pair[1] for pair in zip(wanted[1:], given[1:], strict=True))
