"""A benchmark as a stand-alone page: its table, its figures with words for who can't see them, and no script."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gsjupyter.benchmarking.results.figures import plot
from gsjupyter.benchmarking.results.row_figures import RowFigures, row_figures
from gsjupyter.benchmarking.results.table import time_unit
from gsjupyter.report import format_bytes
from gsjupyter.report.figures.inline import inline_svg, page_style
from gsjupyter.report.page import Picture, to_page

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark


def page_of(benchmark: "Benchmark") -> str:
    """Return a benchmark as an HTML page."""
    measured = [row for row in row_figures(benchmark) if row.runs]
    pictures = [_picture(benchmark, *content) for content in _contents(measured)]
    return to_page(benchmark.document(), pictures)


def _picture(benchmark: "Benchmark", kind: str, caption: str, lines: Iterable[str]) -> Picture:
    with page_style():
        figure = plot(benchmark, kind).get_figure(root=True)
        svg = inline_svg(figure) if figure is not None else ""
    return Picture(svg, caption, f"{caption}. {'; '.join(lines)}.")


def _contents(rows: list[RowFigures]) -> Iterable[tuple[str, str, list[str]]]:
    """Yield the kinds of figures that have something to say, their captions, and what they say in words."""
    if not rows:
        return
    unit = time_unit(row.median_s for row in rows)

    def latency(row: RowFigures, samples: int = 1) -> str:
        return f"{(row.median_s or 0.0) / samples * unit.per_unit:.3g} {unit.name}"

    yield "latency", "Latency", [f"{row.name}: {latency(row)}" for row in rows]
    if len({row.batch for row in rows}) > 1:
        lines = [f"{row.name}: {row.throughput_per_s:.3g}" for row in rows]
        yield "throughput", "Samples per second by batch size", lines
    sized = [row for row in rows if row.size_bytes]
    if len({row.size_bytes for row in sized}) > 1:
        lines = [f"{row.name}: {format_bytes(row.size_bytes or 0)}, {latency(row, row.batch)}" for row in sized]
        yield "tradeoff", "Latency of a sample by size of the file, coloured by SQNR", lines
