"""A Jupyter kernel that runs cells, for tests of what happens in a notebook only."""

from __future__ import annotations

import os
from contextlib import contextmanager

from jupyter_client.manager import KernelManager

SETUP = """
%load_ext gsjupyter
import inspect, os, pickle, sys, traceback, warnings
import numpy as np
import mindspore
from mindspore import nn, ops
import mindspore.ops.functional as F
from mindspore_gs.quantization import SimulatedQuantizationAwareTraining as SimQAT
from mindspore_gs.quantization import SlbQuantAwareTraining as SLB
from mindspore_gs.quantization.learned_step_size_quantization import LearnedStepSizeQuantizationAwareTraining as LSQ
from mindspore_gs.quantization.quant_cell import QuantCell

x = mindspore.Tensor(np.random.default_rng(0).standard_normal((2, 1, 8, 8)).astype(np.float32))

def conv(channels=4):
    return nn.Conv2d(channels, 4, 3)

def quantized(network):
    return [cell for _, cell in network.cells_and_names() if isinstance(cell, QuantCell)]

def without_simulation(network):
    # The simulated quantizers have no CPU kernel; without them the network must compute what it did before.
    for cell in quantized(network):
        for name in ("_input_quantizer", "_output_quantizer", "_weight_quantizer"):
            if getattr(cell, name, None) is not None:
                setattr(cell, name, nn.Identity())
    network.set_train(False)
    return network

def difference(network, algorithm=SimQAT):
    network.set_train(False)
    expected = network(x).asnumpy()
    result = algorithm().apply(network)
    assert quantized(result), "no layer was replaced"
    without_simulation(result)
    found = []
    for mode in (mindspore.PYNATIVE_MODE, mindspore.GRAPH_MODE):
        mindspore.set_context(mode=mode)
        found.append(float(np.abs(result(x).asnumpy() - expected).max()))
    mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
    return max(found)
"""


HELPERS = """
import mindspore.ops as ops
from mindspore import nn

GAIN = 3.0


def inner(x):
    return ops.relu(x) * GAIN


def activation(x):
    return inner(x) + GAIN


class FileBase(nn.Cell):
    def tail(self, x):
        return x * GAIN


class FileBlock(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)

    def construct(self, x):
        return activation(self.conv(x)) * GAIN
"""


class Kernel:
    """A kernel in a folder of its own; `run` gives what a cell prints, `fails` what it raises."""

    def __init__(self, folder, temporary):
        self.manager = KernelManager(kernel_name="python3")
        own = {"TMPDIR": str(temporary), "IPYTHONDIR": str(temporary.parent / "ipython")}
        self.manager.start_kernel(cwd=str(folder), env={**os.environ, **own})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def _execute(self, code, timeout=240):
        request = self.client.execute(code, allow_stdin=False)
        texts, error = [], None
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                texts.append(content["text"])
            elif kind == "execute_result":
                texts.append(content["data"]["text/plain"])
            elif kind == "error":
                error = f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(texts).strip(), error

    def run(self, code):
        text, error = self._execute(code)
        assert error is None, f"{text}\n{error}"
        return text

    def fails(self, code):
        text, error = self._execute(code)
        assert error is not None, text
        return error

    def stop(self):
        # Asked and not killed: it must have the time to tidy up.
        self.client.stop_channels()
        self.manager.shutdown_kernel()


@contextmanager
def notebook(root, *cells):
    """Give a kernel that ran the cells in an empty folder, and check that nothing is left on disk in the end."""
    folders = root / "notebooks", root / "temporary"
    for folder in folders:
        folder.mkdir()
    kernel = Kernel(*folders)
    kernel.folder, kernel.temporary = folders
    try:
        for cell in (SETUP, *cells):
            kernel.run(cell)
        yield kernel
    finally:
        kernel.stop()
    assert [sorted(folder.iterdir()) for folder in folders] == [[], []]
