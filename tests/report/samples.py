"""Documents and layers to show."""

from __future__ import annotations

from dataclasses import replace

from gsjupyter.report import Column, Document, Facts, LayerRecord, Layers, Messages, Table

ATTACK = "<img src=x onerror=alert(1)>\"&'"

CONV = LayerRecord(
    name="conv1",
    operator="Conv2D",
    shape=(6, 1, 5, 5),
    parameters=150,
    weights="int8 per channel",
    activations="uint8 per tensor",
    scale_min=0.001,
    scale_max=0.002,
    sqnr_db=41.25,
    activation_low=-1.0,
    activation_high=2.0,
    bytes_before=600,
    bytes_after=174,
)
FC = replace(
    CONV,
    name="fc3",
    operator="MatMul",
    shape=(10, 84),
    parameters=840,
    weights="float32",
    activations="float32",
    scale_min=None,
    scale_max=None,
    sqnr_db=None,
    activation_low=None,
    activation_high=None,
    bytes_before=3360,
    bytes_after=3360,
)
LAYERS = Layers([CONV, FC])


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
