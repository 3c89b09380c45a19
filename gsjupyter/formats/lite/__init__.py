"""MindSpore Lite as a file to deploy: what a phone, a board or any other device without Python runs.

The names are loaded when they are first used: what looks for MindSpore Lite needs no MindSpore, beside which it can't
be in a process.
"""

from typing import TYPE_CHECKING

from gsjupyter.lazy_names import lazy_names

if TYPE_CHECKING:
    from gsjupyter.formats.lite.calibration_files import CalibrationFiles, write_calibration
    from gsjupyter.formats.lite.command import arguments, shell_line
    from gsjupyter.formats.lite.configuration import LiteScheme, configuration_text, lite_scheme
    from gsjupyter.formats.lite.conversion import Converted, convert_file
    from gsjupyter.formats.lite.failures import ConversionError, MissingOperatorError
    from gsjupyter.formats.lite.file import check_file
    from gsjupyter.formats.lite.installation import Installation, find_benchmark, find_converter, what_to_get
    from gsjupyter.formats.lite.settings import LiteSettings, check_shapes

_HOMES = {
    "CalibrationFiles": "gsjupyter.formats.lite.calibration_files",
    "ConversionError": "gsjupyter.formats.lite.failures",
    "Converted": "gsjupyter.formats.lite.conversion",
    "Installation": "gsjupyter.formats.lite.installation",
    "LiteScheme": "gsjupyter.formats.lite.configuration",
    "LiteSettings": "gsjupyter.formats.lite.settings",
    "MissingOperatorError": "gsjupyter.formats.lite.failures",
    "arguments": "gsjupyter.formats.lite.command",
    "check_file": "gsjupyter.formats.lite.file",
    "check_shapes": "gsjupyter.formats.lite.settings",
    "configuration_text": "gsjupyter.formats.lite.configuration",
    "convert_file": "gsjupyter.formats.lite.conversion",
    "find_benchmark": "gsjupyter.formats.lite.installation",
    "find_converter": "gsjupyter.formats.lite.installation",
    "lite_scheme": "gsjupyter.formats.lite.configuration",
    "shell_line": "gsjupyter.formats.lite.command",
    "what_to_get": "gsjupyter.formats.lite.installation",
    "write_calibration": "gsjupyter.formats.lite.calibration_files",
}

__all__ = [
    "CalibrationFiles",
    "ConversionError",
    "Converted",
    "Installation",
    "LiteScheme",
    "LiteSettings",
    "MissingOperatorError",
    "arguments",
    "check_file",
    "check_shapes",
    "configuration_text",
    "convert_file",
    "find_benchmark",
    "find_converter",
    "lite_scheme",
    "shell_line",
    "what_to_get",
    "write_calibration",
]


__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
