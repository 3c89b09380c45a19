"""What every lowering is held against: the same network on MindSpore, run on the same input."""

from __future__ import annotations

import tempfile
from pathlib import Path

import mindspore
import numpy as np
import onnxruntime
from mindspore import nn

from gsjupyter.formats.onnx import save, to_onnx
from gsjupyter.mindir import Runner, flat_output, model_from_cell


class Function(nn.Cell):
    """A function as a network."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def construct(self, *inputs):
        return self.function(*inputs)


class OfEach(nn.Cell):
    """A function of each input by itself."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def construct(self, *inputs):
        results = ()
        for item in inputs:
            results += (self.function(item),)
        return results


def run_onnx(onnx_model, *arrays):
    """Write a model, which checks it, and run it; return its outputs by name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        save(onnx_model, path)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_inputs()]
        outputs = session.run(None, dict(zip(names, arrays, strict=True)))
        return dict(zip([item.name for item in session.get_outputs()], outputs, strict=True))


def exported(network, *inputs):
    """Return a cell or function as it is exported with arrays or Tensors."""
    tensors = (item if isinstance(item, mindspore.Tensor) else mindspore.Tensor(item) for item in inputs)
    return model_from_cell(as_cell(network), tuple(tensors))


def lowered(network, *inputs, **options):
    """Return a cell or function, exported with arrays or Tensors, as an ONNX model."""
    return to_onnx(exported(network, *inputs), **options)


def assert_agrees(network, *arrays, tolerance=1e-5, **options):
    """Check that a cell or function gives the same as ONNX, in ONNX Runtime, as on MindSpore.

    Values may differ by `tolerance` times the largest one; shapes, data types, NaN and infinities may not.
    """
    model = exported(network, *arrays)
    expected = flat_output(Runner(model)(*arrays))
    assert_same(run_onnx(to_onnx(model, **options), *arrays), expected, tolerance)


def assert_agrees_in_types(function, array, *dtypes, tolerance=1e-5):
    """Check that a function of one tensor gives the same in each data type; one network does them all."""
    assert_agrees(OfEach(function), *(array.astype(dtype) for dtype in dtypes), tolerance=tolerance)


def assert_agrees_at_other_sizes(network, example, *others, tolerance=1e-5, **options):
    """Check that what was exported with one example gives the same as MindSpore on inputs of other sizes.

    Parameters
    ----------
    network : nn.Cell or function
        The network.
    example : tuple of ndarray or Tensor
        What it is exported with; a Tensor made with ``shape=[None, ...]`` makes axes dynamic.
    *others : tuple of ndarray
        Inputs of other sizes.
    tolerance, **options
        As in `assert_agrees`; ``free_batch=True`` for examples without dynamic axes.
    """
    cell = as_cell(network)
    model = exported(cell, *example)
    onnx_model = to_onnx(model, **options)
    # A model that was exported without dynamic axes may itself hold the sizes of its example.
    is_dynamic = any(-1 in item.shape for item in example)
    run = Runner(model) if is_dynamic else lambda *arrays: _as_arrays(cell(*map(mindspore.Tensor, arrays)))
    for arrays in others:
        expected = flat_output(run(*arrays))
        assert_same(run_onnx(onnx_model, *arrays), expected, tolerance)


def as_cell(network):
    """Return a network as a cell; functions become one."""
    return network if isinstance(network, nn.Cell) else Function(network)


def assert_same(actual, expected, tolerance):
    """Check that outputs, by name, are the same but for `tolerance` times the largest value of each."""
    assert list(actual) == list(expected)
    for name, wanted in expected.items():
        assert (actual[name].dtype, actual[name].shape) == (wanted.dtype, wanted.shape), name
        if wanted.dtype.kind in "fc":
            finite = np.isfinite(wanted)
            scale = np.abs(wanted[finite]).max() if finite.any() else 1
            np.testing.assert_allclose(actual[name], wanted, rtol=0, atol=tolerance * max(scale, 1e-30), err_msg=name)
        else:
            np.testing.assert_array_equal(actual[name], wanted, err_msg=name)


def _as_arrays(output):
    if isinstance(output, tuple | list):
        return tuple(_as_arrays(item) for item in output)
    return output.asnumpy() if isinstance(output, mindspore.Tensor) else np.asarray(output)
