"""The connection to a cluster and the machines its engines run on: who can't be reached is told why, and what to do."""

import itertools
import json
import platform
import socket
import time
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gsjupyter.cluster.calls import Call, answer_of
from gsjupyter.cluster.watch import send_signal
from gsjupyter.errors import ClusterError

if TYPE_CHECKING:
    from ipyparallel import Client

CONNECT_S: Final = 20.0
"""How long a cluster and each of its engines may take to answer at first."""

_WATCH_S: Final = 3.0
_VERSION: Final = version("gsjupyter")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_ABOUT: Final = ("host", "machine", "version")


@dataclass(frozen=True)
class Host:
    """A machine of a cluster, or a container on one.

    Parameters
    ----------
    name : str
        Its name, which no other host of the cluster has.
    machine : str
        What tells the machine from others: hosts that share it share the hardware.
    engines : tuple of int
        The numbers of the engines that run there.
    """

    name: str
    machine: str
    engines: tuple[int, ...]


@dataclass(frozen=True)
class Cluster:
    """A cluster that answers.

    Parameters
    ----------
    client : ipyparallel.Client
        The connection.
    hosts : tuple of Host
        Where its engines run, each with this version of gsjupyter.
    notes : tuple of str
        Which engines were left out, and why.
    watched : frozenset of int
        The engines that something watches over beside them, and answers for them while they work.
    """

    client: Any
    hosts: tuple[Host, ...]
    notes: tuple[str, ...] = ()
    watched: frozenset[int] = frozenset()


def describe_engine() -> str:
    """Return in JSON which host, machine and version of gsjupyter an engine has."""
    machine = _BOOT.read_text("ascii").strip() if _BOOT.is_file() else platform.node()
    return json.dumps({"host": socket.gethostname(), "machine": machine, "version": _VERSION})


@contextmanager
def connected(cluster: "Client | str", *, limit_s: float = CONNECT_S) -> Iterator[Cluster]:
    """Connect to a cluster, and ask its engines where they are.

    Parameters
    ----------
    cluster : ipyparallel.Client or str
        A connection, which stays open, or the name of a profile whose cluster runs.
    limit_s : float
        How long the cluster may take to answer, and then its engines.

    Yields
    ------
    Cluster
        The cluster.

    Raises
    ------
    ClusterError
        If ipyparallel isn't installed, there is no such profile, its cluster doesn't run, it has no engine, none
        answers, or one lacks this version of gsjupyter.
    """
    try:
        import ipyparallel
    except ImportError as error:
        raise ClusterError(
            f"a cluster needs ipyparallel, which can't be imported: {error}", advice="pip install 'gsjupyter[cluster]'"
        ) from error
    if isinstance(cluster, ipyparallel.Client):
        yield _asked(cluster, "the cluster", limit_s)
    elif isinstance(cluster, str):
        client = _client_of(cluster, limit_s)
        try:
            yield _asked(client, f"the cluster of profile {cluster}", limit_s)
        finally:
            client.close(linger=0)
    else:
        raise ClusterError(
            f"a cluster is an ipyparallel.Client or the name of a profile, not of type {type(cluster).__name__}."
        )


def _client_of(profile: str, limit_s: float) -> Any:
    from ipyparallel import Client

    path = _connection_file(profile)
    try:
        return Client(str(path), timeout=limit_s)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # A controller that ended badly leaves its file.
        raise ClusterError(
            f"the cluster of profile {profile} doesn't answer: {error or type(error).__name__} ({path}).",
            advice=_start(profile),
        ) from error


def _start(profile: str) -> str:
    return f"Start it: ipcluster start --profile={profile} --n=1"


def _connection_file(profile: str) -> Path:
    """Return the file with a running cluster's addresses and key."""
    from IPython.core.profileapp import list_profiles_in
    from IPython.core.profiledir import ProfileDir, ProfileDirError
    from IPython.paths import get_ipython_dir

    folder = get_ipython_dir()
    try:
        found = ProfileDir.find_profile_dir_by_name(folder, profile)  # type: ignore[no-untyped-call]  # likewise
    except ProfileDirError:
        profiles = list_profiles_in(folder)  # type: ignore[no-untyped-call]  # IPython has no types here
        known = ", ".join(sorted(profiles)) or "none"
        raise ClusterError(
            f"there is no IPython profile {profile} in {folder} (there: {known}).", advice=_start(profile)
        ) from None
    security = Path(found.security_dir)
    files = sorted(security.glob("ipcontroller-*client.json"))
    usual = security / "ipcontroller-client.json"
    if usual in files or len(files) == 1:
        return usual if usual in files else files[0]
    if files:
        raise ClusterError(
            f"profile {profile} has {len(files)} clusters: {', '.join(path.name for path in files)}.",
            advice="Connect to one of them, and give the client: ipyparallel.Client(path)",
        )
    raise ClusterError(f"no cluster of profile {profile} runs.", advice=_start(profile))


def _asked(client: Any, title: str, limit_s: float) -> Cluster:
    """Ask each engine where it is."""
    deadline = time.monotonic() + limit_s
    while not client.ids and time.monotonic() < deadline:
        time.sleep(0.1)
    started = {engine: Call(__name__, describe_engine.__name__).start(client, engine) for engine in client.ids}
    signs = {engine: send_signal(client, engine, 0) for engine in started}
    if not started:
        raise ClusterError(
            f"{title} has no engine.", advice="Start one on each machine: ipengine, or ipcluster engines"
        )
    wait(started.values(), max(deadline - time.monotonic(), 0.2 * limit_s))
    notes, places = [], dict[tuple[str, str], list[int]]()
    for engine, answer in started.items():
        if answer.done():
            places.setdefault(_place_of(client, engine, answer), []).append(engine)
        else:
            answer.abort()
            notes.append(f"Engine {engine} was left out: it didn't answer within {limit_s:g} s.")
    if not places:
        raise ClusterError(
            f"no engine of {title} answered within {limit_s:g} s.",
            advice="They may be at other work: wait for it, or interrupt it.",
        )
    # Usually they were quicker than the engines themselves.
    wait(signs.values(), _WATCH_S)
    watched = frozenset(engine for engine, sign in signs.items() if sign.done())
    return Cluster(client, tuple(_hosts(places)), tuple(notes), watched)


def _place_of(client: Any, engine: int, answer: Any) -> tuple[str, str]:
    """Return the name and the machine of an engine's host."""
    failure = answer.exception()
    if getattr(failure, "ename", "") in ("ModuleNotFoundError", "ImportError", "AttributeError"):
        # It can't even be asked: it has no gsjupyter, or one from before there were clusters.
        raise _lacking(engine, _host_name(client, engine), "isn't installed, or too old to be asked,")
    about = _read(answer_of(answer, engine), engine)
    if about["version"] != _VERSION:
        raise _lacking(engine, about["host"], f"is version {about['version']}")
    return about["host"], about["machine"]


def _read(text: str, engine: int) -> dict[str, str]:
    with suppress(ValueError):
        about = json.loads(text)
        if isinstance(about, dict) and all(isinstance(about.get(key), str) for key in _ABOUT):
            return {key: "".join(filter(str.isprintable, about[key]))[:100] for key in _ABOUT}
    raise ClusterError(f"engine {engine} doesn't say where it is.")


def _host_name(client: Any, engine: int) -> str:
    # A function in C is sent by its name, so that the engine needs nothing of ours.
    asked = client.direct_view(engine, block=False).apply_async(socket.gethostname)
    wait([asked], CONNECT_S)
    return str(asked.result()) if asked.done() and asked.exception() is None else "unknown"


def _lacking(engine: int, host: str, what: str) -> ClusterError:
    return ClusterError(
        f"gsjupyter {what} on host {host} (engine {engine}); here it is version {_VERSION}.",
        advice=f"Install it there, and start the engine again: pip install gsjupyter=={_VERSION}",
    )


def _hosts(places: dict[tuple[str, str], list[int]]) -> Iterator[Host]:
    taken = {name for name, _ in places}
    seen: set[str] = set()
    for (name, machine), engines in sorted(places.items(), key=lambda item: item[1]):
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        # Another machine may really have the name with a number.
        unique = name if name not in seen else next(other for other in numbered if other not in taken | seen)
        seen.add(unique)
        yield Host(unique, machine, tuple(engines))
