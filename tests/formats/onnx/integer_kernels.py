"""What ONNX Runtime makes of a model: the operators that it runs, and what they give."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import onnxruntime

from gsjupyter.formats.onnx import save, to_onnx

LAYOUT = {"Transpose", "Reshape", "Flatten", "Squeeze"}
"""Operators that only move what they read."""


def optimized(model, *arrays):
    """Return the operators of a converted network as ONNX Runtime runs it, in order, and its output."""
    with tempfile.TemporaryDirectory() as folder:
        path, written = Path(folder) / "model.onnx", Path(folder) / "optimized.onnx"
        save(to_onnx(model), path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(written)
        # Otherwise products with 4-bit weights round their other input too, and differ by half a percent.
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "0")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_inputs()]
        outputs = session.run(None, dict(zip(names, arrays, strict=True)))
        return [node.op_type for node in onnx.load(written).graph.node], outputs[0]


def stored_types(model):
    """Return the data types of what a converted network stores in ONNX, by name."""
    found = to_onnx(model).graph.initializers.values()
    return {value.name: value.const_value.dtype.name for value in found}
