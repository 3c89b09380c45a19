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

RESNET50 = """\
import os
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
import mindcv
import numpy as np
import gsjupyter as gs

net = mindcv.create_model("resnet50", pretrained=False)
net.set_train(False)
x = np.random.default_rng(0).standard_normal((1, 3, 64, 64)).astype(np.float32)
"""

THREE_HUNDRED_LAYERS = """\
import os
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
import mindspore
import numpy as np
from mindspore import nn
import gsjupyter as gs

# MindSpore takes each layer of a sequence for a call within the one before.
mindspore.set_recursion_limit(10_000)
net = nn.SequentialCell([cell for _ in range(300) for cell in (nn.Dense(64, 64), nn.ReLU())])
x = np.random.default_rng(0).standard_normal((2, 64)).astype(np.float32)
"""

HOSTILE_NAME = "<img src=x onerror=alert(hit=1)>"
"""The name of a layer: as markup it would open a dialog, and leave a mark in the window."""

HOSTILE = f"""\
import os
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
import numpy as np
from mindspore import nn
import gsjupyter as gs

net = nn.SequentialCell(nn.Dense(8, 16), nn.ReLU())
net.insert_child_to_cell({HOSTILE_NAME!r}, nn.Dense(16, 4))
net.cell_list = tuple(net._cells.values())
x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(3, 8)
gs.export(gs.convert(net, x), "named.mindir", overwrite=True)
"""


def code(*sources: str) -> list[nbformat.NotebookNode]:
    """Return code cells."""
    return [nbformat.v4.new_code_cell(source) for source in sources]
