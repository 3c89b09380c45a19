"""Runs the quickstart notebook without a browser and prints what its last cell prints: ``make quickstart``."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).with_name("quickstart.ipynb")
OUTPUT = NOTEBOOK.parent.parent / "build" / "quickstart"


def run(folder: Path, path: Path = NOTEBOOK) -> nbformat.NotebookNode:
    """Run a notebook in a folder and return it with its outputs; the files that it exports stay there.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources)
    client.on_cell_start = lambda cell, cell_index: _announce(cell)
    return client.execute()


def _announce(cell: nbformat.NotebookNode) -> None:
    if cell.cell_type == "markdown":
        heading = cell.source.partition("\n")[0].lstrip("# ")
        print(heading, flush=True)


def printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


if __name__ == "__main__":
    print(printed(run(OUTPUT).cells[-1]), end="")
