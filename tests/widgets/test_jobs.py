"""Jobs without a kernel, where threads take the parts of a kernel's; `test_live_panel` has a real one."""

from __future__ import annotations

import queue
import threading
import time
import warnings

import pytest

from gsjupyter.errors import OptionError, UnsupportedError
from gsjupyter.interrupts import interruptible
from gsjupyter.progress import Steps, counted
from gsjupyter.widgets.jobs import Job, Jobs, in_words
from gsjupyter.widgets.kernel import Kernel
from gsjupyter.widgets.pace import Pace


class FakeKernel(Kernel):
    """A kernel whose loop is asked by hand: what other threads have for the main thread waits in it."""

    def __init__(self):
        super().__init__()
        self.asked = queue.Queue()
        self.is_there_now = True

    @property
    def is_there(self):
        return self.is_there_now

    @property
    def id(self):
        return "some-kernel"

    @property
    def hears_while_it_works(self):
        return not self.is_main_thread

    def in_main_thread(self, callback):
        callback() if self.is_main_thread else self.asked.put(callback)

    def turn(self):
        self.asked.get(timeout=10)()


@pytest.fixture
def kernel():
    return FakeKernel()


@pytest.fixture
def told():
    return []


@pytest.fixture
def jobs(kernel, told):
    return Jobs(kernel, told.append)


def elsewhere(action):
    thread = threading.Thread(target=action)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


def states(told):
    return [(task["kind"], task["state"]) for task in told]


def test_a_job_from_the_main_thread_runs_at_once_and_reports_what_it_found(jobs, told):
    found = []
    jobs.submit(Job("apply", lambda: 3, found.append))
    assert found == [3]
    assert states(told) == [("apply", "running"), ("apply", "done")]
    assert told[-1] == {
        "kind": "apply",
        "state": "done",
        "step": "",
        "done": 0,
        "total": None,
        "cancelled_by": "interrupt",
        "kernel_id": "some-kernel",
    }


def test_a_job_from_another_thread_waits_for_the_main_one_and_runs_there(jobs, kernel, told):
    where = []
    elsewhere(lambda: jobs.submit(Job("apply", threading.current_thread, where.append)))
    assert (where, states(told)) == ([], [("apply", "waiting")])
    assert told[-1]["cancelled_by"] == "message"
    kernel.turn()
    assert where == [threading.main_thread()]
    assert states(told) == [("apply", "waiting"), ("apply", "running"), ("apply", "done")]


def test_jobs_run_one_after_the_other_in_the_order_in_which_they_came(jobs, kernel, told):
    order = []
    for number in range(3):
        elsewhere(lambda number=number: jobs.submit(Job("sketch", lambda: number, order.append)))
    for _ in range(3):
        kernel.turn()
    assert order == [0, 1, 2]
    assert states(told).count(("sketch", "waiting")) == 3


def test_an_error_is_told_and_what_follows_still_runs(jobs, told):
    failures, found = [], []
    jobs.submit(Job("apply", lambda: 1 / 0, found.append, failures.append))
    assert [type(error) for error in failures] == [ZeroDivisionError]
    assert (found, told[-1]["state"]) == ([], "failed")
    assert jobs.run(Job("apply", lambda: 7)) == 7


def test_an_error_of_the_report_counts_as_the_jobs(jobs, told):
    failures = []
    jobs.submit(Job("apply", lambda: 1, lambda found: found / 0, failures.append))
    assert (len(failures), told[-1]["state"]) == (1, "failed")


def test_who_waits_for_a_job_gets_its_error(jobs):
    failures = []
    with pytest.raises(OptionError, match="no"):
        jobs.run(Job("apply", lambda: (_ for _ in ()).throw(OptionError("no")), failed=failures.append))
    assert len(failures) == 1


def test_a_job_within_a_job_is_refused(jobs):
    with pytest.raises(UnsupportedError, match=r"the panel is busy \(apply\)"):
        jobs.run(Job("apply", lambda: jobs.run(Job("export", lambda: 1))))
    assert jobs.run(Job("export", lambda: 1)) == 1


def test_a_job_that_waits_is_forgotten_when_it_is_cancelled(jobs, kernel, told):
    found = []
    elsewhere(lambda: jobs.submit(Job("apply", lambda: 1, found.append)))
    elsewhere(jobs.cancel)
    assert states(told) == [("apply", "waiting"), ("apply", "cancelled")]
    kernel.turn()
    assert (found, len(told)) == ([], 2)


def test_a_cancel_from_another_thread_stops_work_that_sleeps(jobs, told):
    failures, found = [], []

    def work():
        threading.Timer(0.05, jobs.cancel).start()
        time.sleep(30)

    began = time.monotonic()
    jobs.submit(Job("apply", work, found.append, failures.append))
    assert time.monotonic() - began < 10
    assert (found, told[-1]["state"]) == ([], "cancelled")
    assert isinstance(failures[0], KeyboardInterrupt)


def test_work_that_keeps_what_it_had_when_it_was_cancelled_reports_it(jobs, told):
    found = []

    def work():
        threading.Timer(0.05, jobs.cancel).start()
        # As the benchmark does.
        try:
            with interruptible():
                time.sleep(30)
        except KeyboardInterrupt:
            return "a part"

    jobs.submit(Job("benchmark", work, found.append))
    assert (found, told[-1]["state"]) == (["a part"], "cancelled")


def test_a_cancel_that_comes_when_the_work_has_ended_does_nothing(jobs, told):
    found = []

    def report(what):
        elsewhere(jobs.cancel)
        found.append(what)

    jobs.submit(Job("apply", lambda: 1, report))
    elsewhere(jobs.cancel)
    time.sleep(0.02)
    assert found == [1]


def test_cancelling_at_any_moment_ends_a_job_one_way_or_the_other_and_never_the_process(jobs, told):
    for number in range(60):
        timer = threading.Timer(number * 2e-4, jobs.cancel)
        timer.start()
        jobs.submit(Job("apply", lambda: sum(range(100_000))))
        timer.join()
        assert told[-1]["state"] in ("done", "cancelled")
    assert jobs.run(Job("apply", lambda: 5)) == 5


def test_progress_goes_to_the_task_and_not_to_a_line(jobs, told, capsys):
    steps = []

    def work():
        with Steps() as line:
            line.begin("calibrate")
        return list(counted(range(3), "measuring", "run"))

    jobs.submit(Job("measure", work, progress=steps.append))
    seen = [(task["step"], task["done"], task["total"]) for task in told if task["step"]]
    assert seen == [("calibrate", 0, None), *(("measuring", done, 3) for done in range(3))]
    assert steps == ["calibrate", "measuring", "measuring", "measuring"]
    assert told[-1]["step"] == ""
    assert capsys.readouterr() == ("", "")


def test_messages_are_few_and_a_burst_of_steps_is_seen():
    now_s = [0.0]
    pace = Pace(lambda: now_s[0])
    assert sum(pace.allows() for _ in range(100)) == 20
    for _ in range(1000):
        now_s[0] += 0.01
        pace.allows()
    now_s[0] += 0.2
    assert sum(pace.allows() for _ in range(100)) == 2


def test_the_output_of_work_goes_where_it_is_told(kernel, capsys):
    entered = []

    class Output:
        def __enter__(self):
            entered.append("in")

        def __exit__(self, *arguments):
            entered.append("out")

    jobs = Jobs(kernel, lambda task: None, Output)
    jobs.submit(Job("apply", lambda: entered.append("work")))
    assert entered == ["in", "work", "out"]
    # A cell that waits for it has an output of its own.
    jobs.run(Job("apply", lambda: entered.append("work")))
    assert entered == ["in", "work", "out", "work"]


def test_warnings_of_work_are_neither_lost_nor_errors_of_ours(jobs):
    with pytest.warns(UserWarning, match="mind"):
        jobs.submit(Job("apply", lambda: warnings.warn("mind", stacklevel=1)))


def test_errors_are_told_in_words_with_their_kind_where_they_are_not_ours():
    assert in_words(OptionError("no such", advice="Try.")) == ("no such", "Try.")
    assert in_words(ValueError("bad shape"))[0] == "ValueError: bad shape"
    assert in_words(AssertionError())[0] == "AssertionError"
