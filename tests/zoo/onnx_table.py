"""The table of networks as ONNX: in ONNX.md, when all of them were written, and a part of it in the README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.zoo.networks import ONNX_NAMES

NAMES = (*ONNX_NAMES, "minilm", "lstm_classifier", "gru_classifier", "autoencoder", "unet")
RESULTS = Path(__file__).with_name("ONNX.md")
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- written by tests/zoo/onnx_table.py -->\n", "<!-- until here, onnx_table.py -->\n"

LARGEST_ERROR = 1e-4
_MEGABYTE = 1e6
_HEADER = (
    "network",
    "parameters (M)",
    "error",
    "any batch size",
    "float16 error",
    "file (MB)",
    "float16 (MB)",
    "written in (s)",
    "input share",
    "MindSpore's exporter",
)
_IN_README = ("network", "parameters (M)", "error", "any batch size", "MindSpore's exporter")
_LEGEND = """\
error: of the ONNX file in ONNX Runtime, on a CPU, against MindSpore's output of the source, largest over largest value;
float16 error: the same of the float16 model. any batch size: whether the model with a free batch agrees as well on 3
samples, once converted with 2, and once lowered with 1 as MindSpore exports it. written in: seconds to lower, write and
check the file. MindSpore's exporter: what `mindspore.export` makes of it; it works if ONNX Runtime runs the file and
the error is at most 1e-3. input share: how much of the output's power differs between samples. MiniLM is
all-MiniLM-L6-v2; the weights of the others are random, and networks.py says how they are made.
"""


def free_batch_of(outcome: Mapping[str, Any]) -> str:
    """Say with which batch sizes at export a network takes any other afterwards."""
    good = [
        samples
        for samples, error in outcome["free_errors"].items()
        if not isinstance(error, str) and error <= LARGEST_ERROR
    ]
    if len(good) == len(outcome["free_errors"]):
        return "yes"
    return f"if exported with {' or '.join(good)}" if good else "no"


def row(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of a network's line."""
    opset = f" (opset {outcome['theirs_opset']})" if outcome["theirs_opset"] else ""
    half = outcome["half_error"]
    return (
        outcome["name"],
        f"{outcome['parameters'] / 1e6:.2f}",
        f"{outcome['error']:.1e}",
        free_batch_of(outcome),
        half if isinstance(half, str) else f"{half:.1e}",
        f"{outcome['bytes'] / _MEGABYTE:.1f}",
        f"{outcome['half_bytes'] / _MEGABYTE:.1f}",
        f"{outcome['write_s']:.1f}",
        f"{outcome['input_share']:.1%}",
        outcome["theirs"] + opset,
    )


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """Return lines of cells, the first of which are the columns' names, as a table."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) for cells in rows]
    return "\n".join(f"| {line} |" for line in (lines[0], " | ".join("-" * width for width in widths), *lines[1:]))


def rows_of(text: str) -> list[dict[str, str]]:
    """Return the lines of the table in a text, each with its cells by the columns' names."""
    lines = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]]


def readme_part(results: str) -> str:
    """Return what the README says, from what the results say."""
    rows = rows_of(results)
    ours = sum(float(cells["error"]) <= LARGEST_ERROR for cells in rows)
    theirs = sum(cells["MindSpore's exporter"].startswith("works") for cells in rows)
    table = table_of([_IN_README, *([cells[name] for name in _IN_README] for cells in rows)])
    summary = (
        f"{ours} of {len(rows)} networks, most of them mindcv's, give in ONNX Runtime what they give on MindSpore; as\n"
        f"MindSpore's own exporter writes them, {theirs} do (more in [tests/zoo/ONNX.md](tests/zoo/ONNX.md)).\n"
    )
    return f"{summary}\n{table}"


def results_table(outcomes: Sequence[Mapping[str, Any]]) -> str:
    """Return all that is known of the networks as a table."""
    return table_of([_HEADER, *map(row, outcomes)])


def write(outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Write the results, and the README's part of them."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("mindspore", "mindcv", "onnx", "onnxruntime"))
    table = results_table(outcomes)
    results = f"# The zoo as ONNX\n\nWritten by `make zoo`, with {versions}.\n\n{table}\n\n{_LEGEND}"
    RESULTS.write_text(results, encoding="utf-8")
    write_readme(results)


def write_readme(results: str) -> None:
    """Write the README's part, from what the results say."""
    before, _, after = split(README.read_text("utf-8"))
    README.write_text(f"{before}{BEGIN}\n{readme_part(results)}\n\n{END}{after}", "utf-8")


def split(readme: str) -> tuple[str, str, str]:
    """Return what stands before the README's part, that part, and what stands behind it."""
    before, rest = readme.split(BEGIN)
    part, after = rest.split(END)
    return before, part.strip(), after
