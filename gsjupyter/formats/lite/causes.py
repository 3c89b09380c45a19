"""Known causes of failed conversions, each with what the log says of it and what to do: a table, to be added to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from gsjupyter.formats.lite.installation import DOWNLOADS

_Reason: TypeAlias = Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Cause:
    """A known cause.

    Parameters
    ----------
    pattern : Pattern
        What the log says then.
    reason : callable
        Returns what it means, as the end of a sentence, for what the pattern has matched.
    advice : str
        What to do.
    names_operator : bool
        Whether an operator that the log names is where it lies.
    """

    pattern: re.Pattern[str]
    reason: _Reason
    advice: str
    names_operator: bool = False


def _cause(pattern: str, reason: str | _Reason, advice: str, *, names_operator: bool = False) -> Cause:
    said = reason if callable(reason) else lambda match: match.expand(reason)
    return Cause(re.compile(pattern), said, advice, names_operator)


def _calibration_size(match: re.Match[str]) -> str:
    given, wanted = int(match[1]), int(match[2])
    return f"a batch of the calibration data is {given:,} bytes, and the network's input takes {wanted:,}"


_MEMORY: Final = (
    r"bad_alloc|MemoryError|Cannot allocate memory|[Oo]ut of memory|failed to map segment|[Mm]alloc.*failed"
)

CAUSES: Final = (
    _cause(
        r"libascend_pass_plugin\.so failed, error: (\S+?): cannot open|create acl pass|Acl pass impl run failed",
        lambda match: "CANN, which converts for Ascend, isn't here" + (f" ({match[1]} is missing)" if match[1] else ""),
        "Run CANN's set_env.sh before Jupyter starts, on a machine that has it, or leave the device out: a file for "
        "CPUs doesn't need it.",
    ),
    _cause(_MEMORY, "memory ran out", "Close what else uses memory, or convert on a larger machine."),
    _cause(
        r"error while loading shared libraries: (\S+?): |ImportError: (\S+?): cannot open shared object file",
        lambda match: f"the library {match[1] or match[2]} isn't found",
        "Set LITE_HOME to the whole folder of a release: its libraries lie in tools/converter/lib and runtime/lib. If "
        "it is none of Lite's own, install it.",
    ),
    _cause(
        r"version [`'](GLIBC\w*_[\d.]+|CXXABI_[\d.]+)' not found",
        r"it was made for a newer system than this (it wants \1)",
        "Take an older release, or convert on a newer system.",
    ),
    _cause(
        r"undefined symbol: (\S+)|symbol lookup error",
        lambda match: "its libraries don't fit each other" + (f" (undefined symbol {match[1]})" if match[1] else ""),
        "LD_LIBRARY_PATH names the libraries of another MindSpore or MindSpore Lite: unset it, and restart the kernel.",
    ),
    _cause(
        r"maximum mind ir version: (\d+).*?support the mind ir version: (\d+)",
        r"it reads MindIR up to version \1, and this one has version \2: it is older than the MindSpore here",
        f"Get a MindSpore Lite as new as this MindSpore: {DOWNLOADS}",
    ),
    _cause(
        r"Two FakeQuantParam operators can't be joined",
        "two quantization annotations (FakeQuantParam) follow each other, and it takes one",
        "Convert the network from its source again, and export that: gsjupyter writes one for each value.",
        names_operator=True,
    ),
    _cause(
        r"RemoveFakeQuantParam\] (.+)",
        r"it can't take over the quantization annotations (FakeQuantParam): \1",
        "Leave the quantization to Lite, or export the network in float.",
        names_operator=True,
    ),
    _cause(
        r"device is not in \{[^}]*\}, but got (\w+)|optimize must be 'none', 'general' or 'ascend_oriented'",
        lambda match: f"this version has no conversion for {match[1] or 'GPU'}",
        "Leave the device out: a general file runs on GPUs, too. Or take a newer MindSpore Lite.",
    ),
    _cause(
        r"`(\w+)` is not supported in \[(\w+)\]",
        r"it doesn't know the setting \1 in [\2] of its configuration file",
        "It is older than that setting: take a newer MindSpore Lite, or delete the line and convert by hand.",
    ),
    _cause(
        r"not consistent with model input, file_size: (\d+) input tensor size: (\d+)",
        _calibration_size,
        "Batches must be as long as the network was exported with.",
    ),
    _cause(
        r"Cant find input:(\S+)",
        r"there is no calibration data for input \1",
        "Name a folder for each input in calibrate_path.",
    ),
    _cause(
        r"file count less than calibrate size, file count: (\d+) limited_count: (\d+)",
        lambda match: f"there are {max(0, int(match[1]) - 2)} files of calibration data, and {match[2]} are asked for",
        "Lower calibrate_size, or give more batches.",
    ),
    _cause(
        r"cant open dir: (.*)",
        r"the folder of calibration data isn't there: \1",
        "Keep it beside the configuration file, and run the converter in that folder.",
    ),
    _cause(
        r"No space left on device",
        "the disk is full",
        "Free some space, or give a path on another disk.",
    ),
    _cause(
        r"SAVE GRAPH FAILED|parser save path and model name from output_path failed",
        "it can't write its output",
        "Is the folder there, writable, and the disk not full?",
    ),
    _cause(
        r"Load MindIR get absolute path of (.*?) failed",
        r"it doesn't find the file \1",
        "Give the path of a file that is there.",
    ),
    _cause(
        r"Load MindIR file failed|Parse MindIR attr failed|Load model file failed|MindIr adjust failed",
        "it can't read this MindIR",
        "If another MindSpore loads it, MindSpore Lite is too old or too new for it: take the version that belongs to "
        f"this MindSpore: {DOWNLOADS}",
        names_operator=True,
    ),
    _cause(
        r"node infer shape failed, node is (\S+)|InferShape failed, name: (\S+), type: (\w+)",
        "it can't work out the shape of an operator's output",
        "Fixed shapes of the inputs help where sizes depend on them; else write that part with other operators.",
        names_operator=True,
    ),
    _cause(
        r"parse node (\w+) failed",
        r"it has the operator \1, but not with these attributes",
        "Write that part of the network with other operators.",
        names_operator=True,
    ),
    _cause(
        r"INPUT (?:ILLEGAL|INVALID|MISSING): (.+)",
        lambda match: f"it refuses a setting: {match[1].strip().rstrip('.')}",
        "It may be too old, or too new, for this option: leave the option out, or take another MindSpore Lite.",
    ),
    _cause(
        r"terminate called after throwing an instance of '([^']+)'(?:\s*what\(\):\s*(.+))?",
        lambda match: f"it crashed on an error that it didn't catch: {(match[2] or match[1]).strip().rstrip('.')}",
        "Try a newer MindSpore Lite, or leave out options one by one.",
        names_operator=True,
    ),
    _cause(
        r"encounter an unknown error, please verify the input model",
        "it crashed and can't say why",
        "Try a newer MindSpore Lite, or leave out options one by one.",
        names_operator=True,
    ),
    _cause(
        r"ModuleNotFoundError: No module named '([\w.]+)'",
        r"its package \1 isn't installed in this Python",
        "Run pip install in the environment that Jupyter runs in.",
    ),
)
"""In this order: the first that fits counts, so that what is special stands before what is general."""
