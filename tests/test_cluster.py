import errno
import json
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from gsjupyter.cluster import (
    Call,
    Cluster,
    Host,
    InterruptedCallError,
    LostEngineError,
    Task,
    calls,
    connected,
    connection,
    engine_folder,
    pump,
    run_tasks,
    watch,
)
from gsjupyter.errors import ClusterError, WriteError
from tests.local_cluster import local_cluster, wait_until

pytestmark = pytest.mark.slow
ABOUT = Call(connection.__name__, "describe_engine")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with local_cluster(tmp_path_factory.mktemp("ipython")) as cluster:
        yield cluster


@pytest.fixture
def pair(lab):
    """Two engines, as the cluster that a notebook would find."""
    lab.engines(2)
    with connected(lab.client) as cluster:
        yield cluster


def each_on_its_own(cluster):
    """Take each engine for a machine of its own."""
    return [Host(f"host-{number}", str(number), (number,)) for host in cluster.hosts for number in host.engines]


def folders():
    return sorted(Path(tempfile.gettempdir()).glob("*gsjupyter-engine-*"))


def refused(cluster, **settings):
    with pytest.raises(ClusterError) as failure, connected(cluster, **settings):
        pass
    return failure.value


def ask():
    return json.loads((yield ABOUT))


def hanging():
    """Read a pipe that nobody writes to."""
    token = yield Call(engine_folder.__name__, "make_folder")
    os.mkfifo(Path(tempfile.gettempdir(), f"gsjupyter-engine-{token}", "files", "pipe"))
    try:
        yield Call(engine_folder.__name__, "check", (token, "pipe", ""))
    except ClusterError:
        yield engine_folder.cleared(token)
        raise


def test_engines_of_a_machine_are_one_host(lab):
    numbers = lab.engines(2)
    with connected(lab.profile) as cluster:
        (host,) = cluster.hosts
        assert set(numbers) <= set(host.engines)
        assert host.name == os.uname().nodename
        assert cluster.notes == ()


def test_machines_of_one_name_are_told_apart():
    places = {("node", "a"): [0], ("node", "b"): [1, 2], ("node-2", "c"): [3], ("node", "d"): [4]}
    assert [(host.name, host.engines) for host in connection._hosts(places)] == [
        ("node", (0,)),
        ("node-3", (1, 2)),
        ("node-2", (3,)),
        ("node-4", (4,)),
    ]


def test_a_client_that_was_given_stays_open(pair, lab):
    with connected(lab.client):
        pass
    assert lab.client[pair.hosts[0].engines[0]].apply_sync(os.getpid) > 0


def test_what_is_called_is_found_by_name_and_answers_in_text(pair):
    (outcome,), is_whole = run_tasks(pair, [Task(pair.hosts[0], ask)])
    assert is_whole
    assert outcome.result["version"] == version("gsjupyter")


def test_code_of_others_is_not_called(pair):
    def steps():
        return (yield Call("os", "getcwd"))

    (outcome,), _ = run_tasks(pair, [Task(pair.hosts[0], steps)])
    assert "os is none of gsjupyter's modules" in outcome.error.message


def test_an_error_of_ours_arrives_as_it_was_raised(pair):
    def steps():
        return (yield Call(engine_folder.__name__, "check", ("0" * 16, "x", "")))

    (outcome,), _ = run_tasks(pair, [Task(pair.hosts[0], steps)])
    assert type(outcome.error) is ClusterError
    assert outcome.error.message == "this engine has no such folder."


def test_files_arrive_as_they_were_and_leave_nothing(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(engine_folder, "PIECE_BYTES", 1000)
    (tmp_path / "weights").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "empty").write_bytes(b"")
    files = {"0/net_variables/data_0": tmp_path / "weights", "0/empty": tmp_path / "empty"}

    def steps():
        token = yield from engine_folder.sent(files)
        place = Path(tempfile.gettempdir(), f"gsjupyter-engine-{token}", "files")
        found = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        yield engine_folder.cleared(token)
        return found

    (outcome,), _ = run_tasks(pair, [Task(pair.hosts[0], steps)])
    assert outcome.result == {name: path.read_bytes() for name, path in files.items()}
    assert folders() == []


def test_hosts_work_at_the_same_time_and_a_machine_does_one_thing_after_the_other(pair):
    one, other = each_on_its_own(pair)[:2]
    begun = []

    def steps(name):
        begun.append(name)
        yield ABOUT
        begun.append(f"{name} again")
        yield ABOUT

    tasks = [Task(host, lambda name=name: steps(name)) for host, name in ((one, "a"), (one, "b"), (other, "c"))]
    outcomes, _ = run_tasks(pair, tasks)
    assert len(outcomes) == 3
    assert begun[:2] == ["a", "c"]
    assert begun.index("b") > begun.index("a again")


def test_an_interrupt_reaches_the_engines_and_later_tasks_do_not_begin(pair):
    begun = []

    def steps():
        begun.append(True)
        threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,)).start()
        return (yield from hanging())

    outcomes, is_whole = run_tasks(pair, [Task(pair.hosts[0], steps)] * 2)
    assert not is_whole
    assert len(begun) == len(outcomes) == 1
    assert isinstance(outcomes[0].error, InterruptedCallError)
    assert folders() == []


def test_an_answer_that_an_interrupt_takes_along_is_not_waited_for(pair, monkeypatch):
    start = Call.start

    def unanswered(call, client, engine):
        started = start(call, client, engine)
        if call.function != "check":
            return started
        never = Future()
        never.data = {}
        return never

    monkeypatch.setattr(Call, "start", unanswered)
    test_an_interrupt_reaches_the_engines_and_later_tasks_do_not_begin(pair)


def test_a_fault_of_ours_stops_the_engines(pair, monkeypatch):
    monkeypatch.setattr(pump, "_REMIND_S", 0.5)
    one, other = each_on_its_own(pair)[:2]

    def faulty():
        while not any(folder.joinpath("files", "pipe").exists() for folder in folders()):
            yield ABOUT
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_tasks(pair, [Task(one, hanging), Task(other, faulty)])
    assert folders() == []
    assert run_tasks(pair, [Task(one, ask)])[0][0].error is None


def test_a_controller_that_falls_silent_takes_nobody_along(pair, lab, monkeypatch):
    monkeypatch.setattr(watch, "ASK_S", 0.1)
    monkeypatch.setattr(watch, "SILENCE_S", 0.5)
    assert pair.watched

    def steps():
        lab.signal_controller(signal.SIGSTOP)
        return (yield ABOUT)

    try:
        (outcome,), _ = run_tasks(pair, [Task(Host("solo", "solo", pair.hosts[0].engines[:1]), steps)])
    finally:
        lab.signal_controller(signal.SIGCONT)
    assert isinstance(outcome.error, LostEngineError)


def test_another_version_on_an_engine_is_told_with_both(lab, monkeypatch):
    (engine,) = lab.engines(1)[:1]
    monkeypatch.setattr(connection, "_VERSION", "9.9")
    error = refused(lab.client)
    where = f"on host {os.uname().nodename} (engine {engine}); here it is version 9.9."
    assert error.message == f"gsjupyter is version {version('gsjupyter')} {where}"
    assert "pip install gsjupyter==9.9" in error.advice


def test_engines_at_other_work_are_left_out(lab):
    busy, free = lab.engines(2)[:2]
    others = [lab.client[busy].apply_async(time.sleep, 600)]
    try:
        with connected(lab.client, limit_s=3.0) as cluster:
            assert [host.engines for host in cluster.hosts] == [(free,)]
        assert cluster.notes == (f"Engine {busy} was left out: it didn't answer within 3 s.",)
        others.append(lab.client[free].apply_async(time.sleep, 600))
        assert refused(lab.client, limit_s=0.5).message == "no engine of the cluster answered within 0.5 s."
    finally:
        # An engine that hasn't begun yet ignores it.
        wait_until(lambda: all(work.done() for work in others) or lab.client.send_signal("SIGINT", block=True))


def test_a_cluster_without_engines_says_so(tmp_path):
    with local_cluster(tmp_path) as cluster:
        error = refused(cluster.profile, limit_s=2.0)
    assert error.message == "the cluster of profile lab has no engine."
    assert "ipengine" in error.advice


def test_a_profile_that_is_not_there_is_told_with_those_that_are(lab):
    error = refused("gpus")
    assert re.fullmatch(r"there is no IPython profile gpus in .*ipython\d \(there: .*\blab\b.*\)\.", error.message)
    assert error.advice == "Start it: ipcluster start --profile=gpus --n=1"


def test_a_profile_whose_cluster_does_not_run_is_told_how_to_start_it(lab):
    Path(os.environ["IPYTHONDIR"], "profile_idle", "security").mkdir(parents=True)
    error = refused("idle")
    assert str(error) == "no cluster of profile idle runs.\nStart it: ipcluster start --profile=idle --n=1"


def test_a_file_that_a_cluster_has_left_is_told_in_words(lab):
    folder = Path(os.environ["IPYTHONDIR"])
    left = json.loads((folder / "profile_lab" / "security" / "ipcontroller-client.json").read_text())
    security = folder / "profile_left" / "security"
    security.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        left["registration"] = nobody.getsockname()[1]
        (security / "ipcontroller-client.json").write_text(json.dumps(left))
        assert refused("left", limit_s=0.3).message.startswith("the cluster of profile left doesn't answer: ")
    (security / "ipcontroller-client.json").write_text("{}")
    assert refused("left", limit_s=0.3).message.startswith("the cluster of profile left doesn't answer: ")


def test_what_is_no_cluster_is_refused():
    assert refused(3).message == "a cluster is an ipyparallel.Client or the name of a profile, not of type int."


def test_who_lacks_ipyparallel_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipyparallel", None)
    assert refused("lab").advice == "pip install 'gsjupyter[cluster]'"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "a\\..\\x", "a\0b"])
def test_no_name_leads_out_of_the_folder(name):
    token = engine_folder.make_folder()
    try:
        with pytest.raises(ClusterError, match="is no name for a file"):
            engine_folder.receive(token, name, 0, b"x")
    finally:
        engine_folder.remove_folder(token)


def test_a_piece_that_is_missing_or_changed_is_noticed():
    token = engine_folder.make_folder()
    try:
        engine_folder.receive(token, "net.onnx", 0, b"one")
        with pytest.raises(ClusterError, match=r"a piece of net\.onnx got lost"):
            engine_folder.receive(token, "net.onnx", 6, b"three")
        with pytest.raises(ClusterError, match=r"net\.onnx changed on its way"):
            engine_folder.check(token, "net.onnx", "0" * 64)
        with pytest.raises(WriteError, match="can't be written"):
            engine_folder.receive(token, "net.onnx/beside", 0, b"x")
    finally:
        engine_folder.remove_folder(token)


def test_a_file_that_is_gone_is_an_error_in_words_and_leaves_no_folder(tmp_path):
    steps = engine_folder.sent({"net.onnx": tmp_path / "gone.onnx"})
    assert next(steps).function == "make_folder"
    assert steps.send("token") == engine_folder.cleared("token")
    with pytest.raises(ClusterError, match=r"gone\.onnx can't be read, .* No such file or directory"):
        steps.send("")


def test_a_folder_in_use_stays_and_a_forgotten_one_goes(monkeypatch):
    first = engine_folder.make_folder()
    second = engine_folder.make_folder()
    assert len(folders()) == 2
    monkeypatch.setattr(engine_folder, "_FORGOTTEN_S", -1.0)
    third = engine_folder.make_folder()
    assert [path.name[-16:] for path in folders()] == [third]
    for token in (first, second, third):
        engine_folder.remove_folder(token)


def test_what_an_engine_says_is_not_taken_on_trust():
    class Answer(Future):
        def get(self, _):
            return self.result()

    for answer in (b"bytes", ("", "text"), ("", {"a": 1}, ""), None):
        future = Answer()
        future.set_result(answer)
        with pytest.raises(ClusterError, match="engine 3 answered what gsjupyter never says"):
            calls.answer_of(future, 3)


def test_a_lost_engines_work_is_done_again_by_another(lab):
    lab.engines(2)
    told = []
    with connected(lab.client) as cluster:
        victim, heir = cluster.hosts[0].engines[:2]
        process = lab.process_of(victim)

        def steps():
            if not told:
                threading.Timer(0.5, os.kill, (process, signal.SIGKILL)).start()
                yield from hanging()
            token = yield Call(engine_folder.__name__, "make_folder")
            answer = yield ABOUT
            yield engine_folder.cleared(token)
            return answer

        (outcome,), is_whole = run_tasks(cluster, [Task(cluster.hosts[0], steps)], lambda host, text: told.append(text))
    assert is_whole
    assert (outcome.lost, outcome.error) == ((victim,), None)
    assert json.loads(outcome.result)["host"] == os.uname().nodename
    assert told == [f"engine {victim} was lost: it ended, or can't be reached any more."]
    assert folders() == [], "the heir clears away what the lost engine has left"
    assert heir in lab.client.ids


def test_an_engine_without_gsjupyter_is_told_with_its_host(lab):
    (victim,) = lab.engines(1)[:1]
    forget = "import sys; sys.modules.update({name: None for name in sys.modules if name.startswith('gsjupyter')})"
    lab.client[victim].execute(forget + "; sys.modules['gsjupyter'] = None", block=True)
    error = refused(lab.client)
    assert "isn't installed, or too old to be asked," in error.message
    assert f" on host {os.uname().nodename} (engine {victim})" in error.message


def test_with_the_last_engine_the_task_is_lost(lab):
    for victim in lab.engines(1):
        lab.kill(victim)
    host = Host("solo", "solo", (1, 2))
    (outcome,), is_whole = run_tasks(Cluster(lab.client, (host,)), [Task(host, ask)])
    assert is_whole
    assert isinstance(outcome.error, LostEngineError)
    assert outcome.error.message == "no engine is left on host solo (it had 1, 2)."


def test_a_folder_that_can_not_be_locked_leaves_nothing(monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(engine_folder.fcntl, "flock", refuse)
    before = folders(), psutil.Process().num_fds()
    with pytest.raises(WriteError, match="No locks available"):
        engine_folder.make_folder()
    assert (folders(), psutil.Process().num_fds()) == before
