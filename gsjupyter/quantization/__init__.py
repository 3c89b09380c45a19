"""Schemes, quantizers, observers and error measures on plain arrays: no MindSpore, no graph."""

from gsjupyter.quantization.activation_sketch import ActivationSketch
from gsjupyter.quantization.allocation import Allocation
from gsjupyter.quantization.blocks import from_blocks, to_blocks
from gsjupyter.quantization.budget import parse_budget, parse_max_drop, smallest_setting
from gsjupyter.quantization.error import cosine_similarity, error_power, max_abs_error, sqnr_db
from gsjupyter.quantization.observers import OBSERVERS, activation_range, check_observer, weight_clipping
from gsjupyter.quantization.quantizer import QuantizedArray, quantize, quantize_weight, scale_and_zero_point
from gsjupyter.quantization.scheme import (
    ACTIVATION_UINT8,
    WEIGHT_INT8,
    Granularity,
    Scheme,
    check_granularity,
    group_size_of,
)
from gsjupyter.quantization.weight_sketch import WeightSketch

__all__ = [
    "ACTIVATION_UINT8",
    "OBSERVERS",
    "WEIGHT_INT8",
    "ActivationSketch",
    "Allocation",
    "Granularity",
    "QuantizedArray",
    "Scheme",
    "WeightSketch",
    "activation_range",
    "check_granularity",
    "check_observer",
    "cosine_similarity",
    "error_power",
    "from_blocks",
    "group_size_of",
    "max_abs_error",
    "parse_budget",
    "parse_max_drop",
    "quantize",
    "quantize_weight",
    "scale_and_zero_point",
    "smallest_setting",
    "sqnr_db",
    "to_blocks",
    "weight_clipping",
]
