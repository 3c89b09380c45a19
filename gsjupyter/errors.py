"""The errors users meet, so that bad input is told in words instead of in somebody else's traceback.

Every message says what happened, where and why, and every error can carry what to do next (`advice`). The magics
print them without a traceback; from Python they are ordinary exceptions with one base class.
"""


class GsError(Exception):
    """Base class of everything gsjupyter raises on purpose.

    Parameters
    ----------
    message : str
        What happened, where, and why, in one or two lines.
    advice : str, optional
        What to do next. Printed on a line of its own.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class SourceError(GsError):
    """What was given is no network, or MindSpore can't turn it into a graph."""


class InputError(GsError):
    """An input doesn't fit the network: number, shape, or data type."""


class OptionError(GsError):
    """An option is unknown, or its value is out of range."""


class CalibrationError(GsError):
    """Calibration data is missing, empty, or not what the network takes."""


class ParameterError(GsError):
    """A parameter's values can't be used, NaN weights for example."""


class ModelFileError(GsError):
    """A file isn't the model it says it is: foreign, cut off, inconsistent, or hostile."""


class WriteError(GsError):
    """A file can't be written: it exists, the folder is closed, or the disk is full."""


class UnsupportedError(GsError):
    """The request is clear, but this network or version can't do it."""


class EngineError(GsError):
    """An engine failed to load or to run a model."""


class ResultFileError(GsError):
    """A saved benchmark can't be read: it is damaged, of a later version, or something else."""


class ClusterError(GsError):
    """The other machines can't be reached, or don't have what is needed."""


class TimeLimitError(GsError):
    """Work would take longer than was allowed.

    Parameters
    ----------
    message : str
        What would.
    estimated_s : float
        How long, in seconds.
    """

    def __init__(self, message: str, estimated_s: float) -> None:
        super().__init__(message)
        self.estimated_s = estimated_s
