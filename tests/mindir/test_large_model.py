"""Above 1 GiB MindIR has another layout, and 2 GiB is all that a protobuf holds: tried once with a model that large."""

from __future__ import annotations

import shutil

import mindspore
import numpy as np
import pytest
from mindspore import nn

from gsjupyter.mindir import load_model, model_from_cell, save_model

ROWS, COLUMNS = 280_000, 1000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_model_of_more_than_a_gibibyte_is_exported_saved_loaded_and_run(tmp_path):
    x = np.ones((1, COLUMNS), np.float32)
    expected = np.full((1, ROWS), COLUMNS, np.float32)
    path, data = saved(x, tmp_path / "large.mindir")
    try:
        assert path.stat().st_size < 10_000
        assert data.stat().st_size > 1 << 30
        np.testing.assert_array_equal(plain_run(path, x), expected)
        assert load_model(path).graph().parameters()[0].array[-1, -1] == 1
    finally:
        shutil.rmtree(data.parent)


def saved(x, path):
    network = nn.Dense(COLUMNS, ROWS, weight_init="ones", has_bias=False)
    return save_model(model_from_cell(network, [x]), path)


def plain_run(path, x):
    return nn.GraphCell(mindspore.load(str(path)))(mindspore.Tensor(x)).asnumpy()
