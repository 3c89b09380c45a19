"""A network whose time all goes into one layer, converted to float and to int8: what a profile must find."""

from __future__ import annotations

from functools import cache

import numpy as np
from mindspore import nn, ops

import gsjupyter as gs
from tests.networks import filled

EXPENSIVE = "heavy.conv"
LAYERS = ["stem.0", "first.conv", "second.conv", EXPENSIVE, "head"]


class Block(nn.Cell):
    """A convolution and an activation, the same in every block: MindSpore compiles it once."""

    def __init__(self, channels, out_channels, size=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, size, has_bias=True)
        self.act = nn.SiLU()

    def construct(self, x):
        return self.act(self.conv(x))


class Lopsided(nn.Cell):
    """Four cheap layers and one that takes many times as long as all of these."""

    def __init__(self):
        super().__init__()
        self.stem = nn.SequentialCell(nn.Conv2d(3, 8, 3, has_bias=True), nn.ReLU())
        self.first = Block(8, 8)
        self.second = Block(8, 16)
        self.heavy = Block(16, 128, 7)
        self.head = nn.Dense(128, 10)

    def construct(self, x):
        x = self.second(self.first(self.stem(x)))
        return self.head(ops.mean(self.heavy(x), (2, 3)))


@cache
def conversion(numbers):
    """Return the network converted to ``"float32"`` or ``"int8"``."""
    rng = np.random.default_rng(0)
    options = {"weights": "int8", "activations": "int8"} if numbers == "int8" else {}
    return gs.convert(filled(Lopsided(), rng), example(), **options)


def example():
    """Return an input."""
    return np.random.default_rng(1).normal(size=(1, 3, 32, 32)).astype(np.float32)
