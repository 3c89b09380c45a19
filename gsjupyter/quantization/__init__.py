"""Schemes, quantizers, observers and error measures on plain arrays: no MindSpore, no graph."""

from gsjupyter.quantization.blocks import from_blocks, to_blocks
from gsjupyter.quantization.error import cosine_similarity, error_power, max_abs_error, sqnr_db
from gsjupyter.quantization.observers import MinMaxObserver
from gsjupyter.quantization.quantizer import QuantizedArray, quantize, quantize_weight, scale_and_zero_point
from gsjupyter.quantization.scheme import (
    ACTIVATION_UINT8,
    WEIGHT_INT8,
    Granularity,
    Scheme,
    check_granularity,
    group_size_of,
)

__all__ = [
    "ACTIVATION_UINT8",
    "WEIGHT_INT8",
    "Granularity",
    "MinMaxObserver",
    "QuantizedArray",
    "Scheme",
    "check_granularity",
    "cosine_similarity",
    "error_power",
    "from_blocks",
    "group_size_of",
    "max_abs_error",
    "quantize",
    "quantize_weight",
    "scale_and_zero_point",
    "sqnr_db",
    "to_blocks",
]
