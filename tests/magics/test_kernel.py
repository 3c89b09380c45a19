"""In a real kernel, over the real protocol: what a user's notebook does, interrupts among it."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

import pytest
from jupyter_client.manager import KernelManager

NETWORK = """
%load_ext gsjupyter
import itertools, os, tempfile, time
import numpy as np
import mindspore
from mindspore import nn

class Net(nn.Cell):
    def __init__(self, hidden=16):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(4 * 8 * 8, hidden)

    def construct(self, x):
        return self.fc(self.flatten(self.norm(self.conv(x))))

net = Net()
net.set_train()
x = np.random.default_rng(0).standard_normal((2, 1, 8, 8)).astype(np.float32)

def state(network):
    flags = [(name, cell.training, cell.phase) for name, cell in network.cells_and_names()]
    return flags, [parameter.asnumpy().tobytes() for parameter in network.get_parameters()]
"""


class Kernel:
    """A kernel that runs cells and tells what they print, give and raise."""

    def __init__(self, folder, temporary):
        self.manager = KernelManager(kernel_name="python3")
        environment = {"TMPDIR": str(temporary), "IPYTHONDIR": str(temporary.parent / "ipython")}
        self.manager.start_kernel(cwd=str(folder), env={**os.environ, **environment})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def start(self, code):
        return self.client.execute(code, allow_stdin=False)

    def finish(self, request, timeout=120):
        texts, error = [], None
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream" and content["name"] == "stdout":
                texts.append(content["text"])
            elif kind == "execute_result":  # progress is displayed, and not looked at
                texts.append(content["data"]["text/plain"])
            elif kind == "error":
                error = content["ename"]
                texts += content["traceback"]
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(texts), error

    def run(self, code):
        text, error = self.finish(self.start(code))
        assert error is None, text
        return text

    def interrupted(self, code, after, timeout=30):
        """Run a cell that prints `after`, interrupt it then, and return what it raised."""
        request = self.start(code)
        seen = ""
        while after not in seen:
            message = self.client.get_iopub_msg(timeout=timeout)
            assert message["msg_type"] != "error", message["content"]
            seen += message["content"].get("text", "") if message["msg_type"] == "stream" else ""
        self.manager.interrupt_kernel()
        return self.finish(request)

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("kernel")
    folders = root / "notebooks", root / "temporary"
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.fixture(scope="module")
def started(folders):
    kernel = Kernel(*folders)
    kernel.run(NETWORK)
    yield kernel
    kernel.stop()


@pytest.fixture
def kernel(started, folders):
    """Give a kernel with a network; check afterwards that it left nothing on disk, and still converts."""
    before = started.run("state(net)")
    yield started
    assert started.run("state(net)") == before
    assert [sorted(folder.iterdir()) for folder in folders] == [[], []]
    assert started.run("%gs_convert net x --weights int8 -o still").startswith("still: Net, int8 weights")
    started.run("del still")


def has(kernel, name):
    return kernel.run(f"print({name!r} in globals())") == "True\n"


def test_a_network_defined_in_a_cell_is_converted_and_exported(kernel):
    said = kernel.run("%gs_convert net x --weights int8 --activations int8 -o qnet")
    assert re.match(r"qnet: Net, int8 weights, int8 activations, \d+% of the size, SQNR \d\d\.\d dB", said)
    kernel.run("%gs_export qnet net.mindir -o artifact")
    assert (
        kernel.run(
            "print(np.abs(gs.load('net.mindir')(x) - qnet(x)).max() < 1e-5)".replace("gs", "__import__('gsjupyter')")
        )
        == "True\n"
    )
    kernel.run("os.remove('net.mindir'); os.remove('net.mindir.manifest.json'); del qnet, artifact")


def test_a_class_that_is_defined_again_is_converted_as_it_is_now(kernel):
    kernel.run(NETWORK.partition("net = Net()")[0].replace("hidden=16", "hidden=5") + "smaller = Net()")
    assert kernel.run("%gs_convert smaller x -o qnet\nprint(qnet(x).shape)").endswith("(2, 5)\n")
    kernel.run("del qnet, smaller")


def test_a_mistake_shows_no_traceback(kernel):
    text, error = kernel.finish(kernel.start("%gs_convert net x --weigths int8"))
    assert (error, text) == ("MagicError", "gs_convert: no option --weigths. Did you mean --weights?")


def test_a_result_is_shown_as_a_report_with_text_and_html_beside_it(kernel):
    request = kernel.start("%gs_convert net x --weights int8")
    data = {}
    while not data:
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "execute_result" and message["parent_header"]["msg_id"] == request:
            data = message["content"]["data"]
    kernel.finish(request)
    assert set(data) == {"text/plain", "text/html", "application/vnd.gsjupyter.report+json"}


def test_an_interrupted_calibration_leaves_everything_as_it_was(kernel):
    kernel.run(
        "def slow():\n"
        "    for count in itertools.count():\n"
        "        print('batch', count, flush=True)\n"
        "        time.sleep(0.2)\n"
        "        yield x\n"
        "batches = slow()"
    )
    text, error = kernel.interrupted("%gs_convert net x --activations int8 --calibration batches -o qnet", "batch 2")
    assert error == "KeyboardInterrupt", text
    assert not has(kernel, "qnet")


@pytest.mark.parametrize("delay_s", [0.0, 0.3, 1.0])
def test_an_interrupted_conversion_of_a_large_network_leaves_everything_as_it_was(kernel, delay_s):
    if not has(kernel, "large"):
        kernel.run("large = nn.SequentialCell(*[nn.SequentialCell(nn.Dense(256, 256), nn.ReLU()) for _ in range(60)])")
        kernel.run("wide = np.ones((4, 256), np.float32); large.set_train(); before = state(large)")
    request = kernel.start("%gs_convert large wide --weights int8 -o qnet")
    time.sleep(0.1 + delay_s)
    kernel.manager.interrupt_kernel()
    text, error = kernel.finish(request)
    assert error == "KeyboardInterrupt", text
    assert not has(kernel, "qnet")
    assert kernel.run("print(state(large) == before)") == "True\n"


@pytest.mark.parametrize("delay_s", [0.05, 0.3])
def test_an_interrupted_export_leaves_no_file_and_an_older_one_as_it_was(kernel, delay_s):
    if not has(kernel, "big"):
        kernel.run("big = nn.Dense(6000, 12000)\nwide = np.ones((1, 6000), np.float32)\n%gs_convert big wide -o qbig")
    kernel.run("open('big.mindir', 'w').write('an older file')")
    request = kernel.start("%gs_export qbig big.mindir --overwrite -o artifact")
    time.sleep(delay_s)
    kernel.manager.interrupt_kernel()
    text, error = kernel.finish(request)
    assert error == "KeyboardInterrupt", text
    assert not has(kernel, "artifact")
    assert kernel.run("print(open('big.mindir').read(), os.listdir())") == "an older file ['big.mindir']\n"
    kernel.run("os.remove('big.mindir')")


_LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
begin = time.perf_counter()
shell.run_line_magic("load_ext", "gsjupyter")
duration_s = time.perf_counter() - begin
import json, sys
print(json.dumps([duration_s, sorted({"mindspore", "matplotlib", "pandas", "scipy", "numpy"} & set(sys.modules))]))
"""


def test_loading_the_extension_takes_no_time_and_no_mindspore(tmp_path):
    durations_s = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", _LOAD],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        )
        duration_s, imported = json.loads(done.stdout.splitlines()[-1])
        assert "mindspore" not in imported
        durations_s.append(duration_s)
    assert statistics.median(durations_s) <= 0.3
