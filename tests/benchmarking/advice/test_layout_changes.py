"""Time that goes into layouts: shares of a real profile, and of made-up ones where the share itself matters."""

from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.benchmarking.advice.integer_kernels import LAYOUTS
from gsjupyter.benchmarking.advice.layout_changes import layout_changes
from gsjupyter.benchmarking.operators import operator_times
from gsjupyter.engines.measured import MeasuredModel
from tests.benchmarking.advice.cases import evidence, row, time
from tests.benchmarking.advice.networks import CHANNELS, PIXELS

MANY = [time("ReorderInput", 0.1), time("ReorderOutput", 0.1), time("Transpose", 0.05), time("Conv", 0.75)]


def test_a_large_share_is_told_with_what_it_surrounds(files):
    found = layout_changes(evidence(files, row("layouts", operators=MANY)))
    assert found.symptom == (
        "25 % of the operators' time goes into the order of values in memory (1 ReorderInput, 1 ReorderOutput, "
        "1 Transpose), mostly around 3 MatMul"
    )
    assert "1 x 1 convolution" in found.remedy
    assert found.gain == "at most 1.33x, as that takes 25 % of the operators' time"


def test_a_network_with_other_causes_gets_another_remedy(files):
    found = layout_changes(evidence(files, row("signed with pooling", operators=MANY)))
    assert found.remedy.startswith("Let these layers be computed in integers")


def test_without_its_file_the_layers_are_named(files):
    operators = [time("Transpose", 0.2, "swap", "attention.qkv"), time("MatMul", 0.8)]
    found = layout_changes(evidence({}, row("net", operators=operators)))
    assert found.remedy == "Stay in one layout (attention.qkv)"


@pytest.mark.parametrize("operators", [[], [time("Transpose", 0.1), time("MatMul", 0.9)]])
def test_a_small_share_is_no_matter(operators, files):
    assert layout_changes(evidence(files, row("layouts", operators=operators))) is None


def test_onnxruntime_tells_what_layouts_take(files):
    x = np.ones((1, CHANNELS, PIXELS, PIXELS), np.float32)
    with MeasuredModel("onnxruntime", files["layouts"], threads=1) as model:
        model.start()
        model.first_run([x])
        times = operator_times(model.operators(3))
    kinds = {item.operator for item in times if item.duration_s > 0}
    assert kinds & set(LAYOUTS)
    found = layout_changes(evidence(files, row("layouts", operators=times)))
    assert found is None or found.rule == "layout-changes"
