from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from gsjupyter.engines.timed_runs import TimedRuns, timed, timed_once
from gsjupyter.errors import EngineError, InputError

X = np.arange(3, dtype=np.float32)


class Clock:
    """Time that passes only in runs, and, if asked to, a little at each look."""

    def __init__(self, *durations, looking_s=0.0):
        self.now, self.looks, self.runs = 0.0, 0, 0
        self.durations, self.looking_s = durations, looking_s

    def __call__(self):
        self.looks += 1
        self.now += self.looking_s
        return self.now

    def run(self):
        self.now += self.durations[self.runs % len(self.durations)]
        self.runs += 1
        return [X]


@pytest.mark.parametrize(
    ("duration_s", "least_runs", "count"),
    [(0, 1, 1), (0, 7, 7), (1, 1, 4), (1, 3, 4), (1, 9, 9), (0.25, 1, 1), (0.26, 1, 2), (0, 0, 0)],
)
def test_runs_go_on_until_both_are_reached(duration_s, least_runs, count):
    clock = Clock(0.25)
    durations = timed(clock.run, duration_s=duration_s, least_runs=least_runs, clock=clock)
    np.testing.assert_array_equal(durations, [0.25] * count)


def test_each_run_has_its_own_duration():
    clock = Clock(0.5, 0.25, 0.125)
    durations = timed(clock.run, least_runs=5, clock=clock)
    assert durations.dtype == np.float64
    np.testing.assert_array_equal(durations, [0.5, 0.25, 0.125, 0.5, 0.25])


def test_the_clock_is_looked_at_twice_a_run_and_nothing_else_is_counted():
    clock = Clock(1.0, looking_s=0.125)
    durations = timed(clock.run, least_runs=100, clock=clock)
    assert clock.looks == 200
    np.testing.assert_array_equal(durations, [1.125] * 100)


def test_outputs_are_let_go_of_after_the_clock_was_read():
    held = []

    class Output:
        pass

    def run():
        # The one before is gone when the next run begins.
        assert all(reference() is None for reference in held)
        output = Output()
        held.append(weakref.ref(output))
        return output

    def clock():
        alive.append(sum(reference() is not None for reference in held))
        return 0.0

    alive = []
    timed(run, least_runs=3, clock=clock)
    assert alive == [0, 1, 0, 1, 0, 1]


def test_no_garbage_is_collected_meanwhile_and_then_it_is_again():
    seen = []

    def run():
        seen.append(gc.isenabled())
        return [X]

    timed(run, least_runs=2)
    timed_once(run)
    assert seen == [False, False, False]
    assert gc.isenabled()
    gc.disable()
    try:
        timed(run)
        assert not gc.isenabled()
    finally:
        gc.enable()


def fails():
    raise ValueError("no kernel")


def test_garbage_is_collected_again_after_a_failure():
    with pytest.raises(ValueError, match="no kernel"):
        timed(fails)
    assert gc.isenabled()


def test_one_run_gives_its_output():
    clock = Clock(0.5)
    duration_s, outputs = timed_once(clock.run, clock=clock)
    assert duration_s == 0.5
    assert outputs[0] is X


@pytest.fixture
def commands():
    def bind(arrays):
        if not arrays:
            raise InputError("no input")
        return fails if arrays[0].size == 0 else lambda: [2 * array for array in arrays]

    return TimedRuns(bind, lambda error: EngineError(f"Echo can't run: {error}"))


def test_the_inputs_stay(commands):
    answer, outputs = commands.first_run([X])
    assert answer["duration_s"] > 0
    np.testing.assert_array_equal(outputs[0], 2 * X)
    assert commands.inputs[0] is X
    _, (durations,) = commands.timed([], duration_s=0.0, least_runs=4)
    assert durations.shape == (4,)


def test_an_engine_is_explained_and_our_own_errors_stay_as_they_are(commands):
    with pytest.raises(EngineError, match="Echo can't run: no kernel"):
        commands.first_run([X[:0]])
    with pytest.raises(EngineError, match="Echo can't run: no kernel"):
        commands.timed([], duration_s=0.0, least_runs=1)
    with pytest.raises(InputError, match="no input"):
        commands.first_run([])


def test_what_comes_before_its_time_is_refused(commands):
    with pytest.raises(EngineError, match="the model has no inputs yet"):
        commands.timed([], duration_s=0.0, least_runs=1)
    with pytest.raises(EngineError, match="nothing has been counted"):
        commands.resources([])
    commands.begin("cpu")
    assert commands.resources([])[0]["host_memory_bytes"] >= 0
