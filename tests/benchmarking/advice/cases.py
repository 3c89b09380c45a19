"""Rows for rules to judge: real files, and durations that say what a test is about whatever machine it runs on."""

from __future__ import annotations

import zlib

import numpy as np

from gsjupyter.benchmarking.advice import Evidence, MachineFacts, NetworkFiles
from gsjupyter.benchmarking.records import Block, Launch, Machine, Measurement, OperatorTime, Setting

X86 = Machine("here", "Linux", "AMD EPYC", 2, 8 << 30, ("avx2", "avx512f", "avx512_vnni"))
_KNOWN = {}
ARM = Machine("here", "Linux", "Neoverse", 2, 8 << 30, ("asimd", "asimdhp", "dotprod"))


def row(subject, *, median_s=1e-3, load_s=0.01, first_run_s=None, operators=(), batch=1, threads=1, **setting):
    """Make a row: 3 launches of 10 rounds whose durations vary by 0.2 %."""
    setting = {"engine": "onnxruntime", "target": "cpu", "provider": "cpu", "host": "here"} | setting
    rng = np.random.default_rng(zlib.crc32(subject.encode()))
    factors = rng.permutation(np.linspace(0.998, 1.002, 30))
    first_run_s = median_s if first_run_s is None else first_run_s
    return Measurement(
        Setting(subject=subject, batch=batch, threads=threads, digest=subject, **setting),
        launches=tuple(Launch("s", number, load_s, first_run_s, 5, True, 1000) for number in range(3)),
        blocks=tuple(
            Block("s", launch, number, (median_s * float(factors[10 * launch + number]),))
            for launch in range(3)
            for number in range(10)
        ),
        operators=tuple(operators),
    )


def mindspore(subject, **options):
    """Make a row of MindSpore."""
    return row(subject, engine="mindspore", provider="", **options)


def time(operator, share, name="", layer=""):
    """Make the time of an operator."""
    return OperatorTime(name or operator, operator, layer, share * 1e-3, share)


def evidence(files, *rows, machine=X86, facts=None):
    """Return what is known of the first row, whose files lie under their subjects."""
    known = {item.setting: files[item.setting.subject] for item in rows if item.setting.subject in files}
    facts = facts if facts is not None else MachineFacts({"ONEDNN_MAX_CPU_ISA": "AVX2"})
    networks = NetworkFiles(known)
    # The same files are looked at by many tests, and ONNX Runtime optimizes each once.
    networks._known = _KNOWN
    return Evidence(rows[0], rows, machine, networks, facts)
