"""The part of ``mindspore_lite``'s Python interface that gsjupyter calls, for Python 3.10 and later.

The wheel on PyPI has its own for Python 3.7 alone. The names, arguments and errors here are those of that one, and what
they do is done by its engine, through plain C functions and ctypes.
"""

from mindspore_lite._engine import version
from mindspore_lite.context import Context
from mindspore_lite.converter import Converter, FmkType
from mindspore_lite.model import Model, ModelType
from mindspore_lite.tensor import DataType, Format, Tensor

__version__ = version()

__all__ = ["Context", "Converter", "DataType", "FmkType", "Format", "Model", "ModelType", "Tensor", "__version__"]
