"""ONNX as a file to deploy: what ONNX Runtime, TensorRT and most other runtimes load."""

from gsjupyter.formats.onnx.file import save
from gsjupyter.formats.onnx.lowering import to_onnx

__all__ = ["save", "to_onnx"]
