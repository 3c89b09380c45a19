"""A JupyterLab in a real browser, in the words of its user: open a notebook, run it, change the theme."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"

# Commands are awaited but return nothing: what they return are widgets, which take seconds to send to Python.
_COMMAND = "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }"
_KERNEL_IS_READY = """() => {
    const kernel = window.jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel?.status === "idle";
}"""
_NOTEBOOK_IS_READY = """async () => {
    const notebook = window.jupyterapp.shell.currentWidget;
    await notebook.revealed;
    await notebook.context.sessionContext.session.kernel.info;
}"""


@dataclass(frozen=True)
class Lab:
    """One browser tab with JupyterLab in it.

    Parameters
    ----------
    page : Page
        The tab.
    folder : Path
        The folder that JupyterLab shows.
    screenshots : Path
        Where pictures go.
    """

    page: Page
    folder: Path
    screenshots: Path

    def command(self, name: str, **args: object) -> None:
        """Run one of JupyterLab's commands and wait until it is done."""
        self.page.evaluate(_COMMAND, [name, args])

    def save_notebook(self, name: str, cells: list[nbformat.NotebookNode], kernel: str | None = "python3") -> None:
        """Write a notebook into the folder; without a kernel's name JupyterLab will ask for one."""
        notebook = nbformat.v4.new_notebook(cells=cells)
        if kernel is not None:
            notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(notebook, self.folder / name)

    def open(self, name: str) -> None:
        """Open a file of the folder and wait until its kernel, which the notebook names, is idle."""
        self.command("docmanager:open", path=name)
        self.page.wait_for_function(_KERNEL_IS_READY, timeout=60_000)
        self.page.evaluate(_NOTEBOOK_IS_READY)

    def open_without_kernel(self, name: str) -> None:
        """Open a notebook that names no kernel, and start none."""
        # The command would return only when the question that it asks is answered.
        self.page.evaluate("name => { window.jupyterapp.commands.execute('docmanager:open', {path: name}); }", name)
        self.page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
        self.page.locator(".jp-Dialog").wait_for(state="detached")

    def run_all_cells(self, timeout_s: float = 120) -> None:
        """Run the open notebook from top to bottom and wait until the kernel has nothing more to do."""
        self.command("notebook:run-all-cells")
        self.wait_until_idle(timeout_s)

    def wait_until_idle(self, timeout_s: float = 120) -> None:
        """Wait until the kernel has nothing more to do."""
        self.page.wait_for_function(_KERNEL_IS_READY, timeout=1000 * timeout_s)

    def set_theme(self, theme: str) -> None:
        """Change to `theme` and wait until its colours are there."""
        self.command("apputils:change-theme", theme=theme)
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)

    def screenshot(self, name: str, part: Locator | None = None) -> Path:
        """Take a picture of the tab, or of all of one part of it, and return where it is."""
        path = self.screenshots / f"{name}.png"
        if part is None:
            self.page.screenshot(path=path, animations="disabled")
            return path
        # A notebook hides what does not fit, so the window grows until everything does.
        window, box = self.page.viewport_size, part.bounding_box()
        if window is None or box is None:
            message = f"no picture of {part}: it is not visible"
            raise ValueError(message)
        self.page.set_viewport_size({**window, "height": int(box["height"]) + window["height"]})
        part.screenshot(path=path, animations="disabled")
        self.page.set_viewport_size(window)
        return path
