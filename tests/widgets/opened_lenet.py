"""Networks as a panel opens them: what tests in Python and, by a file, those in TypeScript predict for."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from mindspore import nn

from gsjupyter.options import ConvertOptions
from gsjupyter.report import Sensitivity
from gsjupyter.widgets.names import Names
from gsjupyter.widgets.network_data import network_data
from gsjupyter.widgets.opened import OpenedNetwork, open_network
from gsjupyter.widgets.sensitivity_data import measured_sensitivity
from gsjupyter.widgets.sketches import SketchStore
from tests.networks import LeNet, filled

MEASURED_WITH = ConvertOptions(activations="int8")


class ReadTwice(nn.Cell):
    """A weight that a sum reads too, and one that two layers share."""

    def __init__(self):
        super().__init__()
        self.first = nn.Dense(8, 8, has_bias=False)
        self.second = nn.Dense(8, 8, has_bias=False)
        self.third = nn.Dense(8, 8, has_bias=False)
        self.third.weight = self.second.weight

    def construct(self, x):
        return self.third(self.second(self.first(x) + (self.first.weight * x.sum()).sum()))


class Opened(NamedTuple):
    network: OpenedNetwork
    data: dict
    sketches: SketchStore
    sensitivity: Sensitivity


@cache
def opened():
    """Open and measure it, once in a process."""
    rng = np.random.default_rng(5)
    network = filled(LeNet(), rng).set_train(False)
    x = rng.standard_normal((4, 1, 28, 28)).astype(np.float32)
    found = open_network(network, x)
    data = network_data(found, Names(source="net", inputs="x").to_json())
    return Opened(found, data, SketchStore(found), measured_sensitivity(found, MEASURED_WITH))
