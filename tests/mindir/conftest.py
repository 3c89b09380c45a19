from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.mindir import model_from_cell
from tests.networks import MLP, filled


@pytest.fixture(scope="module")
def mlp_bytes():
    """Give a small real model as MindSpore exports it."""
    network = filled(MLP(), np.random.default_rng(0))
    return model_from_cell(network, [np.zeros(MLP.input_shape, np.float32)]).to_bytes()
