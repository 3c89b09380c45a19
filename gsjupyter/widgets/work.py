"""What the panel does in the kernel: each thing as a job that changes nothing until it is done."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gsjupyter.errors import OptionError, SourceError
from gsjupyter.widgets.benchmarks import arguments_of, measured_data, targets_data, things_of
from gsjupyter.widgets.commands import Apply, Command, Export, FindTargets, Measure, Measurement, Refine, Sketch
from gsjupyter.widgets.jobs import Job
from gsjupyter.widgets.results import exported_data

if TYPE_CHECKING:
    from gsjupyter.artifact import Artifact
    from gsjupyter.benchmarking.results.result import Benchmark
    from gsjupyter.benchmarking.targets.targets import Targets
    from gsjupyter.widgets.panel_widget import Panel


class Work:
    """The jobs of a panel.

    Parameters
    ----------
    panel : Panel
        Whose options to take when the work begins, and what to change when it is done.
    """

    def __init__(self, panel: "Panel") -> None:
        self._panel = panel

    def job(self, command: Command) -> Job | None:
        """Return what a command asks for; None if that is no work."""
        match command:
            case Apply():
                return self.apply(command.predicted_db)
            case Export():
                return self.export(command.path, overwrite=command.overwrite, float16=command.float16)
            case Sketch():
                return self.sketch(command)
            case Measure():
                return self.measure()
            case Refine():
                return self.refine()
            case FindTargets():
                return self.targets()
            case Measurement():
                return self.benchmark(command)
        return None

    def apply(self, predicted_db: float | str | None = None) -> Job:
        """Convert the network as the options say."""
        panel = self._panel
        return self._job(
            "apply",
            lambda: panel.opened.convert(panel.checked_options()),
            lambda conversion: panel.take(conversion, predicted_db),
        )

    def export(self, path: str, *, overwrite: bool = False, float16: bool = False) -> Job:
        """Write the last conversion to a file."""
        panel = self._panel

        def work() -> "Artifact":
            from gsjupyter.artifact import export

            if panel.conversion is None:
                raise SourceError("there is no conversion to export yet.", advice="Apply the options first.")
            if not path.strip():
                raise OptionError("the file has no name.", advice="Give one that ends in .mindir, .onnx or .ms.")
            return export(panel.conversion, path.strip(), overwrite=overwrite, float16=float16)

        def report(artifact: "Artifact") -> None:
            others = [item for item in panel.exported if item["path"] != str(artifact.path)]
            panel.exported = [*others, exported_data(artifact)]
            panel.list_subjects()

        return self._job("export", work, report)

    def sketch(self, wanted: Sketch) -> Job:
        """Sketch some layers' weights on a kind of grid, and find the clippings that an observer chooses there."""
        panel = self._panel
        return self._job("sketch", lambda: panel.opened.sketched(wanted), lambda found: panel.take_sketches(*found))

    def measure(self) -> Job:
        """Measure what each layer's quantization costs the output."""
        panel = self._panel
        return self._job("measure", lambda: panel.opened.measured(panel.checked_options()), panel.take_sensitivity)

    def refine(self) -> Job:
        """Find the bits for the budget by the exact search."""
        panel = self._panel
        return self._job("refine", lambda: panel.opened.refined(panel.checked_options()), panel.take_refinement)

    def targets(self) -> Job:
        """Find out where models can run."""
        panel = self._panel

        def work() -> "Targets":
            from gsjupyter.benchmarking.targets.targets import targets

            return targets()

        return self._job("targets", work, lambda found: panel.change_benchmark(targets=targets_data(found)))

    def benchmark(self, command: Measurement) -> Job:
        """Measure how fast models run."""
        panel = self._panel

        def work() -> "Benchmark":
            from gsjupyter.benchmarking.run import benchmark

            things = things_of(panel.subjects, command.subjects)
            return benchmark(things, panel.opened.example, **arguments_of(command))

        def report(result: "Benchmark") -> None:
            panel.benchmark_result = result
            panel.change_benchmark(**measured_data(result))

        def failed(error: BaseException) -> None:
            panel.change_benchmark(**measured_data(panel.benchmark_result))
            panel.tell("benchmark", error)

        return Job(
            kind="benchmark",
            work=work,
            report=report,
            failed=failed,
            # The last report comes back if there is no other: sent along with each step it would be a lot.
            begun=lambda: panel.change_benchmark(live="", document=None, state="running"),
            progress=lambda step: panel.change_benchmark(live=step),
        )

    def _job(self, kind: str, work: Callable[[], Any], report: Callable[[Any], None]) -> Job:
        return Job(kind, work, report, lambda error: self._panel.tell(kind, error))
