"""A document as HTML that needs no network: where gsjupyter's own renderer isn't installed.

Without a script all of it can be read; with one the chart of layers answers to the mouse and the keyboard.

Colours come from JupyterLab's variables where they are defined, and from the reader's light or dark preference
elsewhere. Every text is escaped by the template engine.
"""

import math
from collections.abc import Mapping, Sequence

from jinja2 import Environment

from gsjupyter.report.assets import asset, is_built
from gsjupyter.report.document import Cell, Column, Document, Facts, Messages, Table, format_cell
from gsjupyter.report.inline_script import interactive
from gsjupyter.report.layers_block import LayersBlock

_STYLE = """
.gs-report { color-scheme: light dark; font-family: var(--jp-ui-font-family, system-ui, sans-serif); font-size: 13px;
  color: var(--jp-ui-font-color1, CanvasText); max-width: 100%; overflow-x: auto }
.vscode-light .gs-report { color-scheme: light }
.vscode-dark .gs-report { color-scheme: dark }
.gs-report h4 { margin: .4em 0; font-size: 15px }
.gs-report dl { display: grid; grid-template-columns: max-content 1fr; gap: .15em 1em; margin: .4em 0 }
.gs-report dt { color: var(--jp-ui-font-color2, color-mix(in srgb, CanvasText 75%, Canvas)) }
.gs-report dd { margin: 0 }
.gs-report table { border-collapse: collapse; margin: .6em 0 }
.gs-report caption { text-align: left; font-weight: 600; padding: .2em 0 }
.gs-report th, .gs-report td { padding: .2em .7em; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--jp-border-color2, ButtonBorder) }
.gs-report .text { text-align: left }
.gs-report p { margin: .3em 0 }
.gs-report figure { margin: .6em 0 }
.gs-report svg { display: block; width: 100%; height: 64px; margin: .3em 0 }
"""

_TEMPLATE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<div class="gs-report"><style>{{ style }}</style>
<h4>{{ title }}</h4>
{% for block in blocks %}
{% if block.kind == "facts" %}
<dl>{% for label, value in block.entries %}<dt>{{ label }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
{% elif block.kind == "messages" %}
{% for level, text in block.entries %}<p><strong>{{ level }}:</strong> {{ text }}</p>{% endfor %}
{% elif block.kind == "layers" %}
<figure><figcaption><strong>{{ block.title }}:</strong> {{ block.summary }}</figcaption>
{% if block.bars %}<svg viewBox="0 0 {{ block.count }} 100" preserveAspectRatio="none" role="img" \
aria-label="SQNR of the weights, a bar for each layer"><path fill="#1e88e5" d="{{ block.bars }}"/></svg>{% endif %}
</figure>
{% else %}
<table><caption>{{ block.title }}</caption>
<thead><tr>{% for column in block.columns %}
<th scope="col"{% if column.kind == "text" %} class="text"{% endif %}>{{ column.label }}</th>
{% endfor %}</tr></thead>
<tbody>{% for row in block.rows %}<tr>{% for kind, cell, bar in row %}
<td{% if kind == "text" %} class="text"{% endif %}{% if bar %} style="{{ bar }}"{% endif %}>{{ cell }}</td>
{% endfor %}</tr>{% endfor %}</tbody></table>
{% endif %}
{% endfor %}
</div>
""")


def to_html(document: Document) -> str:
    """Return a document as a fragment of HTML without a script."""
    blocks = [_block(block) for block in document.blocks]
    return _TEMPLATE.render(style=_STYLE, title=document.title, blocks=blocks)


def to_live_html(document: Document) -> str:
    """Return a document as a fragment of HTML that holds a script if it has a chart, and is complete without it too."""
    static = to_html(document)
    has_chart = any(isinstance(block, LayersBlock) for block in document.blocks)
    if not has_chart or not is_built("report.js"):
        return static
    return interactive(static, document.to_json(), "showReport", asset("report.js"), asset("report.css"))


def _block(block: Facts | Table | Messages | LayersBlock) -> dict[str, object]:
    if isinstance(block, Facts):
        return {"kind": "facts", "entries": list(block.items)}
    if isinstance(block, Messages):
        return {"kind": "messages", "entries": list(block.items)}
    if isinstance(block, LayersBlock):
        bars = _bars([layer.record.sqnr_db for layer in block.layers])
        texts = {"title": block.title, "summary": block.summary()}
        return {"kind": "layers", **texts, "bars": bars, "count": len(block.layers)}
    longest = {column.key: max((_length(row, column) for row in block.rows), default=0.0) for column in block.columns}
    rows = [
        [
            (column.kind, format_cell(row.get(column.key), column), _bar(_length(row, column), longest[column.key]))
            for column in block.columns
        ]
        for row in block.rows
    ]
    return {"kind": "table", "title": block.title, "columns": block.columns, "rows": rows}


def _bars(values: Sequence[float | None]) -> str:
    """Return the path that draws a bar for each value, the longest 100 high; nothing if there is none."""
    known = [0.0 if value is None or math.isnan(value) else max(0.0, value) for value in values]
    finite = [value for value in known if math.isfinite(value)]
    longest = max(finite, default=0.0) or 1.0
    # What has no error is as high as the best of the others.
    shares = [min(1.0, value / longest) for value in known]
    return "".join(f"M{n} 100v-{100 * share:.0f}h.8v{100 * share:.0f}z" for n, share in enumerate(shares) if share)


def _length(row: Mapping[str, Cell], column: Column) -> float:
    """Return how long the bar behind a cell is, in the cell's unit; 0 if it has none."""
    cell = row.get(column.key)
    is_number = column.bar and isinstance(cell, int | float) and math.isfinite(cell)
    return max(0.0, float(cell)) if is_number and cell is not None else 0.0


def _bar(length: float, longest: float) -> str:
    """Return the style that draws a bar from the cell's right edge, as gsjupyter's own renderer does."""
    if not longest:
        return ""
    share = f"{100 * length / longest:.1f}%"
    return f"background: linear-gradient(to left, rgba(33, 150, 243, 0.24) {share}, transparent {share})"
