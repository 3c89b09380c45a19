"""Why a conversion failed, in words: the converter itself says it in the middle of its log, or not at all."""

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gsjupyter.errors import EngineError, ModelFileError, UnsupportedError
from gsjupyter.formats.lite.causes import CAUSES, Cause
from gsjupyter.formats.lite.file import check_file
from gsjupyter.formats.lite.installation import Installation
from gsjupyter.formats.lite.log import (
    first_error,
    lacking_operators,
    place_of_error,
    says_failure,
    says_success,
)
from gsjupyter.formats.lite.program import Ended, ProgramLimitError

_LISTED: Final = 6
_NO_CAUSE: Final = "Export a bundle (--bundle), and run its convert.sh by hand, with GLOG_v=1 set for a longer log."


class ConversionError(EngineError):
    """The converter failed, crashed, or wrote what is no model.

    Parameters
    ----------
    message, advice : str
        As in every error.
    log : str
        What the converter has written.
    """

    def __init__(self, message: str, *, advice: str = "", log: str = "") -> None:
        super().__init__(message, advice=advice)
        self.log = log


class MissingOperatorError(UnsupportedError):
    """The converter lacks operators that the network has.

    Parameters
    ----------
    message, advice : str
        As in every error.
    operators : tuple of str
        Which.
    log : str
        What the converter has written.
    """

    def __init__(self, message: str, *, advice: str = "", operators: tuple[str, ...] = (), log: str = "") -> None:
        super().__init__(message, advice=advice)
        self.operators = operators
        self.log = log


@dataclass(frozen=True)
class _Attempt:
    """A conversion that has ended."""

    ended: Ended
    title: str
    model: str
    file: Path

    def error(self, what: str, advice: str = "") -> ConversionError:
        return ConversionError(what, advice=advice, log=self.ended.log)


def check_conversion(ended: Ended, installation: Installation, file: Path, model: Path) -> str:
    """Check that a conversion has succeeded, and return what the file says has written it.

    Releases differ in what they end with and what they say: it has when it ended well, didn't say that it failed, and
    left a whole model. Errors in the log alone mean nothing.

    Parameters
    ----------
    ended : Ended
        How the converter ended.
    installation : Installation
        What it is.
    file : Path
        Where its output is to be.
    model : Path
        What it was given.

    Raises
    ------
    ConversionError, MissingOperatorError
        If it hasn't.
    """
    attempt = _Attempt(ended, installation.title, model.name, file)
    if ended.exit_code != 0 or says_failure(ended.log):
        raise _failure(attempt)
    if not file.is_file():
        raise _nothing_written(attempt)
    try:
        return check_file(file)
    except ModelFileError as error:
        raise attempt.error(
            f"{attempt.title} ended as if all were well, but wrote nonsense: {error.message.rstrip('.')}.",
            "Is the disk full? If not, this is no converter of MindSpore Lite, or a damaged one.",
        ) from error


def over_limit(error: ProgramLimitError, model: Path) -> ConversionError:
    """Return the error for a conversion that took too long.

    Parameters
    ----------
    error : ProgramLimitError
        As it was raised.
    model : Path
        What was to be converted.
    """
    said = first_error(error.log)
    return ConversionError(
        f"{error.message.rstrip('.')}: {model.name} isn't converted.{_said(said)}",
        advice="Quantization by Lite takes the longer, the more calibration data there is: give fewer batches. Or "
        "export a bundle (--bundle), and run its convert.sh by hand, which has no limit.",
        log=error.log,
    )


def _failure(attempt: _Attempt) -> EngineError | UnsupportedError:
    log = attempt.ended.log
    lacking = lacking_operators(log)
    if lacking:
        return _missing_operators(attempt, lacking)
    for cause in CAUSES:
        match = cause.pattern.search(log)
        if match is not None:
            return _explained(attempt, cause, match)
    return _unexplained(attempt)


def _missing_operators(attempt: _Attempt, lacking: tuple[str, ...]) -> MissingOperatorError:
    log = attempt.ended.log
    named = ", ".join(lacking[:_LISTED]) + (f" and {len(lacking) - _LISTED} more" if len(lacking) > _LISTED else "")
    place = place_of_error(log)
    where = f" (layer {place.layer})" if place is not None and place.layer else ""
    return MissingOperatorError(
        f"{attempt.title} can't convert {attempt.model}: it has no operator {named}{where}.",
        advice="Write that part of the network with other operators, or take a newer MindSpore Lite. An .onnx file may "
        "do: ONNX Runtime runs on devices, too.",
        operators=lacking,
        log=log,
    )


def _explained(attempt: _Attempt, cause: Cause, match: re.Match[str]) -> ConversionError:
    place = place_of_error(attempt.ended.log) if cause.names_operator else None
    where = f" ({place})" if place is not None else ""
    reason = cause.reason(match)
    return attempt.error(f"{attempt.title} can't convert {attempt.model}: {reason}{where}.", cause.advice)


def _unexplained(attempt: _Attempt) -> ConversionError:
    ended = attempt.ended
    place = place_of_error(ended.log)
    where = f" at {place}" if place is not None else ""
    said = _said(first_error(ended.log))
    if ended.exit_code == -signal.SIGKILL:
        return attempt.error(
            f"{attempt.title} was killed (SIGKILL) at {attempt.model}, most likely because memory ran out.{said}",
            "Close what else uses memory, or convert on a larger machine.",
        )
    if ended.exit_code < 0:
        how = f"crashed{where} ({ended.signal_name})"
    elif ended.exit_code:
        how = f"failed{where} (exit code {ended.exit_code})"
    elif says_success(ended.log):
        how = f"failed{where}"
    else:
        how = f"says that it failed{where}, although it ended without an error"
    return attempt.error(f"{attempt.title} {how}: {attempt.model} isn't converted.{said}", _NO_CAUSE)


def _nothing_written(attempt: _Attempt) -> ConversionError:
    others = sorted(file.name for file in attempt.file.parent.iterdir() if file.is_file())
    if any(name.endswith(".mindir") for name in others):
        return attempt.error(
            f"{attempt.title} wrote a MindIR instead of a .ms file ({', '.join(others[:_LISTED])}).",
            "That is a build for servers, which takes no --saveType: get the release for devices.",
        )
    claim = "says that it succeeded" if says_success(attempt.ended.log) else "ended as if all were well"
    said = _said(first_error(attempt.ended.log))
    return attempt.error(f"{attempt.title} {claim}, but wrote no file.{said}", _NO_CAUSE)


def _said(words: str) -> str:
    return f" It said: {words.rstrip('.')}." if words else ""
