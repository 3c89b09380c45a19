"""Notebook cells that open a panel, as users write them: the network is defined in the notebook."""

from __future__ import annotations

import nbformat

LENET = """\
import os
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
import mindspore
import numpy as np
from mindspore import nn
%load_ext gsjupyter

class LeNet5(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.fc1 = nn.Dense(400, 120)
        self.fc2 = nn.Dense(120, 84)
        self.fc3 = nn.Dense(84, 10)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()

    def construct(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(self.flatten(x))))))

mindspore.set_seed(0)
net = LeNet5()
rng = np.random.default_rng(0)
x, images = rng.random((8, 1, 32, 32), np.float32), rng.random((64, 1, 32, 32), np.float32)
"""


def code(*sources: str) -> list[nbformat.NotebookNode]:
    """Return code cells."""
    return [nbformat.v4.new_code_cell(source) for source in sources]
