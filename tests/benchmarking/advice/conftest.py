"""The files that the tests of several rules look at, written once."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarking.advice import networks


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Give small networks by name; `healthy` is what gsjupyter's own export looks like."""
    folder = tmp_path_factory.mktemp("advice")
    return {
        "healthy": networks.chain(folder / "healthy.onnx"),
        "float": networks.float_chain(folder / "float.onnx"),
        "signed": networks.chain(folder / "signed.onnx", activations=np.int8),
        "signed with pooling": networks.chain(folder / "pooled.onnx", activations=np.int8, between="MaxPool"),
        "signed operators": networks.integer_operators(folder / "signed_operators.onnx", np.int8),
        "unsigned operators": networks.integer_operators(folder / "unsigned_operators.onnx", np.uint8),
        "unsigned weights": networks.chain(folder / "unsigned_weights.onnx", weights=np.uint8),
        "dynamic": networks.dynamic_chain(folder / "dynamic.onnx"),
        "weights": networks.weights_in_integers(folder / "weights.onnx"),
        "weights in blocks": networks.weights_in_blocks(folder / "weights_in_blocks.onnx"),
        "products": networks.chain(folder / "products.onnx", operator="MatMul"),
        "float products": networks.float_chain(folder / "float_products.onnx", operator="MatMul"),
        "half": networks.float_chain(folder / "half.onnx", dtype=np.float16),
        "half blocks": networks.half_precision_blocks(folder / "half_blocks.onnx"),
        "layouts": networks.changing_layouts(folder / "layouts.onnx"),
        "functions": networks.chain(folder / "functions.onnx", between="Softplus"),
    }
