"""The panel: a network's conversion by hand, layer by layer, for those who would rather turn a knob than know a flag.

The browser has the sliders and draws; here are the network, the work, and the truth. Nothing that comes from the
browser is trusted, and nothing that it asks for is run as code.
"""

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import traitlets

from gsjupyter.errors import GsError
from gsjupyter.options import ConvertOptions
from gsjupyter.report.existing_file import ExistingFileError
from gsjupyter.widgets import assets
from gsjupyter.widgets.benchmarks import Subject, subjects_of
from gsjupyter.widgets.code import as_magic
from gsjupyter.widgets.commands import Cancel, Ready, name_of, read_command
from gsjupyter.widgets.jobs import Jobs, in_words
from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.options_data import RefusedOptionError, data_of, options_of
from gsjupyter.widgets.panel_state import PanelState
from gsjupyter.widgets.results import MOST_RESULTS, result_data
from gsjupyter.widgets.saved_view import SavedView
from gsjupyter.widgets.shown_cells import SHOWN
from gsjupyter.widgets.snapshot import bundle
from gsjupyter.widgets.work import Work

if TYPE_CHECKING:
    from gsjupyter.artifact import Artifact
    from gsjupyter.benchmarking.results.result import Benchmark
    from gsjupyter.conversion import Conversion
    from gsjupyter.widgets.panel_network import PanelNetwork

_BY_THE_WAY: Final = ("sketch", "refine")
"""What the browser asks for by itself: that it begins says nothing about an earlier problem."""


class Panel(PanelState):
    """The panel of one network, in the browser and from Python.

    Its traits are what the browser shows; ``options`` may be set, the others tell. `gs.panel` makes it.

    Parameters
    ----------
    network : PanelNetwork
        The network, with what the panel was opened with.
    options : ConvertOptions
        What it shows first.
    kernel : Kernel, optional
        Where it lives; the kernel at work by default.

    Examples
    --------
    >>> panel = gs.panel(net, x)
    >>> panel.options = {"weights": "int4", "layers": {"fc3": {"weights": "int8"}}}
    >>> panel.apply()
    >>> panel.export("lenet.mindir")
    """

    def __init__(self, network: "PanelNetwork", options: ConvertOptions, kernel: Kernel | None = None) -> None:
        self.opened = network
        self.conversions: dict[int, Conversion] = {}
        self.benchmark_result: Benchmark | None = None
        self.error: BaseException | None = None
        home = kernel or Kernel()
        self._refused: RefusedOptionError | None = None
        self._convert_options = options
        self._view = SavedView(home, lambda: bundle(self.state(), self.model_id))
        lock = threading.RLock()
        self._jobs = Jobs(home, self._show_task, lambda: home.output_in(self._view.cell), lock)
        self._work = Work(self)
        super().__init__(
            home,
            lock,
            _esm=assets.script("panel"),
            _css=assets.style("panel"),
            network=network.data,
            options=data_of(options),
            code=as_magic(options, network.names),
            task=self._jobs.task,
        )
        self.list_subjects()

    # What Python may ask for.

    @property
    def convert_options(self) -> ConvertOptions:
        """The options as `gs.convert` takes them: the last that could be read."""
        return self._convert_options

    @convert_options.setter
    def convert_options(self, options: ConvertOptions) -> None:
        self.options = data_of(options)

    @property
    def conversion(self) -> "Conversion | None":
        """What was applied last; None before that."""
        return self.conversions[max(self.conversions)] if self.conversions else None

    def apply(self) -> "Conversion":
        """Convert the network as the options say, and show the truth beside the prediction.

        Raises
        ------
        GsError
            As `gs.convert` does; UnsupportedError while the panel does something else.
        """
        predicted_db = None
        with suppress(GsError):
            # What is wrong with the options the conversion tells.
            predicted_db = self.opened.predicted_db(self.checked_options())
        conversion: Conversion = self._jobs.run(self._work.apply(predicted_db))
        return conversion

    def export(self, path: str | Path, *, overwrite: bool = False, float16: bool = False) -> "Artifact":
        """Write the last conversion to a file.

        Parameters
        ----------
        path : str or Path
            Where; the suffix says the format.
        overwrite, float16 : bool
            As in `gs.export`.

        Raises
        ------
        GsError
            As `gs.export` does; SourceError if nothing was applied yet.
        """
        artifact: Artifact = self._jobs.run(self._work.export(str(path), overwrite=overwrite, float16=float16))
        return artifact

    def measure(self) -> None:
        """Measure what each layer's quantization costs the output: from then on the output's error is predicted.

        Raises
        ------
        GsError
            As `gs.sensitivity` does.
        """
        self._jobs.run(self._work.measure())

    def cancel(self) -> None:
        """Stop what the panel is doing, from another thread."""
        self._jobs.cancel()

    def close(self) -> None:
        """Take the panel from the browser; what is saved in the notebook stays."""
        self.cancel()
        self._view.close()
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()

    def __repr__(self) -> str:
        magic = next(line for line in self.code.splitlines() if line.startswith("%"))
        applied = "nothing applied yet"
        if self.results:
            last = self.results[-1]
            applied = f"{len(self.results)} applied, the last: {last['title']}, {last['verification']}"
        return f"Panel of {self.network['name']}: {len(self.network['layers'])} layers; {magic}; {applied}"

    def _ipython_display_(self) -> None:
        self._view.show()
        SHOWN.show(self._view.cell, self)

    # What its work reads and changes.

    def checked_options(self) -> ConvertOptions:
        """Return the options that the browser shows.

        Raises
        ------
        RefusedOptionError
            If they could not be read: others are not what the user sees.
        """
        if self._refused is not None:
            raise self._refused
        return self._convert_options

    def take(self, conversion: "Conversion", predicted_db: float | str | None = None) -> None:
        """Show a conversion, keep it, and bind it to its name in the notebook."""
        number = self.results[-1]["number"] + 1 if self.results else 1
        name = self.opened.names.output
        result = result_data(
            conversion,
            self.network,
            number=number,
            code=as_magic(conversion.options, self.opened.names),
            bound_to=name,
            predicted_db=predicted_db,
        )
        if name is not None:
            self.kernel.namespace[name] = conversion
        self.conversions[number] = conversion
        self.results = [*self.results, result][-MOST_RESULTS:]
        for old in [known for known in self.conversions if known <= number - MOST_RESULTS]:
            del self.conversions[old]
        self.list_subjects()

    def take_sketches(self, block: dict[str, Any], table: dict[str, Any] | None) -> None:
        """Send sketches to the browser, in place of those of the same layers on the same grid."""
        self.sketches = [*(item for item in self.sketches if not _replaces(block, item)), block]
        if table is not None:
            self.clippings = [*(item for item in self.clippings if not _replaces(table, item)), table]

    def take_sensitivity(self, found: dict[str, Any]) -> None:
        """Send the browser what was measured."""
        self.sensitivity = found

    def take_refinement(self, found: dict[str, Any]) -> None:
        """Send the browser the bits of the exact search."""
        self.refinement = found

    def change_benchmark(self, **changes: Any) -> None:
        """Change parts of what the benchmark shows."""
        self.benchmark = {**self.benchmark, **changes}

    @property
    def subjects(self) -> list[Subject]:
        """What there is to measure."""
        return subjects_of(self.opened.measurable, self.network["name"], self.conversions, self.exported)

    def list_subjects(self) -> None:
        """Show what there is to measure."""
        self.change_benchmark(subjects=[subject.to_json() for subject in self.subjects])

    def tell(self, command: str, error: BaseException) -> None:
        """Show what went wrong, in words; who has cancelled something knows."""
        if isinstance(error, KeyboardInterrupt):
            return
        self.error = error
        message, advice = in_words(error)
        option = error.option if isinstance(error, RefusedOptionError) else None
        if isinstance(error, ExistingFileError):
            option = "overwrite"
        # The browser hears of changes only, and what goes wrong once more must be seen once more.
        self.problem = None
        self.problem = {"command": command, "message": message, "advice": advice, "option": option}

    def _show_task(self, task: dict[str, Any]) -> None:
        with self.lock:
            begins = task["state"] == "running" and self.task["state"] != "running"
            self.task = task
            if begins and task["kind"] not in _BY_THE_WAY:
                self.problem = None
        if task["state"] in ("done", "cancelled", "failed") and self.kernel.is_main_thread:
            # What took its time is kept before anything can happen to the kernel.
            self._view.changed(at_once=task["state"] == "done" and task["kind"] not in _BY_THE_WAY)

    # What the browser asks for.

    def heard(self, content: object) -> None:
        """Do what a message asks for, in whatever thread it came."""
        try:
            command = read_command(content)
        except GsError as error:
            self.kernel.in_main_thread(partial(self.tell, name_of(content), error))
            return
        if isinstance(command, Cancel):
            self._jobs.cancel()
        elif isinstance(command, Ready):
            self._view.is_drawn_in_place = command.in_place
        elif (job := self._work.job(command)) is not None:
            self._jobs.submit(job)

    def refuse(self, error: RefusedOptionError) -> None:
        """Take note that the browser shows options that can't be read."""
        self._refused = error
        self.tell("options", error)

    def accept(self) -> None:
        """Take note that the browser shows options that can be read."""
        self._refused = None
        if self.problem is not None and (self.problem["command"] == "options" or self.problem["option"] is not None):
            self.problem = None

    @traitlets.observe("options")
    def _options_changed(self, change: Any) -> None:
        self._convert_options = options_of(change["new"])
        self.code = as_magic(self._convert_options, self.opened.names)
        self.accept()
        self._view.changed()


def _replaces(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """Say whether sketches or clippings are of the same kind of grid and hold all that others do."""
    own, others = ({**item, "data": None, "ratios": None, "layers": None} for item in (new, old))
    held, needed = (set(item.get("layers", item.get("ratios", ()))) for item in (new, old))
    return own == others and held >= needed
