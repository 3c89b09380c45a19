import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from gsjupyter.errors import EngineError
from gsjupyter.formats.lite.program import ProgramLimitError, run_program
from gsjupyter.interrupts import interruptible
from tests.formats.lite.fakes import program

HANGS_WITH_A_CHILD = "sleep 1000 & echo $! > child; echo begun; touch begun; sleep 1000"


@pytest.fixture
def run(tmp_path):
    def ran(body, **options):
        place = program(tmp_path / "converter_lite", body)
        settings = {"title": "converter_lite", "environment": dict(os.environ), "folder": tmp_path, "limit_s": 60.0}
        return run_program([str(place)], **{**settings, **options})

    return ran


def has_ended(number):
    """Say whether a process is gone, within a while: who adopts it must take note."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def test_a_program_tells_what_it_has_written_and_how_it_ended(run):
    ended = run("echo out; echo err >&2; exit 3")
    assert (ended.exit_code, ended.log) == (3, "out\nerr\n")
    assert 0 < ended.duration_s < 30


def test_it_runs_where_and_with_what_it_is_told(run, tmp_path):
    ended = run("pwd; echo $MARK", environment={"MARK": "here", "PATH": os.environ["PATH"]})
    assert ended.log.split() == [str(tmp_path.resolve()), "here"]


def test_a_signal_is_told_by_its_number(run):
    assert run("kill -ABRT $$").exit_code == -signal.SIGABRT


def test_much_to_read_loses_the_middle(run):
    ended = run(
        "echo first; i=0; while [ $i -lt 30 ]; do head -c 30000 /dev/zero | tr '\\0' a; i=$((i+1)); done; echo last"
    )
    assert len(ended.log) < 400_000
    assert ended.log.startswith("first\n")
    assert ended.log.endswith("last\n")
    assert "bytes left out" in ended.log


def test_bytes_that_are_no_text_do_no_harm(run):
    assert "\N{REPLACEMENT CHARACTER}" in run("printf '\\377\\376 done'").log


def test_a_program_that_hangs_is_ended_with_its_children(run, tmp_path):
    with pytest.raises(ProgramLimitError, match=r"converter_lite took more than 0\.5 s, and was ended\.") as caught:
        run(HANGS_WITH_A_CHILD, limit_s=0.5)
    assert caught.value.log == "begun\n"
    assert has_ended(int((tmp_path / "child").read_text()))


def test_what_a_program_leaves_running_is_ended_too(run, tmp_path):
    assert run("sleep 1000 & echo $! > child; exit 0").exit_code == 0
    assert has_ended(int((tmp_path / "child").read_text()))


def test_an_interrupt_ends_it_with_its_children(run, tmp_path):
    def interrupt():
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt), interruptible():
        run(HANGS_WITH_A_CHILD)
    assert has_ended(int((tmp_path / "child").read_text()))


def test_an_error_of_who_is_told_ends_it(run, tmp_path):
    def tell(elapsed_s, words):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(HANGS_WITH_A_CHILD, tell=tell)
    assert has_ended(int((tmp_path / "child").read_text()))


def test_it_is_told_every_second_how_far_the_program_is(run):
    told = []
    run("echo quantizing; sleep 1.4", tell=lambda elapsed_s, words: told.append((elapsed_s, words)))
    ((elapsed_s, words),) = told
    assert words == "quantizing"
    assert 1.0 <= elapsed_s < 1.4


def test_a_program_that_is_none_is_told(tmp_path):
    place = tmp_path / "converter_lite"
    place.write_bytes(b"\x7fELF nonsense")
    place.chmod(0o755)
    with pytest.raises(EngineError, match="converter_lite can't be started: Exec format error"):
        run_program([str(place)], title="converter_lite", environment={}, folder=Path(tmp_path), limit_s=5)
