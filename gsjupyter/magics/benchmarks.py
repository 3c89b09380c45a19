"""The magics that measure: thin layers over `gs.targets` and `gs.benchmark`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import OptionError
from gsjupyter.magics.arguments import bound, check_output, errors_in_words, lookup, parse

if TYPE_CHECKING:
    from gsjupyter.benchmarking.results.result import Benchmark

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
    @argument("--engines", metavar="ENGINE", nargs="+", help="By what: mindspore, onnxruntime; all that can.")
    @argument("--batches", metavar="N", type=int, nargs="+", help="How many samples a run takes; as many as the input.")
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

        An interrupt keeps what has been measured.
        """
        with errors_in_words("gs_bench"):
            arguments = parse(self.gs_bench.parser, line)
            check_output(arguments["output"])
            subjects = dict(_subject(self._namespace, word) for word in arguments["subjects"])
            inputs = tuple(lookup(self._namespace, name) for name in arguments["input"] or ()) or None
            from gsjupyter.benchmarking.results.result import check_saved
            from gsjupyter.benchmarking.run import benchmark

            if arguments["save"] is not None:
                check_saved(arguments["save"], overwrite=arguments["overwrite"])
            given = {name: arguments[name] for name in _OPTIONS if arguments[name] not in (None, False)}
            result = benchmark(subjects, inputs, **given)
            if arguments["save"] is not None:
                result.save(arguments["save"], overwrite=arguments["overwrite"])
        return bound(self._namespace, arguments["output"], result, _summary(result))

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}


def _subject(namespace: Mapping[str, Any], word: str) -> tuple[str, Any]:
    """Return a label and what it stands for: a name of the notebook, or else a file."""
    if word.isidentifier() and word in namespace:
        return word, namespace[word]
    path = Path(word).expanduser()
    if path.suffix or path.exists():
        return word, path
    if not word.isidentifier():
        raise OptionError(f"{word!r} is neither a name nor a file.", advice="Files end in .mindir or .onnx.")
    return word, lookup(namespace, word)


def _summary(result: "Benchmark") -> str:
    timed = sum(row.has_figures for row in result.rows)
    return f"{timed} of {len(result.rows)} rows measured" + ("" if result.is_complete else ", interrupted")
