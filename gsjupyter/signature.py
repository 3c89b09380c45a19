"""What a model takes and gives, whatever runs it: else each engine would check and nest in its own way.

MindSpore isn't imported: who has a Tensor has imported it.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import InputError

_Array: TypeAlias = npt.NDArray[np.generic]
Output: TypeAlias = _Array | tuple["Output", ...] | dict[str, "Output"]

OUTPUTS: Final = "gsjupyter.outputs"
"""Under this name an ONNX file's metadata tell how its outputs are nested, as `flat_output` names them."""

_DEEPEST: Final = 32
_PLACE: Final = re.compile(r"(?:(?:^|\.)[0-9]{1,6})*\Z")
"""The numbers at the end of an output's name: where it lies in nested tuples."""


@dataclass(frozen=True)
class InputSpec:
    """What a network takes as one input.

    Parameters
    ----------
    name : str
        The argument's name.
    shape : tuple of int, optional
        -1 for a dynamic axis; None if it is no tensor.
    dtype : str
        numpy's name of the data type; empty if it has none.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "InputSpec":
        """Return an input as a worker describes it, by ``name``, ``shape`` and ``dtype``.

        Axes that are dynamic may have a name there, or none.
        """
        axes: Sequence[int | str | None] | None = described["shape"]
        shape = None if axes is None else tuple(size if isinstance(size, int) and size >= 0 else -1 for size in axes)
        return cls(described["name"], shape, described["dtype"])


def check_inputs(
    name: str, specs: Sequence[InputSpec], inputs: Iterable[Any], *, any_batch: bool = True
) -> list[_Array]:
    """Return the inputs as arrays, checked against what a network takes.

    Parameters
    ----------
    name : str
        The network's name, for messages.
    specs : sequence of InputSpec
        What it takes.
    inputs : iterable of ndarray or Tensor
        What it is given.
    any_batch : bool
        Whether the first axis may differ from the one that the network was exported with. In MindIR it may: whether
        that works is for the network to say, since few bake the batch size in.

    Raises
    ------
    InputError
        If number, rank, fixed axes or data type don't fit.
    """
    arrays = [value.asnumpy() if is_tensor(value) else np.asarray(value) for value in inputs]
    if len(arrays) != len(specs):
        names = ", ".join(spec.name for spec in specs)
        inputs_in_words = f"{len(specs)} input{'s' if len(specs) != 1 else ''}"
        raise InputError(f"{name} takes {inputs_in_words} ({names}), {len(arrays)} given.")
    for spec, array in zip(specs, arrays, strict=True):
        if spec.dtype and array.dtype != spec.dtype:
            raise InputError(
                f"input {spec.name} of {name} is {spec.dtype}, {array.dtype} given.",
                advice=f"Convert it: np.asarray({spec.name}, {spec.dtype!r})." if array.dtype.kind in "biuf" else "",
            )
        if spec.shape is not None and not _fits(spec.shape, array.shape, begin=1 if any_batch else 0):
            wanted = tuple("any" if size < 0 else size for size in spec.shape)
            raise InputError(f"input {spec.name} of {name} has shape {wanted}, {array.shape} given.")
    return arrays


def _fits(wanted: Sequence[int], given: Sequence[int], begin: int) -> bool:
    if len(wanted) != len(given):
        return False
    return all(size in (-1, actual) for size, actual in zip(wanted[begin:], given[begin:], strict=True))


def sample_count(arrays: Sequence[_Array]) -> int:
    """Return how many samples inputs hold: the length of the first, 1 if that is a single number."""
    return len(arrays[0]) if arrays and arrays[0].ndim else 1


def is_tensor(value: object) -> bool:
    """Say whether a value is one of MindSpore's Tensors."""
    kind = getattr(sys.modules.get("mindspore"), "Tensor", None)
    return isinstance(kind, type) and isinstance(value, kind)


def as_given(outputs: Output, inputs: Iterable[Any]) -> Any:
    """Return the outputs as Tensors if an input is one, else as they are."""
    return _as_tensors(outputs) if any(is_tensor(value) for value in inputs) else outputs


def _as_tensors(outputs: Output) -> Any:
    if isinstance(outputs, dict):
        return {key: _as_tensors(value) for key, value in outputs.items()}
    if isinstance(outputs, tuple):
        return tuple(_as_tensors(value) for value in outputs)
    return sys.modules["mindspore"].Tensor(outputs)


def flat_output(output: Output, name: str = "") -> dict[str, _Array]:
    """Return an output's arrays by name: keys and numbers, those of nested outputs joined by dots."""
    if isinstance(output, dict):
        items: Iterable[tuple[str, Output]] = output.items()
    elif isinstance(output, tuple):
        items = ((str(index), value) for index, value in enumerate(output))
    else:
        return {name or "output": output}
    flat: dict[str, _Array] = {}
    for key, value in items:
        flat.update(flat_output(value, f"{name}.{key}" if name else key))
    return flat


def nested_output(flat: Mapping[str, _Array]) -> Output:
    """Return what `flat_output` has made flat.

    A network gives an array, a tuple or a dictionary, and inside these only tuples. So numbers at the end of a name
    are places in tuples, and what stands before them is a key.

    Raises
    ------
    ValueError
        If these are no names that `flat_output` gives.
    """
    if list(flat) == ["output"]:
        return flat["output"]
    keys: dict[str, dict[tuple[int, ...], _Array]] = {}
    for name, array in flat.items():
        place = _PLACE.search(name)
        key = name[: place.start()] if place else name
        numbers = tuple(int(number) for number in name[len(key) :].split(".") if number)
        if len(numbers) > _DEEPEST:
            raise ValueError(f"outputs are nested {len(numbers)} deep")
        keys.setdefault(key, {})[numbers] = array
    if list(keys) == [""]:
        return _tuple_of(keys[""])
    if "" in keys:
        raise ValueError("some outputs have keys, others have none")
    return {key: _tuple_of(items) for key, items in keys.items()}


def _tuple_of(items: Mapping[tuple[int, ...], _Array]) -> Output:
    if list(items) == [()]:
        return items[()]
    groups: dict[int, dict[tuple[int, ...], _Array]] = {}
    for place, array in items.items():
        if not place:
            raise ValueError("an output is an array and a tuple at once")
        groups.setdefault(place[0], {})[place[1:]] = array
    if list(groups) != list(range(len(groups))):
        raise ValueError("a tuple of outputs has gaps")
    return tuple(_tuple_of(group) for group in groups.values())
