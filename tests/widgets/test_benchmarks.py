from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from gsjupyter.benchmarking.records import Measurement as Row
from gsjupyter.benchmarking.results.result import Benchmark
from gsjupyter.benchmarking.targets.places import Place
from gsjupyter.errors import OptionError
from gsjupyter.widgets.benchmarks import arguments_of, measured_data, subjects_of, targets_data, things_of
from gsjupyter.widgets.commands import Measurement
from tests.benchmarking.known_results import ATTACK, CREATED, HOST, MACHINE, setting

COMMAND = Measurement(("source",), (), ("cpu",), (), (1, 2), 0.5, 2)


@pytest.fixture
def subjects():
    conversion = SimpleNamespace(formats="int8 weights", name=ATTACK, model=SimpleNamespace(size_bytes=12_345))
    return subjects_of(lambda: "net", "LeNet", {4: conversion}, [{"path": "a.onnx", "size_bytes": 5_000}])


def test_what_there_is_to_measure_is_the_source_the_results_and_the_files(subjects):
    assert [subject.to_json() for subject in subjects] == [
        {"key": "source", "label": "LeNet (source)", "detail": "the network as it was given"},
        {"key": "result:4", "label": "#4 int8 weights", "detail": f"{ATTACK}, 12 kB"},
        {"key": "file:a.onnx", "label": "a.onnx", "detail": "5.0 kB"},
    ]


def test_chosen_things_are_measured_under_their_labels(subjects):
    assert things_of(subjects, ["file:a.onnx", "source"]) == {"a.onnx": "a.onnx", "LeNet (source)": "net"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ([], "nothing was chosen"),
        (["result:5"], "Did you mean result:4?"),
        (["/etc/passwd"], "a subject must be one of"),
    ],
)
def test_nothing_else_can_be_measured(subjects, wanted, message):
    with pytest.raises(OptionError) as found:
        things_of(subjects, wanted)
    assert message in str(found.value)


def test_what_was_not_chosen_is_left_to_the_benchmark():
    assert arguments_of(COMMAND) == {
        "targets": ("cpu",),
        "engines": None,
        "batches": None,
        "threads": (1, 2),
        "duration_s": 0.5,
        "launches": 2,
    }
    with pytest.raises(OptionError, match="no target was chosen"):
        arguments_of(replace(COMMAND, targets=()))


def test_targets_say_why_they_are_missing_and_a_second_way_that_is_missing_is_not_told():
    places = [
        Place("cpu", "mindspore", "", "MindSpore", details="2.10.0"),
        Place("gpu", "onnxruntime", "cuda", "ONNX Runtime", obstacle="There is no GPU.", advice="Plug one in."),
        Place("gpu", "onnxruntime", "tensorrt", "ONNX Runtime (TensorRT)", obstacle="There is no GPU."),
    ]
    assert targets_data(places) == [
        {"target": "cpu", "engine": "mindspore", "available": True, "device": "MindSpore 2.10.0", "reason": ""},
        {
            "target": "gpu",
            "engine": "onnxruntime",
            "available": False,
            "device": "ONNX Runtime",
            "reason": "There is no GPU. Plug one in.",
        },
    ]


def test_a_benchmark_that_was_stopped_keeps_its_report():
    row = Row(setting(), obstacle="nobody ran it")
    result = Benchmark((row,), {HOST: MACHINE}, CREATED, is_complete=False)
    stopped = measured_data(result)
    assert stopped["state"] == "stopped"
    assert stopped["document"]["blocks"]
    assert measured_data(replace(result, is_complete=True))["state"] == "complete"
    assert measured_data(None) == {"document": None, "state": "none"}
