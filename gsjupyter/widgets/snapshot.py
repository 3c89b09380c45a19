"""What a notebook keeps of a panel: all that it shows, in every form that somebody may open it with later.

JupyterLab with gsjupyter shows the saved view, and the live widget in its place while the kernel has it. A page made
by ``nbconvert`` and VS Code show the HTML, whose script gives the same view. What runs no script shows the static part.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2 import Environment
from markupsafe import Markup

from gsjupyter.report import Column, Document, Facts, Messages, Table, format_bytes, printable, to_html
from gsjupyter.report.document import Cell
from gsjupyter.report.inline_script import interactive
from gsjupyter.widgets import assets

VIEW_TYPE: Final = "application/vnd.gsjupyter.view+json"
"""The type under which notebooks keep a panel; gsjupyter's JupyterLab extension shows it, with no kernel needed."""
WIDGET_TYPE: Final = "application/vnd.jupyter.widget-view+json"

VERSION: Final = 1

_COLUMNS: Final = (
    Column("name", "Layer"),
    Column("operator", "Operator"),
    Column("shape", "Shape"),
    Column("parameters", "Parameters", "integer"),
    Column("low", "Least", "number", digits=3),
    Column("high", "Most", "number", digits=3),
    Column("float_bytes", "In float32", "bytes"),
)
_OF_RESULT: Final = (
    Column("weights", "Weights"),
    Column("activations", "Inputs"),
    Column("bytes", "After", "bytes"),
    Column("sqnr_db", "SQNR (dB)", "number", bar=True),
    Column("input_sqnr_db", "Input SQNR (dB)", "number", bar=True),
    Column("error_share", "Share of the error", "percent", bar=True),
)
_CODE: Final = Environment(autoescape=True).from_string("{{ report }}<pre><code>{{ code }}</code></pre>\n")


def bundle(state: Mapping[str, Any], model_id: str | None) -> dict[str, Any]:
    """Return the output of a panel by MIME type.

    Parameters
    ----------
    state : mapping
        ``PanelState`` of ``panel/types.ts``; sketches as bytes.
    model_id : str or None
        The widget's; None where there is no widget, as after a kernel's end.

    Raises
    ------
    UnsupportedError
        If the script was not built.
    """
    kept = as_json(state)
    view = {"version": VERSION, "kind": "panel", "state": kept}
    document = _document(kept)
    widget = {WIDGET_TYPE: {"version_major": 2, "version_minor": 0, "model_id": model_id}} if model_id else {}
    return {
        "text/plain": _summary(kept),
        "text/html": interactive(
            _CODE.render(report=Markup(to_html(document)), code=kept["code"]),  # noqa: S704 - made by escaping
            view,
            "showSaved",
            assets.script("panel"),
            assets.style("panel"),
        ),
        VIEW_TYPE: view,
        **widget,
    }


def as_json(value: Any) -> Any:
    """Return a value as JSON has it: bytes as base64 text, infinities as words, NaN as null.

    Parameters
    ----------
    value : object
        Mappings, sequences, texts, numbers and bytes, within each other.
    """
    match value:
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
        case Mapping():
            return {str(key): as_json(item) for key, item in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case float() if not math.isfinite(value):
            return None if math.isnan(value) else "inf" if value > 0 else "-inf"
        case _:
            return value


def _document(state: Mapping[str, Any]) -> Document:
    """Return what can be read of a panel without a script."""
    network, result = state["network"], _last_result(state)
    facts = [
        ("Inputs", ", ".join(f"{item['name']}: {_shape(item['shape'])} {item['dtype']}" for item in network["inputs"])),
        ("Layers", f"{len(network['layers'])}, {format_bytes(network['float_bytes'])} in float32"),
        ("Recognised", "; ".join(network["recognised"])),
    ]
    if result is not None:
        sizes = f"{format_bytes(result['source_bytes'])} \u2192 {format_bytes(result['size_bytes'])}"
        facts += [("Converted", result["title"]), ("Size", sizes), ("Against the source", result["verification"])]
    facts += [("Exported", item["summary"] or item["path"]) for item in state["exported"]]
    columns = [*_COLUMNS, *(_OF_RESULT if result is not None else ())]
    rows = [_row(layer, number, result) for number, layer in enumerate(network["layers"])]
    notes = [*network["notes"], *(result["notes"] if result is not None else [])]
    blocks: list[Facts | Table | Messages] = [
        Facts([(label, value) for label, value in facts if value]),
        Table("Layers", columns, rows),
        *([Messages([("note", note) for note in notes])] if notes else []),
    ]
    return Document(network["name"], blocks)


def _row(layer: Mapping[str, Any], number: int, result: Mapping[str, Any] | None) -> dict[str, Cell]:
    found = result["layers"].get(str(number), {}) if result is not None else {}
    own = {column.key: layer[column.key] for column in _COLUMNS}
    shown = {column.key: found.get(column.key) for column in _OF_RESULT}
    return {**own, **shown, "shape": _shape(layer["shape"])}


def _summary(state: Mapping[str, Any]) -> str:
    network, result = state["network"], _last_result(state)
    lines = [f"Panel of {network['name']}, {len(network['layers'])} layers", *state["code"].split("\n")]
    if result is not None:
        lines.append(f"{result['title']}: {result['verification']}")
    return "\n".join(map(printable, lines))


def _last_result(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    results: Sequence[Mapping[str, Any]] = state["results"]
    return results[-1] if results else None


def _shape(shape: Sequence[int] | None) -> str:
    return " x ".join(map(str, shape)) if shape is not None else "any shape"
