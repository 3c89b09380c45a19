from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gsjupyter.engines.worker import Worker, WorkerEndedError
from gsjupyter.errors import EngineError, InputError

MODULE = "tests.engines.echo_worker"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def worker():
    worker = Worker(MODULE, "Echo", opening=("remember", {"what": "the model"}))
    yield worker
    worker.close()


def is_there(process_id):
    """Say whether a process runs, or has ended and nobody has asked how."""
    return Path(f"/proc/{process_id}").exists()


def wait_until_ended(process_id):
    """Wait for a process that has lost its parent, and that nobody may ask how it ended."""
    deadline = time.monotonic() + 20
    while is_there(process_id) and "(zombie)" not in Path(f"/proc/{process_id}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def in_a_while(action, *arguments):
    timer = threading.Timer(0.3, action, arguments)
    timer.start()
    return timer


def test_arrays_of_all_kinds_come_back_as_they_were(worker, rng):
    numbers = rng.standard_normal((3, 4, 5))
    arrays = [
        *(numbers.astype(kind) for kind in ("float16", "float32", "float64", "int8", "uint8", "int64", "bool")),
        *(np.float32(3), np.zeros((0, 4), np.float32), np.zeros((), bool)),
        *(numbers.T, numbers[::2, ::-1], np.broadcast_to(np.float32(1), (2, 3))),
    ]
    _, results = worker.call("echo", arrays)
    for sent, received in zip(arrays, results, strict=True):
        assert (received.dtype, received.shape) == (np.asarray(sent).dtype, np.shape(sent))
        np.testing.assert_array_equal(received, sent)
        assert received.flags.writeable


def test_settings_come_back_as_they_were(worker):
    settings = {"name": "größer", "numbers": [1, 2.5, None], "nested": {"a": True}}
    assert worker.call("echo", **settings) == (settings, [])


def test_large_arrays_go_through(worker):
    large = np.arange(50_000_000, dtype=np.float32)
    _, (result,) = worker.call("echo", [large])
    assert result.nbytes == 200_000_000
    assert np.array_equal(result, large)


def test_an_error_of_ours_comes_back_as_it_is(worker):
    with pytest.raises(InputError) as raised:
        worker.call("refuse", message="too short", advice="Give more.")
    assert (raised.value.message, raised.value.advice) == ("too short", "Give more.")


def test_any_other_error_is_told_in_one_line_and_the_worker_lives_on(worker):
    before = worker.start()
    with pytest.raises(EngineError, match=r"^Echo failed: ValueError: first line$"):
        worker.call("fail", message="first line\nsecond line")
    assert worker.start() == before


def test_a_worker_runs_apart_from_the_notebook(worker):
    about, _ = worker.call("about", variable="OMP_NUM_THREADS")
    assert "mindspore" not in about["modules"]
    assert about["session"] == worker.process_id != os.getsid(0)


def test_threads_and_environment_are_set():
    worker = Worker(MODULE, "Echo", threads=3, environment={"COLOUR": "blue"})
    assert [worker.call("about", variable=name)[0]["variable"] for name in ("OMP_NUM_THREADS", "COLOUR")] == [
        "3",
        "blue",
    ]
    worker.close()


@pytest.mark.parametrize(
    ("number", "how"),
    [(signal.SIGKILL, r"was killed \(SIGKILL\), most likely because memory ran out"), (signal.SIGSEGV, "crashed")],
)
def test_a_worker_that_dies_is_told_and_the_next_call_starts_another(worker, number, how):
    first = worker.start()["process"]
    timer = in_a_while(os.kill, first, number)
    with pytest.raises(WorkerEndedError, match=f"the process of Echo {how}") as raised:
        worker.call("sleep", duration_s=60)
    timer.join()
    assert raised.value.exit_code == -number
    assert not is_there(first)
    assert worker.call("recall") == ({"what": "the model"}, [])
    assert worker.process_id != first


def test_one_that_died_between_two_calls_is_started_again(worker):
    first = worker.start()["process"]
    os.kill(first, signal.SIGKILL)
    time.sleep(0.1)
    assert worker.call("recall") == ({"what": "the model"}, [])


def test_the_last_words_of_a_worker_are_told_and_no_more(worker):
    with pytest.raises(WorkerEndedError, match=r"ended with exit code 7\. It said last: .*the end$") as raised:
        worker.call("end", words="x" * 1_000_000 + "\nnearly\nthe end\n", exit_code=7)
    assert len(str(raised.value)) < 600


def test_a_call_that_takes_too_long_is_ended(worker):
    first = worker.start()["process"]
    with pytest.raises(EngineError, match=r"Echo took more than 0\.2 s"):
        worker.call("sleep", limit_s=0.2, duration_s=60)
    assert not is_there(first)
    assert worker.call("echo", a=1) == ({"a": 1}, [])


def test_what_can_not_be_sent_leaves_the_next_call_alone(worker):
    with pytest.raises(TypeError):
        worker.call("echo", [np.array([object()])])
    assert worker.call("echo", a=1) == ({"a": 1}, [])


def test_an_opening_that_fails_is_raised_and_leaves_no_process():
    worker = Worker(MODULE, "Echo", opening=("refuse", {"message": "no such file", "advice": ""}))
    for _ in range(2):
        with pytest.raises(InputError, match="no such file"):
            worker.call("echo")
        assert worker.process_id is None


def test_a_worker_ends_with_its_object():
    worker = Worker(MODULE, "Echo", opening=("remember", {}))
    process = worker.start()["process"]
    del worker
    assert not is_there(process)


def test_nothing_is_left_of_a_worker_that_is_killed(worker):
    path = Path(worker.call("leave", data="half a model")[0]["path"])
    assert path.read_text() == "half a model"
    os.kill(worker.process_id, signal.SIGKILL)
    worker.close()
    assert not path.parent.exists()


def test_calls_from_threads_take_turns(worker):
    answers = {}

    def ask(number):
        for _ in range(20):
            answers[number] = worker.call("echo", [np.full(1000, number)])[1][0]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((answers[number] == number).all() for number in range(4))


_HOST = f"""
import os, sys
from gsjupyter.engines.worker import Worker
worker = Worker({MODULE!r}, "Echo", opening=("remember", {{}}))
print(worker.start()["process"], flush=True)
"""


def host(then, folder):
    """Start a process that has a worker, with a folder for temporary files; give it and the worker's id."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning", "-c", _HOST + then],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        start_new_session=True,
    )
    return process, int(process.stdout.readline())


def test_a_worker_ends_with_the_notebook(tmp_path):
    process, worker = host("", tmp_path)
    assert process.communicate(timeout=30) == ("", "")
    assert not is_there(worker)
    assert list(tmp_path.iterdir()) == []


_LEAVES_A_FORK = """
if os.fork() == 0:
    # It holds the notebook's end of the pipe for as long as the test does its own.
    sys.stdin.read()
    os._exit(0)
sys.stdin.read()
"""


@pytest.mark.parametrize("then", ["sys.stdin.read()", _LEAVES_A_FORK], ids=["alone", "with a fork that lives on"])
def test_a_worker_ends_when_the_notebook_is_killed(then, tmp_path):
    process, worker = host(then, tmp_path)
    time.sleep(0.2)
    process.kill()
    process.wait(30)
    wait_until_ended(worker)
    process.communicate(timeout=30)


_FORKS = """
if os.fork() == 0:
    worker = None
    sys.exit()
os.wait()
print(worker.start()["process"], worker.call("echo", a=1))
"""


def test_a_worker_does_not_end_with_a_fork_of_the_notebook(tmp_path):
    process, worker = host(_FORKS, tmp_path)
    assert process.communicate(timeout=30) == (f"{worker} ({{'a': 1}}, [])\n", "")


_IS_INTERRUPTED = """
try:
    worker.call("sleep", duration_s=60)
except KeyboardInterrupt:
    print("interrupted", worker.process_id, flush=True)
print(worker.call("echo", a=1))
"""


def test_an_interrupt_ends_the_call_and_the_next_one_works(tmp_path):
    process, worker = host(_IS_INTERRUPTED, tmp_path)
    time.sleep(0.3)
    begin = time.monotonic()
    # As a terminal or Jupyter does it: to all processes of the session's foreground.
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30) == ("interrupted None\n({'a': 1}, [])\n", "")
    assert time.monotonic() - begin < 10
    assert not is_there(worker)
