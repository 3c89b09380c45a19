"""Records as a data frame, in one place: pandas is optional, and who lacks it is told what to do."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from gsjupyter.errors import UnsupportedError

if TYPE_CHECKING:
    import pandas as pd


def data_frame(records: Iterable[Any], kind: type) -> "pd.DataFrame":
    """Return records as a data frame, a row each, indexed by their names.

    Parameters
    ----------
    records : iterable
        Instances of `kind`.
    kind : type
        A dataclass with a field ``name``; its fields are the columns, also where there is no record.

    Raises
    ------
    UnsupportedError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise UnsupportedError("to_pandas needs pandas.", advice="pip install pandas") from error
    names = [field.name for field in fields(kind)]
    return pd.DataFrame([asdict(record) for record in records], columns=names).set_index("name")
