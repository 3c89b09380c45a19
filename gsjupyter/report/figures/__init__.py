"""Still figures of results, for papers: matplotlib, no interaction."""

from gsjupyter.report.figures.errors import plot_errors
from gsjupyter.report.figures.histogram import plot_histogram
from gsjupyter.report.figures.ranges import plot_ranges
from gsjupyter.report.figures.sqnr import plot_layers

__all__ = ["plot_errors", "plot_histogram", "plot_layers", "plot_ranges"]
