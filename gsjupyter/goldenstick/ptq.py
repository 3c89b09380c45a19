"""What post-training quantization leaves in a checkpoint: RoundToNearest, GPTQ, AWQ, SmoothQuant, and others like them.

Each layer has integers, their scale and offset, and if its input is quantized too, the input's scale and offset:

    weight = (integers - weight_offset) * weight_scale
    input' = (clip(round(input * smooth / input_scale) + input_offset, -128, 127) - input_offset) * input_scale

A scale for each group of input channels has the shape (groups, output channels). The names say where a cell keeps them,
which differs between Golden Stick's versions; the offset is negated where an Ascend operator adds it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.goldenstick.ptq_input import PtqInput, input_of, scale_bits
from gsjupyter.goldenstick.recognition import plural
from gsjupyter.mindir import Array

# Cells that Golden Stick puts between a layer's name and what it keeps of it.
_HOLDERS: Final = (
    *("_layer", "_linear", "layer", "_handler", "_input_quantizer", "_output_quantizer", "_weight_quantizer"),
    *("matmul", "quant_method", "weight_qbmm", "quant_op", "dyn_quant_op", "quant", "dynamic_quant"),
)
# What each name means: the last part of it, and in older versions the cell that it is kept in.
_ROLES: Final = (
    (re.compile(r"(.*\.)?(weight_scale|w_scale)"), "weight_scale"),
    (re.compile(r"(.*\.)?_weight_quantizer\.scale"), "weight_scale"),
    (re.compile(r"(.*\.)?(weight_offset|w_zp)"), "weight_offset"),
    (re.compile(r"(.*\.)?(weight_zp|zp_neg)"), "negated_weight_offset"),
    (re.compile(r"(.*\.)?(input_scale|x_scale|t_scale)"), "input_scale"),
    (re.compile(r"(.*\.)?(input_offset|input_zp|x_zp|t_zp)"), "input_offset"),
    (re.compile(r"(.*\.)?smooth_scale"), "smooth_scale"),
    (re.compile(r"(.*\.)?(deq_scale|dequant_scale)"), "product_scale"),
    (re.compile(r"(.*\.)?_output_quantizer\.scale"), "product_scale"),
    # Follows from the integers and the input's offset.
    (re.compile(r"(.*\.)?quant_bias"), "quant_bias"),
)
_WEIGHT: Final = re.compile(r"(.*\.)?(weight|q_weight)")


@dataclass(frozen=True)
class PtqLayer:
    """A layer that was quantized after training.

    Parameters
    ----------
    name : str
        The layer's name, without the cells that hold its parts.
    tensor : str
        What its integers are called in the checkpoint.
    integers : ndarray of int8, shape (out_channels, in_channels) or transposed
        The integers, one a value.
    scale : ndarray of float32, shape (1,), (out_channels,) or (groups, out_channels)
        What they are multiplied by.
    offset : ndarray of int32, in the shape of `scale`
        What is subtracted from them before.
    input : PtqInput, optional
        How its input is quantized; None if it isn't, or by what each input holds.
    """

    name: str
    tensor: str
    integers: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]
    offset: npt.NDArray[np.int32]
    input: PtqInput | None = None

    @property
    def bits(self) -> int:
        """The bits of an integer: 4, if all of them are so small."""
        return 4 if self.integers.min(initial=0) >= -8 and self.integers.max(initial=0) <= 7 else 8

    @property
    def groups(self) -> int | None:
        """How many groups of input channels have a scale of their own; None if they share it."""
        return self.scale.shape[0] if self.scale.ndim == 2 else None

    @property
    def granularity(self) -> str:
        """What has a scale of its own: ``tensor``, ``channel`` or ``group of 128``."""
        if self.groups is None:
            return "tensor" if self.scale.size == 1 else "channel"
        return f"group of {self.integers.size // max(self.scale.size, 1)}"

    @property
    def scheme(self) -> str:
        """The scheme, in words."""
        return f"int{self.bits} per {self.granularity.replace(' of ', ':')}"


def ptq_layers(
    tensors: Mapping[str, Array], parameters: Container[str] = ()
) -> tuple[dict[str, PtqLayer], dict[str, Array]]:
    """Return the quantized layers of a checkpoint by the names that their weights would have, and all other tensors.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        What the checkpoint holds.
    parameters : container of str
        The parameters of the network: names that are among them stay as they are.

    Raises
    ------
    ParameterError
        If the parts of a layer don't fit together.
    """
    weights = {_cell_of(name): name for name, array in tensors.items() if _is_integer_weight(name, array)}
    parts = _parts_by_weight(tensors, weights)
    layers: dict[str, PtqLayer] = {}
    used: set[str] = set()
    for cell, weight in weights.items():
        own = parts[weight]
        if "weight_scale" in own or "product_scale" in own:
            layer = _without_holders(cell)
            plain = f"{layer}.weight" if layer else "weight"
            name = weight if weight in parameters or plain in layers else plain
            layers[name] = _layer(layer, weight, tensors, own)
            used |= {weight, *own.values()}
    rest = {name: array for name, array in tensors.items() if name not in used}
    # Only where layers were found: the names of a network in training form have such cells in them as well.
    return layers, {_plain_name(name): array for name, array in rest.items()} if layers else rest


def _parts_by_weight(tensors: Iterable[str], weights: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what the checkpoint keeps of each integer weight, by its meaning."""
    plain = {_without_holders(cell): weight for cell, weight in weights.items()}
    parts: dict[str, dict[str, str]] = defaultdict(dict)
    for name in tensors:
        if role := _role_of(name):
            cell = _cell_of(name)
            while cell not in weights and cell.rpartition(".")[2] in _HOLDERS:
                cell = _cell_of(cell)
            if weight := weights.get(cell, plain.get(cell)):
                parts[weight][role] = name
    return parts


def describe(layers: Iterable[PtqLayer]) -> str:
    """Return what was found in a line: ``PTQ, 4 bit, per group of 128, 24 layers`` for example."""
    found = list(layers)
    bits = " and ".join(str(bits) for bits in sorted({layer.bits for layer in found}))
    granularities = " and ".join(name for name, _ in Counter(layer.granularity for layer in found).most_common())
    line = f"PTQ, {bits} bit, per {granularities}, {plural(len(found), 'layer')}"
    return f"{line}, activations 8 bit" if any(layer.input and layer.input.scale for layer in found) else line


def _is_integer_weight(name: str, array: Array) -> bool:
    return array.dtype == np.int8 and array.ndim == 2 and _WEIGHT.fullmatch(name) is not None


def _role_of(name: str) -> str:
    return next((role for pattern, role in _ROLES if pattern.fullmatch(name)), "")


def _cell_of(name: str) -> str:
    return name.rpartition(".")[0]


def _without_holders(cell: str) -> str:
    while cell.rpartition(".")[2] in _HOLDERS:
        cell = _cell_of(cell)
    return cell


def _plain_name(name: str) -> str:
    """Return a name as the network has it: the bias of a layer may stand beside its integers, in the same cell."""
    cell, last = _cell_of(name), name.rpartition(".")[2]
    layer = _without_holders(cell)
    return f"{layer}.{last}" if layer and cell.rpartition(".")[2].startswith("_") else name


def _layer(name: str, tensor: str, tensors: Mapping[str, Array], parts: Mapping[str, str]) -> PtqLayer:
    found = {role: tensors[part] for role, part in parts.items()}
    given = {role: _numbers(role, array) for role, array in found.items()}
    integers = np.asarray(tensors[tensor], np.int8)
    incoming, product = input_of(name, found, given)
    scale = given.get("weight_scale", product)
    if scale is None or not np.isfinite(scale).all():
        raise ParameterError(f"layer {name} of the checkpoint has no finite weight_scale.", advice="Quantize it again.")
    offset = given["weight_offset"] if "weight_offset" in given else -given.get("negated_weight_offset", np.zeros(1))
    scale = _squeezed(scale, integers)
    if not _fits(scale, integers):
        raise ParameterError(
            f"layer {name} of the checkpoint has integers of shape {integers.shape}, and a scale of shape "
            f"{scale.shape}: neither one for the tensor, nor one for each channel or group of channels."
        )
    try:
        offset = np.broadcast_to(_squeezed(offset, integers), scale.shape)
    except ValueError:
        raise ParameterError(f"layer {name}: scale {scale.shape} and offset {offset.shape} don't fit.") from None
    return PtqLayer(name, tensor, integers, scale.astype(np.float32), np.rint(offset).astype(np.int32), incoming)


def _numbers(role: str, array: Array) -> npt.NDArray[np.float64]:
    return scale_bits(array) if role in ("product_scale", "weight_scale") else np.asarray(array, np.float64)


def _squeezed(values: npt.NDArray[np.float64], integers: Array) -> npt.NDArray[np.float64]:
    """Return one scale for each channel as a vector, in whatever shape it was kept."""
    is_vector = values.ndim != 1 and values.size == max(values.shape, default=1)
    return values.reshape(-1) if is_vector and values.size in (1, *integers.shape) else values


def _fits(scale: npt.NDArray[np.float64], integers: Array) -> bool:
    if scale.ndim == 1:
        return scale.size in (1, *integers.shape)
    if scale.ndim != 2 or not scale.shape[0]:
        return False
    groups, outputs = scale.shape
    return any(rows == outputs and not columns % groups for rows, columns in (integers.shape, integers.shape[::-1]))
