"""Result objects that know how to show themselves."""

from gsjupyter.report.document import (
    MIME_TYPE,
    Cell,
    Column,
    Document,
    Facts,
    Level,
    Messages,
    Table,
    format_bytes,
)
from gsjupyter.report.html import to_html
from gsjupyter.report.layer_errors import LayerErrors
from gsjupyter.report.layers import LayerRecord, Layers
from gsjupyter.report.pruning import LayerPruning, PruningReport
from gsjupyter.report.sensitivity import Sensitivity
from gsjupyter.report.shown import Shown
from gsjupyter.report.text import printable, to_text
from gsjupyter.report.verification import OutputComparison, Verification, verify

__all__ = [
    "MIME_TYPE",
    "Cell",
    "Column",
    "Document",
    "Facts",
    "LayerErrors",
    "LayerPruning",
    "LayerRecord",
    "Layers",
    "Level",
    "Messages",
    "OutputComparison",
    "PruningReport",
    "Sensitivity",
    "Shown",
    "Table",
    "Verification",
    "format_bytes",
    "printable",
    "to_html",
    "to_text",
    "verify",
]
