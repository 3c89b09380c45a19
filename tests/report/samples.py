"""Documents and layers to show."""

from __future__ import annotations

from gsjupyter.report import Column, Document, Facts, LayerRecord, Layers, Messages, Table
from gsjupyter.report.layer_errors import LayerError, LayerErrors

ATTACK = "<img src=x onerror=alert(1)>\"&'"

CONV = LayerRecord(
    name="conv1",
    operator="Conv2D",
    shape=(6, 1, 5, 5),
    parameters=150,
    weights="int8 per channel",
    activations="uint8 per tensor",
    bytes_before=600,
    bytes_after=174,
    scale_min=0.001,
    scale_max=0.002,
    zero_point_min=0,
    zero_point_max=0,
    levels_used=0.5,
    clipped_share=0.01,
    rmse_over_scale=0.28,
    cosine=0.99998,
    outlier_ratio=3.5,
    sqnr_db=41.25,
    channel_ranges=(0.1, 0.15, 0.2, 0.25, 0.3),
    activation_low=-1.0,
    activation_high=2.0,
    activation_observed_low=-1.5,
    activation_observed_high=2.5,
    activation_scale=3 / 255,
    activation_zero_point=85,
    activation_sqnr_db=38.5,
    activation_clipped_share=0.02,
    activation_outlier_ratio=4.5,
)
FC = LayerRecord(
    name="fc3",
    operator="MatMul",
    shape=(10, 84),
    parameters=840,
    weights="float32",
    activations="float32",
    bytes_before=3360,
    bytes_after=3360,
    channel_ranges=(0.01, 0.02, 0.03, 0.04, 0.05),
)
LAYERS = Layers([CONV, FC])
ERRORS = LayerErrors([LayerError("conv1", 40.0, 40.0), LayerError("fc3", None, 35.5)], samples=2)


def every_kind_of_block(text="conv1"):
    """Return a document with all that a document can hold, its texts from outside being `text`."""
    columns = [
        Column("name", text),
        Column("number", "dB", "number"),
        Column("size", "Bytes", "bytes"),
        Column("count", "Count", "integer"),
        Column("share", "Share", "percent"),
    ]
    rows = [{"name": text, "number": 41.25, "size": 78964, "count": 61706, "share": 0.0123}, {"name": "empty"}]
    return Document(
        text, [Facts([(text, text)]), Table(text, columns, rows), Messages([("warning", text), ("note", "fine")])]
    )
