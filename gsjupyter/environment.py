"""Is this environment one that works? Asked before MindSpore is imported, since its own failures don't say why."""

from gsjupyter.errors import UnsupportedError

_NUMPY_MAJOR = 1


def check_numpy(version: str) -> None:
    """Check that MindSpore can work with a version of numpy.

    Parameters
    ----------
    version : str
        As ``numpy.__version__`` has it.

    Raises
    ------
    UnsupportedError
        With numpy 2: MindSpore 2.10 imports with it, but fails later, at the first addition of a number to a Tensor.
    """
    if int(version.partition(".")[0]) > _NUMPY_MAJOR:
        raise UnsupportedError(
            f"numpy {version} is installed, and MindSpore up to 2.10 doesn't work with numpy 2.",
            advice='Run: pip install "numpy>=1.26,<2", then restart the kernel.',
        )
