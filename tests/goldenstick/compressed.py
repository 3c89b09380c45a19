"""Golden Stick's networks in both forms, and what they compute by its own formulas, in plain MindSpore and numpy."""

from __future__ import annotations

import numpy as np
from mindspore import QuantDtype, Tensor, nn, ops
from mindspore_gs.quantization import SimulatedQuantizationAwareTraining as SimQAT
from mindspore_gs.quantization import SlbQuantAwareTraining as Slb
from mindspore_gs.quantization.learned_step_size_quantization import LearnedStepSizeQuantizationAwareTraining as Lsq

QUANTIZERS = ("_input_quantizer", "_output_quantizer", "_weight_quantizer")


class Plain(nn.Cell):
    """Convolutions with bias and without, and dense layers."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid")
        self.conv2 = nn.Conv2d(6, 8, 3, pad_mode="same", has_bias=True)
        self.fc1 = nn.Dense(8 * 4 * 4, 16)
        self.fc2 = nn.Dense(16, 10)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()

    def construct(self, x):
        x = self.conv1(x)
        x = self.relu(x)
        x = self.pool(x)
        x = self.conv2(x)
        x = self.relu(x)
        x = self.flatten(x)
        x = self.fc1(x)
        x = self.relu(x)
        return self.fc2(x)


class Normalized(nn.Cell):
    """BatchNorm behind every convolution, for the fused variants."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, pad_mode="same")
        self.bn1 = nn.BatchNorm2d(6)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(6, 8, 3, stride=2, pad_mode="same")
        self.bn2 = nn.BatchNorm2d(8)
        self.relu2 = nn.ReLU()
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(8 * 6 * 6, 10)

    def construct(self, x):
        x = self.conv1(x)
        x = self.bn1(x)
        x = self.relu1(x)
        x = self.conv2(x)
        x = self.bn2(x)
        x = self.relu2(x)
        x = self.flatten(x)
        return self.fc(x)


def slb(bits, activations):
    dtype = {1: QuantDtype.INT1, 2: QuantDtype.INT2, 4: QuantDtype.INT4}[bits]
    return Slb({"quant_dtype": [QuantDtype.INT8, dtype], "enable_act_quant": activations})


ALGORITHMS = {
    "SimQAT": (SimQAT, Plain),
    "SimQAT per tensor": (lambda: SimQAT({"per_channel": [False, False]}), Plain),
    "SimQAT asymmetric weights": (lambda: SimQAT({"symmetric": [True, False], "narrow_range": [True, True]}), Plain),
    "SimQAT with BatchNorm folded": (lambda: SimQAT({"enable_fusion": True, "bn_fold": True}), Normalized),
    "SimQAT with BatchNorm kept": (lambda: SimQAT({"enable_fusion": True, "bn_fold": False}), Normalized),
    "LSQ": (lambda: Lsq({}), Plain),
    "SLB 1 bit": (lambda: slb(1, activations=False), Plain),
    "SLB 2 bit": (lambda: slb(2, activations=False), Plain),
    "SLB 4 bit": (lambda: slb(4, activations=False), Plain),
    "SLB 1 bit with activations": (lambda: slb(1, activations=True), Plain),
    "SLB 2 bit with activations": (lambda: slb(2, activations=True), Plain),
    "SLB 4 bit with activations": (lambda: slb(4, activations=True), Plain),
}


def compressed(name, rng):
    """Return an algorithm and a network that it has compressed, with parameters and ranges as training leaves them."""
    make, network = ALGORITHMS[name]
    algorithm = make()
    result = algorithm.apply(network())
    result.set_train(False)
    trained(result, rng)
    return algorithm, result


def trained(network, rng):
    for parameter in network.get_parameters():
        name, shape = parameter.name.rpartition(".")[2], parameter.shape
        if name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, shape)
            # A trained gamma may be negative.
            value[0] *= -1 if name == "gamma" else 1
        elif name in ("beta", "moving_mean", "bias", "weight"):
            value = rng.normal(0, 0.3, shape)
        else:
            continue
        parameter.set_data(Tensor(value.astype(np.float32)))
    for _, cell in network.cells_and_names():
        set_ranges(cell, rng)


def set_ranges(cell, rng):
    weights = getattr(cell, "_weight_quantizer", None)
    for quantizer in (getattr(cell, name, None) for name in QUANTIZERS):
        if quantizer is None or not hasattr(quantizer, "_float_max"):
            continue
        if quantizer is weights:
            low, high = weight_range(cell, quantizer._float_max.shape[0])
        else:
            low, high = [-rng.uniform(2, 6)], [rng.uniform(2, 6)]
        if hasattr(quantizer, "quant_max"):
            # Learned thresholds start negative; the grid is the same.
            high = -np.maximum(np.abs(low), np.abs(high)) if quantizer is weights else np.abs(high)
        quantizer._float_min.set_data(Tensor(np.asarray(low, np.float32)))
        quantizer._float_max.set_data(Tensor(np.asarray(high, np.float32)))


def weight_range(cell, channels):
    weight = cell.weight.asnumpy()
    if hasattr(cell, "gamma"):
        weight = weight * factor_of(cell).reshape(-1, 1, 1, 1)
    rows = weight.reshape(channels, -1) if channels > 1 else weight.reshape(1, -1)
    # Narrower than the weight, so that some of it is clipped.
    return 0.9 * rows.min(1), 0.8 * rows.max(1)


def factor_of(cell):
    return cell.gamma.asnumpy() / np.sqrt(cell.moving_variance.asnumpy() + cell.eps)


class Formula(nn.Cell):
    """Pseudo-quantization by Golden Stick's formula, in operators that a CPU has."""

    def __init__(self, scale, zero_point, lowest, highest):
        super().__init__()
        self.scale, self.zero_point = Tensor(scale), Tensor(zero_point)
        self.lowest, self.highest = float(lowest), float(highest)

    def construct(self, x):
        shape = (-1, *[1] * (x.ndim - 1)) if self.scale.size > 1 else (1,)
        scale, zero_point = self.scale.reshape(shape), self.zero_point.reshape(shape)
        quantized = ops.clamp(ops.round(x / scale + zero_point), self.lowest, self.highest)
        return (quantized - zero_point) * scale


class Nothing(nn.Cell):
    def construct(self, x):
        return x


def formula_of(quantizer):
    """Return what a quantizer in training form computes, by the formulas of quant_utils.py and fake_quantizer.py."""
    low, high = quantizer._float_min.asnumpy().astype(np.float64), quantizer._float_max.asnumpy().astype(np.float64)
    if hasattr(quantizer, "quant_max"):
        last = float(quantizer.quant_max.asnumpy()[0])
        return Formula(*float32(np.abs(high) / last, np.zeros_like(high)), -last, last)
    bits, symmetric = quantizer.num_bits(), quantizer.symmetric()
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if symmetric else (0, 2**bits - 1)
    lowest += quantizer.narrow_range()
    if symmetric:
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    scale = (high - low) / (highest - lowest)
    zero_point = np.zeros_like(scale) if symmetric else np.round(lowest - low / scale)
    return Formula(*float32(scale, zero_point), lowest, highest)


def float32(*arrays):
    return [np.asarray(array, np.float32) for array in arrays]


def reference(network, x, *, activations=True):
    """Return what a network in training form computes by the formulas; the network is changed for good."""
    for _, cell in network.cells_and_names():
        for name in QUANTIZERS:
            quantizer = getattr(cell, name, None)
            if quantizer is None or not hasattr(quantizer, "_float_max"):
                continue
            keep = activations or name == "_weight_quantizer"
            setattr(cell, name, formula_of(quantizer) if keep else Nothing())
    network.compile_cache.clear()
    network.set_train(False)
    return network(Tensor(x)).asnumpy()


def output_step(network):
    """Return the step of the last activation quantizer, 0 if the output isn't quantized."""
    quantizers = [cell._output_quantizer for _, cell in network.cells_and_names() if has_output_quantizer(cell)]
    return float(formula_of(quantizers[-1]).scale.asnumpy().max()) if quantizers else 0.0


def has_output_quantizer(cell):
    return hasattr(getattr(cell, "_output_quantizer", None), "_float_max")
