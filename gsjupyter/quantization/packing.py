"""4-bit integers, two in a byte: what MindSpore calls ``qint4x2``, and Golden Stick packs along the last axis."""

import numpy as np
import numpy.typing as npt


def unpacked(packed: npt.NDArray[np.generic]) -> npt.NDArray[np.int8]:
    """Return 4-bit integers one an int8, from two in a byte along the last axis, the first in the lower half."""
    pairs = packed.astype(np.int8)
    integers = np.empty((*packed.shape[:-1], 2 * packed.shape[-1]), np.int8)
    # Shifted up and down again, so that the sign comes along.
    integers[..., 0::2] = np.left_shift(pairs, 4) >> 4
    integers[..., 1::2] = pairs >> 4
    return integers
