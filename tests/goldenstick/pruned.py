"""Networks that Golden Stick's pruning algorithms accept, pruned by them, with numbers such as training leaves."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore_gs.ghost import GhostAlgo
from mindspore_gs.pruner import PrunerFtCompressAlgo, PrunerKfCompressAlgo
from mindspore_gs.pruner.uni_pruning import UniPruner

from gsjupyter.mindir import model_from_cell
from gsjupyter.passes import (
    FoldBatchNorm,
    FoldConstants,
    FoldMasks,
    Functionalize,
    InferenceMode,
    Pipeline,
    RemoveChannels,
    RemoveDeadCode,
)

IMAGE = (2, 3, 16, 16)


class Bottleneck(nn.Cell):
    """A residual block: narrow, wide again, and a shortcut."""

    def __init__(self, channels, narrow, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, narrow, 1)
        self.bn1 = nn.BatchNorm2d(narrow)
        self.conv2 = nn.Conv2d(narrow, narrow, 3, stride, pad_mode="pad", padding=1)
        self.bn2 = nn.BatchNorm2d(narrow)
        self.conv3 = nn.Conv2d(narrow, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.shortcut = None
        if stride != 1 or channels != outputs:
            self.shortcut = nn.SequentialCell(nn.Conv2d(channels, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def construct(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.relu(y + shortcut)


class SmallResNet(nn.Cell):
    """A ResNet of three bottleneck blocks; SCOP prunes cells with "layer" in their names."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.layer1 = nn.SequentialCell(Bottleneck(8, 8, 16), Bottleneck(16, 8, 16))
        self.layer2 = nn.SequentialCell(Bottleneck(16, 16, 32, 2))
        self.fc = nn.Dense(32, 10)

    def construct(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        return self.fc(ops.mean(self.layer2(self.layer1(x)), (2, 3)))


class SmallLeNet(nn.Cell):
    """Convolutions and dense layers at the top of the network, where UniPruner wraps them."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5, pad_mode="valid", has_bias=True)
        self.conv2 = nn.Conv2d(8, 12, 5, pad_mode="valid", has_bias=True)
        self.fc1 = nn.Dense(12, 16)
        self.fc2 = nn.Dense(16, 10)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()

    def construct(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        x = self.relu(self.fc1(self.flatten(x)))
        return self.fc2(x)


class ForGhost(nn.Cell):
    """Two convolutions, the second of which Ghost replaces. In a SequentialCell it would go on running the old one."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 1)
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.conv2(self.relu(self.bn1(self.conv1(x))))


def trained(network, rng):
    """Give each BatchNorm and each knockoff scale the numbers that training leaves."""
    for _, cell in network.cells_and_names():
        if hasattr(cell, "moving_mean"):
            size = cell.moving_mean.shape[0]
            for parameter, values in [
                (cell.moving_mean, rng.normal(0, 0.3, size)),
                (cell.moving_variance, rng.uniform(0.5, 2, size)),
                (cell.gamma, rng.uniform(0.5, 1.5, size)),
                (cell.beta, rng.normal(0, 0.3, size)),
            ]:
                parameter.set_data(Tensor(values.astype(np.float32)))
        if hasattr(cell, "kfscale"):
            cell.kfscale.set_data(Tensor(rng.uniform(0, 1, cell.kfscale.shape).astype(np.float32)))
    return network


def in_knockoff_phase(rng):
    """Return a network as SCOP trains it first."""
    return trained(PrunerKfCompressAlgo({}).apply(SmallResNet()), rng)


def in_fine_tune_phase(rng, prune_rate):
    """Return a network as SCOP trains it last, with masks."""
    return PrunerFtCompressAlgo({"prune_rate": prune_rate}).apply(in_knockoff_phase(rng))


def masked_cells(network):
    """Return the cells by name that SCOP has masked."""
    return {name: cell for name, cell in network.cells_and_names() if type(cell).__name__ == "MaskedConv2dbn"}


def wrapped_by_unipruner(folder):
    """Return a network whose layers UniPruner has wrapped, with masks that keep everything."""
    config = {
        "exp_name": "test",
        "frequency": 1,
        "target_sparsity": 0.5,
        "pruning_step": 1,
        "filter_lower_threshold": 1,
        "input_size": IMAGE,
        "output_path": str(folder),
        "prune_flag": 1,
        "rank": 0,
        "device_target": "CPU",
    }
    return UniPruner(config).apply(SmallLeNet())


def with_ghost_modules(rng):
    """Return a network in which Ghost has replaced what it replaces."""
    return trained(GhostAlgo({}).apply(ForGhost()), rng)


def output(network, x):
    """Return what Golden Stick's network itself gives at inference."""
    network.set_train(False)
    return network(Tensor(x)).asnumpy()


def converted(network, x, *first):
    """Return a network as a model, before and after all that pruning needs, and what each pass did."""
    source = model_from_cell(network, [x])
    passes = [
        *(InferenceMode(), Functionalize(), RemoveDeadCode(), *first),
        *(FoldBatchNorm(), FoldMasks(source), RemoveChannels(), FoldConstants(source)),
    ]
    model, results = Pipeline(passes).run(source)
    return source, model, results, passes
