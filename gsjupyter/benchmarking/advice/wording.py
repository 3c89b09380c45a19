"""How findings write names, durations and shares: one place, so that two rules don't say the same in two ways."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from gsjupyter.report import printable

_NAMES: Final = 4


def listed(names: Iterable[str], most: int = _NAMES) -> str:
    """Return names in a row, the first few where there are many; each once, and without what can't be printed."""
    unique = list(dict.fromkeys(printable(name) for name in names if name))
    if len(unique) > most + 1:
        return f"{', '.join(unique[:most])} and {len(unique) - most} more"
    return ", ".join(unique)


def counted(names: Iterable[str]) -> str:
    """Return kinds with how often each occurs, the commonest first: ``19 HardSwish, 9 Mul``."""
    return ", ".join(f"{count} {printable(name)}" for name, count in Counter(names).most_common(_NAMES))


def plural(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def is_or_are(count: int) -> str:
    """Return the verb that goes with a number."""
    return "is" if count == 1 else "are"


def percent(share: float) -> str:
    """Return a share in percent, as tables write it."""
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def times(factor: float) -> str:
    """Return how many times as fast: ``1.33x`` below 2, ``3.4x`` above, ``17x`` above ten."""
    return f"{factor:.2f}x" if factor < 2 else f"{factor:.1f}x" if factor < 9.95 else f"{factor:.0f}x"


def capitalized(text: str) -> str:
    """Return a text as the beginning of a sentence; names in it keep their letters."""
    return text[:1].upper() + text[1:]


def measured_gain(factor: float, row: str) -> str:
    """Return the gain that another row of the same benchmark shows."""
    return f"about {times(factor)}, as {row} shows in this benchmark"


def gain_of_share(share: float | None) -> str:
    """Return the most that can be gained from operators with a share of the time; nothing if that isn't known."""
    if share is None or not 0.005 < share < 0.995:
        return ""
    return f"at most {times(1 / (1 - share))}, as that takes {percent(share)} of the operators' time"
