"""The magic that writes files: a thin layer over `gs.export`."""

from collections.abc import Mapping
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from gsjupyter.errors import OptionError
from gsjupyter.magics.arguments import bound, check_output, errors_in_words, lookup, parse

_SWITCHES = ("overwrite", "float16", "fixed_batch", "bundle")


@magics_class
class ExportMagics(Magics):
    """Write files inside the notebook."""

    @no_var_expand
    @magic_arguments()
    @argument("conversion", help="What to write: the name of a conversion.")
    @argument("path", help="Where; the suffix says the format: .mindir, .onnx, or .ms for MindSpore Lite.")
    @argument("--format", metavar="FORMAT", help="The format; the suffix must say the same.")
    @argument("--float16", action="store_true", help="Compute in float16, for GPUs (.onnx), or store it (.ms).")
    @argument("--fixed-batch", action="store_true", help="Take batches of the exported size only (.onnx).")
    @argument(
        "--device", metavar="DEVICE", help="What MindSpore Lite is to run on: cpu (default), gpu or ascend (.ms)."
    )
    @argument(
        "--quantization",
        metavar="WHOSE",
        help="carried: the conversion's own int8 (default, if it has any); or by Lite's converter: weight, full, "
        "dynamic; or none (.ms).",
    )
    @argument(
        "--calibration",
        metavar="NAME",
        help="A dataset, batches or an array, for --quantization full or carried (.ms).",
    )
    @argument("--input-shape", metavar="NAME:SHAPE", nargs="+", help="Other shapes of inputs, as x:1,3,224,224 (.ms).")
    @argument("--input-format", metavar="ORDER", help="The order of an image's axes in the file: NHWC or NCHW (.ms).")
    @argument("--bundle", action="store_true", help="Write a zip with all that it takes to make the .ms elsewhere.")
    @argument("--overwrite", action="store_true", help="Replace a file that is there.")
    @argument("-o", "--output", metavar="NAME", help="Bind the artifact to this name instead of showing it.")
    @line_magic
    def gs_export(self, line: str) -> Any:
        """Write a conversion to a file, with a manifest beside it: what it was made from, options, checks, SHA-256.

        A file for ONNX Runtime or MindSpore Lite is run there at once and held against the network's source. Nothing is
        overwritten without --overwrite, and nothing half-written is ever left::

            %gs_export qnet lenet.mindir
            %gs_export qnet lenet.onnx
            %gs_export qnet lenet.ms --device cpu
            %gs_export qnet lenet.ms --bundle

        MindSpore Lite is found by LITE_HOME, on the PATH, as a Python package, or where this says::

            %config GsJupyter.lite_home = "/opt/mindspore-lite-2.6.0-linux-x64"
        """
        with errors_in_words("gs_export"):
            arguments = parse(self.gs_export.parser, line)
            check_output(arguments["output"])
            conversion = lookup(self._namespace, arguments["conversion"])
            settings = self._settings(arguments)
            from gsjupyter.artifact import export

            artifact = export(conversion, arguments["path"], **settings)
        found = f", in {artifact.engine_title} {artifact.verification}" if artifact.verification is not None else ""
        summary = "\n".join([f"{artifact.path}{found}", *artifact.notes])
        return bound(self._namespace, arguments["output"], artifact, summary)

    def _settings(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        settings = {name: arguments[name] for name in ("format", "device", "quantization", "input_format")}
        settings |= {name: arguments[name] for name in _SWITCHES}
        if arguments["calibration"] is not None:
            settings["calibration"] = lookup(self._namespace, arguments["calibration"])
        if arguments["input_shape"]:
            settings["input_shape"] = dict(map(_shape, arguments["input_shape"]))
        return settings

    @property
    def _namespace(self) -> dict[str, Any]:
        return self.shell.user_ns if self.shell is not None else {}


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, _, sizes = text.rpartition(":")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        shape = ()
    if not name or not shape:
        raise OptionError(
            f"--input-shape {text} names no input with its shape.", advice="For example: --input-shape x:1,3,224,224"
        )
    return name, shape
