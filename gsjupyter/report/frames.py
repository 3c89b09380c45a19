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
    frame = pd.DataFrame([asdict(record) for record in records], columns=names).set_index("name")
    # Columns of numbers where some layer has none: NaN instead of None, so that they can be computed with.
    numeric = [name for name in frame if frame[name].map(_is_number_or_none).all()]
    return frame.astype(dict.fromkeys([name for name in numeric if frame[name].dtype == object], float))


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
