"""Benchmarks whose truth is known: rounds that resemble each other, launches that differ, and blocks far off."""

import math

import numpy as np

from gsjupyter.benchmarking.records import Block, Measurement, Setting


def autocorrelated(rng, shape, correlation):
    """Return normal noise of variance 1; along the last axis each value resembles the one before."""
    noise = rng.standard_normal(shape)
    for place in range(1, shape[-1]):
        noise[..., place] *= math.sqrt(1 - correlation**2)
        noise[..., place] += correlation * noise[..., place - 1]
    return noise


def simulated_logs(
    rng, rows, *, launches=3, rounds=10, noise=0.05, launch_sd=0.014, correlation=0.3, outliers=0.05, together=0.05
):
    """Return the log latency of each row's blocks, of shape (rows, launches, rounds), in seconds around 5 ms.

    `noise` and `launch_sd` are standard deviations of the log ratio of two rows, so each row has its share of them;
    `together` is what all rows of a round have in common, and `outliers` the share of blocks that are about 30 % off.
    """
    shape = (rows, launches, rounds)
    common = together * autocorrelated(rng, shape[1:], 0.7)
    own = noise / math.sqrt(2) * autocorrelated(rng, shape, correlation)
    launch = launch_sd / math.sqrt(2) * rng.standard_normal((*shape[:2], 1))
    disturbed = (rng.random(shape) < outliers) * np.abs(rng.normal(0.3, 0.1, shape))
    return math.log(0.005) + common + own + launch + disturbed


def setting(subject="net", **changes):
    known = {"engine": "onnxruntime", "target": "cpu", "batch": 1, "threads": 2, "host": "here"}
    return Setting(subject, **{**known, **changes})


def measured(runs_s, *, session="monday", **about):
    """Return the row with these durations, of shape (launches, rounds) or (launches, rounds, runs)."""
    runs_s = np.atleast_3d(runs_s)
    blocks = tuple(
        Block(session, launch, number, tuple(block.tolist()))
        for launch, rounds in enumerate(runs_s)
        for number, block in enumerate(rounds)
    )
    return Measurement(setting(**about), blocks=blocks)


def simulated(rng, rows=2, **about):
    """Return the rows of a benchmark in which all are equally fast, with one run in each block."""
    durations_s = np.exp(simulated_logs(rng, rows, **about))
    return [measured(row, subject=f"row {number}") for number, row in enumerate(durations_s)]
