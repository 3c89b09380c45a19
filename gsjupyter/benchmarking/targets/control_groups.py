"""What Linux lets this process have: without it, a container with two processors is taken for one with sixty-four.

The limits are those of control groups, version 1 or 2 [1]_: a group's own, and those of all groups around it.

.. [1] https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

_MOUNTED: Final = Path("/sys/fs/cgroup")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Limits:
    """What the control groups of this process allow.

    Parameters
    ----------
    processors : float, optional
        How many processors' time it gets; None if there is no limit.
    memory_bytes : int, optional
        How much memory it gets; None if there is no limit.
    """

    processors: float | None = None
    memory_bytes: int | None = None


def group_limits(mounted: Path = _MOUNTED, membership: Path = _MEMBERSHIP) -> Limits:
    """Return the limits of this process; none where there are no control groups.

    Parameters
    ----------
    mounted : Path
        Where the control groups are mounted.
    membership : Path
        The file that says which groups the process is in.
    """
    groups = list(_groups(mounted, membership))
    return Limits(_least(map(_processors, groups)), _least(map(_memory_bytes, groups)))


def _groups(mounted: Path, membership: Path) -> Iterator[Path]:
    """Yield the folders of the groups that this process is in, and of those around them."""
    for line in _text(membership).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        ours = sorted({"cpu", "memory"} & set(controllers.split(",")))
        # Several controllers of version 1 share a folder that is named after them all, in either order.
        places = ("", "unified") if number == "0" else (controllers, *ours) if ours else ()
        group = PurePosixPath(name.lstrip("/"))
        # Of a group outside its own namespace a process only sees that it is up there somewhere.
        inner = [] if ".." in group.parts else [group, *group.parents]
        for root in (mounted / place for place in places):
            yield from dict.fromkeys([*(root / step for step in inner), root])


def _processors(group: Path) -> float | None:
    quota, period = [*_words(group / "cpu.max"), "", ""][:2]
    if not quota:
        quota, period = ("".join(_words(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
    with suppress(ValueError, ArithmeticError):
        # Without a limit it is "max" in version 2, and -1 in version 1.
        return int(quota) / int(period) if int(quota) > 0 else None
    return None


def _memory_bytes(group: Path) -> int | None:
    limit = "".join(_words(group / "memory.max") or _words(group / "memory.limit_in_bytes"))
    with suppress(ValueError):
        # Without a limit it is "max" in version 2, and in version 1 more than any machine has.
        return int(limit)
    return None


def _words(file: Path) -> list[str]:
    return _text(file).split()


def _text(file: Path) -> str:
    """Return what is in a file, nothing if it can't be read; names of groups may be any bytes."""
    with suppress(OSError, ValueError):
        return os.fsdecode(file.read_bytes())
    return ""


def _least(values: Iterable[_Number | None]) -> _Number | None:
    return min((value for value in values if value is not None), default=None)
