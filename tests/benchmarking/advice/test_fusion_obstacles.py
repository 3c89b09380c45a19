"""What keeps a layer from its integer kernel, each case optimized by ONNX Runtime itself, all in one file."""

from __future__ import annotations

import numpy as np
import pytest

from gsjupyter.benchmarking.advice import NetworkFiles
from gsjupyter.benchmarking.advice.fusion_obstacles import obstacle_of
from gsjupyter.benchmarking.advice.integer_kernels import Fusion
from tests.benchmarking.advice.cases import row
from tests.benchmarking.advice.networks import CHANNELS, QuantizedFile

EACH = np.full(CHANNELS, 0.02, np.float32)


class Cases(QuantizedFile):
    """Layers side by side, each with surroundings of its own; the network's output is what all give."""

    def __init__(self, operator):
        """Take the kind of the layers."""
        super().__init__(operator)
        self.outputs = []

    def case(self, name, *more, behind=(), x=None, w=None, y=None, operator=None):
        """Add a layer between grids, with operators behind it."""
        value = self.grid(f"{name}/x", "x", **(x or {}))
        value = self.layer(name, value, self.integer_weight(name, **(w or {})), *more, operator=operator)
        for kind in behind:
            value = self.node(kind, [value, *self._ends(kind)], f"{name}/{kind}")
        self.outputs.append(self.grid(f"{name}/y", value, **(y or {})))
        return value

    def _ends(self, kind):
        return [self.stored_once("low", 0), self.stored_once("high", 6)] if kind == "Clip" else []

    def stored_once(self, name, number):
        """Store a number under a name, unless it is there."""
        known = {tensor.name for tensor in self.tensors}
        return name if name in known else self.stored(name, np.float32(number))

    def fusion(self, path):
        """Write the file, have it optimized, and return what became of it."""
        self.save(path, *self.outputs)
        setting = row("cases").setting
        files = NetworkFiles({setting: path})
        return Fusion(files.onnx(setting), files.running(setting))


@pytest.fixture(scope="module")
def convolutions(tmp_path_factory):
    file = Cases("Conv")
    file.case("plain")
    file.case("relu", behind=["Relu"], y={"zero": 0})
    file.case("moved", behind=["Relu", "Identity"], y={"zero": 0})
    file.case("relu6", behind=["Clip"], y={"zero": 0})
    file.case("float bias", file.stored("bias", np.ones(CHANNELS, np.float32)))
    file.case("high zero", behind=["Relu"])
    file.case("high zero clip", behind=["Clip"])
    file.case("function", behind=["Tanh"])
    file.case("wide", x={"dtype": np.uint16}, y={"dtype": np.uint16})
    file.case("narrow weight", w={"dtype": "int4"})
    stored = [file.stored("b", np.ones(CHANNELS, np.int32)), file.stored("b/scale", np.full(CHANNELS, 0.5, np.float32))]
    file.case("bias scale", file.node("DequantizeLinear", stored, "b/number", axis=0))
    file.case("flat", behind=["Flatten"])
    file.case("transposed", operator="ConvTranspose")
    read_twice = file.case("read twice")
    file.outputs.append(file.node("Exp", [read_twice], "read twice/Exp"))
    given = file.layer("given", file.grid("given/x", "x"), file.integer_weight("given"))
    file.outputs.append(given)
    return file.fusion(tmp_path_factory.mktemp("cases") / "convolutions.onnx")


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    file = Cases("MatMul")
    file.case("plain")
    file.case("relu", behind=["Relu"], y={"zero": 0})
    file.case("function", behind=["Tanh"])
    file.case("no zero point", w={"has_zero": False})
    file.case("high zero", behind=["Relu"])
    file.case("rows", w={"axis": 0})
    file.case("blocks", w={"axis": 0, "block": CHANNELS})
    file.case("channels", x={"scale": EACH})
    file.case("gemm", operator="Gemm")
    file.case("gemm without zero", w={"has_zero": False}, operator="Gemm")
    return file.fusion(tmp_path_factory.mktemp("cases") / "products.onnx")


def reasons(fusion):
    return {layer.name: obstacle_of(layer).reason for layer in fusion.in_float}


def test_these_convolutions_run_in_integers(convolutions):
    assert set(convolutions.kernels) == {f"{name}/Conv" for name in ("plain", "relu", "moved", "relu6", "float bias")}


def test_of_all_other_convolutions_the_reason_is_known(convolutions):
    assert reasons(convolutions) == {
        "high zero": "the Relu behind it can't be absorbed, as zero is 128 there and not 0",
        "high zero clip": "the Clip behind it can't be absorbed, as zero is 128 there and not 0",
        "function": "Tanh reads its output in float, and no kernel computes that with it",
        "wide": "its input is uint16, and integer kernels take 8 bits",
        "narrow weight": "its weight is int4, and beside integer activations kernels take 8 bits",
        "bias scale": "the scale of its bias isn't that of its input times that of its weight",
        "flat": "Flatten stands between it and its QuantizeLinear, which ONNX Runtime doesn't move across that",
        "transposed": "transposed convolutions have no integer kernel",
        "read twice": "its output is read by 2 operators (Exp and QuantizeLinear), not all as integers",
        "given": "its output is the network's, in float",
    }


def test_these_products_run_in_integers(products):
    names = ("plain", "relu", "function", "no zero point")
    assert set(products.kernels) == {*(f"{name}/MatMul" for name in names), "gemm/Gemm"}


def test_of_all_other_products_the_reason_is_known(products):
    assert reasons(products) == {
        "high zero": "the Relu behind it can't be absorbed, as zero is 128 there and not 0",
        "rows": "its weight has a scale for each row, and not for each output channel",
        "blocks": "its weight has a scale for each block",
        "channels": "its input has a scale for each channel",
        "gemm without zero": "QGemm needs zero points, and a DequantizeLinear before it has none",
    }


def test_each_reason_comes_with_a_remedy(convolutions, products):
    remedies = [obstacle_of(layer).remedy for layer in (*convolutions.in_float, *products.in_float)]
    assert all(remedy[0].isupper() and not remedy.endswith(".") for remedy in remedies)
