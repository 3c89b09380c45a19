"""The magics that measure: thin layers over `gs.targets` and `gs.benchmark`."""

import difflib
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import ModelFileError, OptionError
from gsjupyter.magics.arguments import bound, check_output, errors_in_words, lookup, parse

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark

_SUFFIXES: Final = (".mindir", ".onnx", ".ms")
_OPTIONS: Final = ("targets", "engines", "batches", "threads", "duration_s", "runs", "launches", "operators", "cluster")


@magics_class
class BenchmarkMagics(Magics):
    """See where models can run, and how fast they do."""

    @no_var_expand
    @magic_arguments()
    @argument("-o", "--output", metavar="NAME", help="Bind the targets to this name instead of showing them.")
    @line_magic
    def gs_targets(self, line: str) -> Any:
        """Show where models can run, on the CPU, a GPU or an Ascend: what is there, and what to do about the rest.

        Each engine is really started on each target, in a process of its own::

            %gs_targets

        On the CPU it is measured whether MindSpore's convolutions take a slow path, as they do on some processors.
        """
        with errors_in_words("gs_targets"):
            arguments = parse(self.gs_targets.parser, line)
            check_output(arguments["output"])
            from gsjupyter.benchmarking.targets.targets import targets

            found = targets()
        ready = sum(place.is_available for place in found)
        return bound(self._namespace, arguments["output"], found, f"{ready} of {len(found)} ways to run a model work")

    @no_var_expand
    @magic_arguments()
    @argument("subjects", nargs="+", help="What to measure: files, conversions, networks, loaded models.")
    @argument("--input", metavar="NAME", nargs="+", help="One batch of each input, by name; random if left out.")
    @argument("--targets", metavar="TARGET", nargs="+", help="Where: cpu (default), gpu, ascend.")
    @argument("--engines", metavar="ENGINE", nargs="+", help="By what: mindspore, onnxruntime, lite; all that can.")
    @argument(
        "--batches", metavar="N", type=int, nargs="+", help="How many samples a run takes; by default the input's."
    )
    @argument("--threads", metavar="N", type=int, nargs="+", help="How many threads an operator uses; all by default.")
    @argument("--duration", metavar="S", dest="duration_s", type=float, help="Measure each for so many seconds (3).")
    @argument("--runs", metavar="N", type=int, help="... and for so many runs at least (10).")
    @argument("--launches", metavar="N", type=int, help="Spread that over so many fresh processes (3).")
    @argument("--operators", action="store_true", help="Also measure what each operator takes.")
    @argument("--cluster", metavar="PROFILE", help="Measure on the machines of an IPython Parallel cluster.")
    @argument("--save", metavar="FILE", help="Write the result to a file: .json to go on with, .html to show.")
    @argument("--overwrite", action="store_true", help="Replace a file that is there.")
    @argument("-o", "--output", metavar="NAME", help="Bind the result to this name instead of showing it.")
    @line_magic
    def gs_bench(self, line: str) -> Any:
        """Measure how fast models run, each in fresh processes, and say which differences are real.

        Files, conversions and networks may be mixed; each runs on every engine that can take it::

            %gs_bench lenet.mindir lenet.onnx --targets cpu gpu ascend
            %gs_bench net qnet --input x --batches 1 8 --save lenet.json -o b
            b.plot(), b.to_pandas(), b.operators(0)

        Models come first, options behind them; a pattern stands for files, ``'*.onnx'``. Speed-up is from runs side by
        side, in the same rounds; samples per second are over all runs. An interrupt keeps what has been measured.
        """
        with errors_in_words("gs_bench"):
            arguments = parse(self.gs_bench.parser, line)
            check_output(arguments["output"])
            subjects = _subjects(self._namespace, arguments["subjects"])
            inputs = tuple(lookup(self._namespace, name) for name in arguments["input"] or ()) or None
            from gsjupyter.benchmarking.results.result import check_saved
            from gsjupyter.benchmarking.run import benchmark

            if arguments["save"] is not None:
                check_saved(arguments["save"], overwrite=arguments["overwrite"])
            # Zero is given, and refused.
            given = {name: arguments[name] for name in _OPTIONS if arguments[name] is not None}
            result = benchmark(subjects, inputs, **given)
            shown = bound(self._namespace, arguments["output"], result, _summary(result))
            if arguments["save"] is not None:
                # What was measured is bound by then, whatever becomes of the file.
                result.save(arguments["save"], overwrite=arguments["overwrite"])
        return shown

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}


def _subjects(namespace: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Return what the words stand for, by label: names of the notebook, files, and patterns of files."""
    found: dict[str, Any] = {}
    for word in words:
        path = Path(word).expanduser()
        matching = sorted(path.parent.glob(path.name)) if any(sign in path.name for sign in "*?[") else []
        for label, subject in [(str(file), file) for file in matching] or [(word, _subject(namespace, word))]:
            # The same twice shows what noise is.
            numbered = (f"{label} ({number})" for number in itertools.count(2))
            found[label if label not in found else next(other for other in numbered if other not in found)] = subject
    return found


def _subject(namespace: Mapping[str, Any], word: str) -> Any:
    if word.isidentifier():
        return lookup(namespace, word) if word in namespace or not Path(word).exists() else Path(word)
    path = Path(word).expanduser()
    if path.suffix.lower() not in _SUFFIXES:
        raise OptionError(
            f"{word!r} is neither a name nor a model's file.",
            advice=f"Files end in {' or '.join(_SUFFIXES)}; models come before --input.",
        )
    if not path.exists():
        near = difflib.get_close_matches(path.name, [file.name for file in path.parent.glob("*")], 1)
        raise ModelFileError(
            f"there is no file {word}.", advice=f"Did you mean {path.with_name(near[0])}?" if near else ""
        )
    return path


def _summary(result: "Benchmark") -> str:
    from gsjupyter.benchmarking.results.remarks import remarks_on

    timed = sum(row.has_figures for row in result.rows)
    remarks = remarks_on(result)
    errors = [f"error: {text}" for level, text in remarks if level == "error"]
    counts = Counter(level for level, _ in remarks if level != "error")
    words = [f"{timed} of {len(result.rows)} row{'s' * (len(result.rows) != 1)} measured"]
    words += ["interrupted"] * (not result.is_complete)
    words += [f"{count} {level}{'s' * (count != 1)} in the result" for level, count in counts.items()]
    return "\n".join([", ".join(words), *errors])
