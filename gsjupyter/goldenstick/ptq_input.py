"""How the input of a quantized layer is quantized, from the forms in which Golden Stick keeps it.

    1. mindone: one scale, or the same for each input channel; the offset is an integer.
    2. mindformers: divided by the smoothing factor, so one scale for each input channel.
    3. for operators that multiply: 1 / scale. Then the offset is a floating-point number.

The scale of the products, ``deq_scale``, is input_scale * weight_scale, before the smoothing factor is divided out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsjupyter.errors import ParameterError
from gsjupyter.mindir import Array

Floats = npt.NDArray[np.float64]

LOWEST, HIGHEST = -128, 127


@dataclass(frozen=True)
class PtqInput:
    """What happens to a layer's input before the weight is applied.

    Parameters
    ----------
    smooth : ndarray of float32, shape (in_channels,), optional
        What it is multiplied by: the weight was divided by it.
    scale : float, optional
        The scale of its integers; None if it stays in floating point, or is quantized by what it holds.
    offset : int
        The integer that stands for 0.0, of -128 to 127.
    """

    smooth: npt.NDArray[np.float32] | None = None
    scale: float | None = None
    offset: int = 0


def input_of(
    layer: str, found: Mapping[str, Array], given: Mapping[str, Floats]
) -> tuple[PtqInput | None, Floats | None]:
    """Return how a layer's input is quantized, and the scale of its weight as far as the products' scale tells it.

    Parameters
    ----------
    layer : str
        The layer's name, for messages.
    found : mapping of str to ndarray
        What the checkpoint keeps of it, by its meaning.
    given : mapping of str to ndarray
        The same as float64.

    Raises
    ------
    ParameterError
        If there is no telling smoothing factor and scale apart, or they are no finite numbers.
    """
    smooth = given["smooth_scale"].reshape(-1) if "smooth_scale" in given else None
    if "input_scale" not in given:
        return (PtqInput(_factors(smooth)) if smooth is not None else None), None
    scales = given["input_scale"].reshape(-1)
    offsets = given.get("input_offset", np.zeros(1)).reshape(-1)
    if not (scales.size and offsets.size and np.isfinite(scales).all() and (scales > 0).all()):
        raise ParameterError(f"layer {layer} of the checkpoint has no positive, finite input_scale.")
    if np.ptp(offsets) or not LOWEST <= offsets[0] <= HIGHEST:
        raise ParameterError(f"layer {layer} of the checkpoint has an input_offset for each channel, or out of range.")
    is_reciprocal = "input_offset" in found and np.issubdtype(found["input_offset"].dtype, np.floating)
    scales = 1 / scales if is_reciprocal else scales
    scale = _scale_without_smoothing(layer, scales, smooth, given)
    factors = scale / scales if scales.size > 1 else smooth
    product = given["product_scale"] / scale if "product_scale" in given else None
    return PtqInput(_factors(factors), float(scale), round(float(offsets[0]))), product


def scale_bits(array: Array) -> Floats:
    """Return a scale as numbers: Ascend's operators take the bits of a float32 in an integer of 64 bits."""
    if array.dtype in (np.int64, np.uint64):
        return np.asarray(np.asarray(array).astype(np.uint32).view(np.float32), np.float64)
    return np.asarray(array, np.float64)


def _scale_without_smoothing(layer: str, scales: Floats, smooth: Floats | None, given: Mapping[str, Floats]) -> float:
    if scales.size == 1:
        return float(scales[0])
    if smooth is not None and smooth.size == scales.size:
        return float(np.median(scales * smooth))
    if np.ptp(scales) == 0:
        return float(scales[0])
    if "product_scale" not in given:
        raise ParameterError(
            f"layer {layer} of the checkpoint has an input_scale for each channel, and neither smooth_scale nor "
            "deq_scale, so it can't be told from the smoothing factor in it.",
            advice="Save the checkpoint again, with all of its parameters.",
        )
    if "weight_scale" not in given:
        # Any number serves, since the weight's scale is taken from the same product.
        return float(scales.max())
    return float(np.median(given["product_scale"].reshape(-1) / given["weight_scale"].reshape(-1)))


def _factors(smooth: Floats | None) -> npt.NDArray[np.float32] | None:
    """Return a smoothing factor for each channel; None if it changes nothing."""
    if smooth is None or np.allclose(smooth, 1, rtol=1e-6, atol=0):
        return None
    return smooth.astype(np.float32)
