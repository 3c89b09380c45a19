"""LSQ in training form: the step is learned as a threshold ``alpha``, which becomes the grid's last integer.

    q = round(clip(x / alpha, -1, 1) * quant_max), x' = q * alpha / quant_max      (from 0 on if negatives are cut off)

so scale = |alpha| / quant_max and zero_point = 0. Golden Stick starts with a negative alpha (its ranges are swapped),
which is the same grid.

Source: mindspore_gs 1.4.1, ``learned_step_size_quantization/learned_step_size_fake_quantizers.py``; MindSpore,
``ops/kernel/gpu/cuda_impl/cuda_ops/fake_learned_scale_quant_perlayer_impl.cu``.
"""

from typing import Final

import numpy as np

from gsjupyter.goldenstick.fake_quant import FakeQuant, channel_axis, stored_numbers
from gsjupyter.mindir import Node

OPERATORS: Final = ("FakeLearnedScaleQuantPerLayer", "FakeLearnedScaleQuantPerChannel")
_ALPHA, _QUANT_MAX = 1, 2


def read(node: Node) -> FakeQuant:
    """Return what a pseudo-quantization operator of LSQ computes.

    Raises
    ------
    UnsupportedError
        If its threshold is no stored parameter.
    """
    alpha, last = stored_numbers(node, _ALPHA), int(stored_numbers(node, _QUANT_MAX)[0])
    cuts_negatives = bool(node.argument("neg_trunc"))
    bits = last.bit_length() + (not cuts_negatives)
    lowest = 0 if cuts_negatives else -last
    if cuts_negatives and (alpha < 0).all():
        lowest, last = -last, 0
    scale = np.abs(alpha) / max(-lowest, last)
    return FakeQuant("LSQ", bits, scale, np.zeros_like(scale), lowest, last, axis=channel_axis(node))
