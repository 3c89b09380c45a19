"""The panel in a real kernel, asked over the real protocol as a browser asks: in its main thread or beside it."""

from __future__ import annotations

import json
import time

import pytest

from tests.widgets.live_kernel import LiveKernel

NETWORK = """
%load_ext gsjupyter
import os, sys, time, warnings
import numpy as np
import gsjupyter as gs
from mindspore import nn

class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.body = nn.SequentialCell(*[nn.SequentialCell(nn.Dense(32, 32), nn.ReLU()) for _ in range(3)])
        self.head = nn.Dense(32, 4)

    def construct(self, x):
        return self.head(self.body(x))

class Batches:
    '''Yields a batch; once `is_slow`, without end.'''
    is_slow = False

    def __iter__(self):
        print("user's own output")
        sys.stderr.write("user's own warning\\n")
        yield x
        while self.is_slow:
            time.sleep(0.02)
            yield x

net, batches = Net(), Batches()
x = np.random.default_rng(0).standard_normal((4, 32)).astype(np.float32)
weights = [parameter.asnumpy().copy() for parameter in net.get_parameters()]
"""
INT8 = {"weights": "int8", "activations": "int8"}
ENDED = ("done", "cancelled", "failed")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    live = LiveKernel(tmp_path_factory.mktemp("live"), {"OMP_NUM_THREADS": "1"})
    live.run(NETWORK)
    yield live
    live.stop()
    assert "Traceback" not in live.log.read_text("utf-8")


@pytest.fixture(scope="module")
def shown(kernel):
    """Show a panel by its magic, and give its model's id and the message that shows it."""
    kernel.outputs.clear()
    kernel.run("%gs_panel net x --calibration batches -o qnet")
    displays = [message for message in kernel.outputs if message["msg_type"] == "display_data"]
    message = next(item for item in displays if "application/vnd.jupyter.widget-view+json" in item["content"]["data"])
    kernel.run(
        "panel = [widget for widget in __import__('ipywidgets').widgets.widget._instances.values()"
        " if isinstance(widget, gs.Panel)][0]"
    )
    return message["content"]["data"]["application/vnd.jupyter.widget-view+json"]["model_id"], message


@pytest.fixture(params=["main thread", "subshell"])
def panel(kernel, shown, request):
    """Give the panel's model, idle, asked in the main thread and in another one."""
    if request.param == "subshell" and kernel.subshell is None:
        kernel.create_subshell()
    elsewhere, kernel.subshell = kernel.subshell, kernel.subshell if request.param == "subshell" else None
    model = shown[0]
    kernel.run("batches.is_slow = False")
    # Like a browser, which says first that it is there.
    kernel.send(model, {"command": "ready", "in_place": True})
    kernel.set(model, options=INT8)
    kernel.until(model, lambda state: state["options"]["activations"] == "int8")
    yield model
    kernel.subshell = elsewhere
    assert kernel.run("print(all((p.asnumpy() == w).all() for p, w in zip(net.get_parameters(), weights)))") == "True\n"


@pytest.fixture
def model(kernel, shown):
    """Give the panel's model, asked in a thread of its own."""
    if kernel.subshell is None:
        kernel.create_subshell()
    return shown[0]


def ended(kernel, model, kind):
    """Wait until a job has begun and ended; return the state."""
    kernel.until(model, lambda state: (state["task"]["kind"], state["task"]["state"]) == (kind, "running"))
    return kernel.until(model, lambda state: state["task"]["state"] in ENDED)


def test_the_panel_is_shown_with_all_that_a_notebook_keeps(kernel, shown):
    model, message = shown
    assert set(message["content"]["data"]) == {
        *("text/plain", "text/html", "application/vnd.gsjupyter.view+json"),
        "application/vnd.jupyter.widget-view+json",
    }
    state = message["content"]["data"]["application/vnd.gsjupyter.view+json"]["state"]
    assert state["code"] == "%gs_convert net x --weights int8 --calibration batches -o qnet"
    assert [layer["name"] for layer in state["network"]["layers"]] == ["body.0.0", "body.1.0", "body.2.0", "head"]
    assert kernel.states[model]["code"] == state["code"]


def test_apply_converts_as_the_code_does_binds_the_name_and_keeps_output_below_the_panel(kernel, shown, panel):
    before = len(kernel.states[panel].get("results", []))
    kernel.run("qnet = None")
    kernel.outputs.clear()
    kernel.send(panel, {"command": "apply", "predicted_db": 33.5})
    state = ended(kernel, panel, "apply")
    assert (state["task"]["state"], state["problem"], len(state["results"])) == ("done", None, before + 1)
    assert state["task"]["kernel_id"] == kernel.id
    assert (state["results"][-1]["bound_to"], state["results"][-1]["predicted_db"]) == ("qnet", 33.5)
    code = state["code"]
    assert code == "%gs_convert net x --weights int8 --activations int8 --calibration batches -o qnet"
    said = [item for item in kernel.outputs if item["msg_type"] == "stream"]
    assert {item["content"]["text"] for item in said} == {"user's own output\n", "user's own warning\n"}
    # All of it in the cell that shows the panel.
    assert {item["parent_header"]["msg_id"] for item in said} == {shown[1]["parent_header"]["msg_id"]}
    kernel.run("applied = qnet\n" + code)
    assert kernel.run("print(applied.model.to_bytes() == qnet.model.to_bytes(), applied is qnet)") == "True False\n"


def test_cancel_stops_a_conversion_that_runs_and_leaves_everything_as_it_was(kernel, panel):
    kernel.run("batches.is_slow = True; qnet = 'as before'")
    results = kernel.states[panel].get("results", [])
    kernel.send(panel, {"command": "apply", "predicted_db": None})
    state = kernel.until(panel, lambda state: state["task"]["state"] == "running" and state["task"]["step"])
    if state["task"]["cancelled_by"] == "message":
        kernel.send(panel, {"command": "cancel"})
    else:
        # The browser has the server do that.
        kernel.manager.interrupt_kernel()
    state = kernel.until(panel, lambda state: state["task"]["state"] in ENDED)
    assert (state["task"]["state"], state["problem"]) == ("cancelled", None)
    assert state["options"] == {**state["options"], **INT8}
    assert kernel.run("print(qnet)") == "as before\n"
    # Too late, which changes nothing.
    kernel.send(panel, {"command": "cancel"})
    kernel.run("batches.is_slow = False")
    kernel.send(panel, {"command": "apply", "predicted_db": None})
    state = ended(kernel, panel, "apply")
    assert state["task"]["state"] == "done"
    assert [item["number"] for item in state["results"][:-1]] == [item["number"] for item in results][-7:]


def test_cancel_comes_by_a_message_where_messages_come_in_a_thread_of_their_own(kernel, panel, request):
    kernel.send(panel, {"command": "measure"})
    ways = {"main thread": "interrupt", "subshell": "message"}
    state = ended(kernel, panel, "measure")
    assert state["task"]["cancelled_by"] == ways[request.node.callspec.params["panel"]]
    # A cell that changes the panel has its messages come in the main thread, until another is answered.
    kernel.run("panel.apply()")
    assert kernel.until(panel, lambda state: state["task"]["kind"] == "apply")["task"]["cancelled_by"] == "interrupt"


def test_what_is_no_command_and_no_option_is_told_and_leaves_no_trace_elsewhere(kernel, panel):
    kernel.outputs.clear()
    bad = [None, {"command": "eval"}, {"command": "sketch"}, {"command": "export", "path": [], "overwrite": 1}]
    for content in bad:
        kernel.send(panel, content)
    kernel.until(panel, lambda state: state["problem"] and state["problem"]["command"] == "export")
    kernel.set(panel, options={**INT8, "layers": {"head": {"clipping": 7}}}, network={}, task=3)
    state = kernel.until(panel, lambda state: state["problem"] and state["problem"]["command"] == "options")
    assert state["problem"]["option"] == "layers"
    kernel.send(panel, {"command": "apply", "predicted_db": None})
    state = ended(kernel, panel, "apply")
    assert (state["task"]["state"], state["problem"]["option"]) == ("failed", "layers")
    assert kernel.run("print(panel.convert_options.layers, len(panel.network['layers']))") == "{} 4\n"
    kernel.set(panel, options=INT8)
    kernel.until(panel, lambda state: state["problem"] is None)
    # Nothing but what the cell has printed: no traceback, no line of a log.
    said = [item["content"] for item in kernel.outputs if item["msg_type"] in ("error", "stream")]
    assert [item.get("text") for item in said] == ["{} 4\n"]


def test_a_job_waits_for_a_cell_that_runs_and_can_be_taken_back(kernel, model):
    kernel.send(model, {"command": "measure"})
    ended(kernel, model, "measure")
    cell = kernel.client.execute("time.sleep(2)")
    time.sleep(0.3)
    kernel.send(model, {"command": "apply", "predicted_db": None})
    kernel.until(model, lambda state: (state["task"]["kind"], state["task"]["state"]) == ("apply", "waiting"), 1.5)
    kernel.send(model, {"command": "cancel"})
    kernel.until(model, lambda state: state["task"]["state"] == "cancelled", 1.5)
    kernel.finish(cell)


def test_a_benchmark_that_is_stopped_keeps_what_was_measured(kernel, model):
    asked = {"engines": ["onnxruntime"], "targets": ["cpu"], "batches": [], "threads": [1], "launches": 1}
    subject = kernel.states[model]["benchmark"]["subjects"][-1]["key"]
    kernel.send(model, {"command": "benchmark", "subjects": [subject], **asked, "duration_s": 10})
    kernel.until(model, lambda state: "round 2" in state["benchmark"]["live"])
    assert kernel.states[model]["task"]["cancelled_by"] == "message"
    kernel.send(model, {"command": "cancel"})
    state = kernel.until(model, lambda state: state["task"]["state"] in ENDED)
    assert (state["task"]["state"], state["benchmark"]["state"]) == ("cancelled", "stopped")
    assert kernel.run("print(len(panel.benchmark_result.rows[0].blocks) > 0)") == "True\n"
    assert state["benchmark"]["document"]["blocks"]


def test_the_notebook_keeps_what_was_seen_last(kernel, shown):
    model, message = shown
    kernel.outputs.clear()
    kernel.set(model, options={"weights": "int3"})
    end = time.monotonic() + 10
    updates = []
    while not updates and time.monotonic() < end:
        kernel.take(0.5)
        updates = [item for item in kernel.outputs if item["msg_type"] == "update_display_data"]
    assert updates[-1]["content"]["transient"] == message["content"]["transient"]
    state = updates[-1]["content"]["data"]["application/vnd.gsjupyter.view+json"]["state"]
    assert (state["options"]["weights"], len(state["results"])) == ("int3", len(kernel.states[model]["results"]))
    json.dumps(state, allow_nan=False)


def test_from_python_the_panel_works_like_the_functions_it_stands_for(kernel, shown):
    kernel.outputs.clear()
    said = kernel.run(
        "panel.options = {'weights': 'int4', 'layers': {'head': {'weights': 'int8'}}}\n"
        "made = panel.apply()\n"
        "print(made is panel.conversion is qnet, made.options.weights)\n"
        "try:\n    panel.options = {'weights': 'int1'}\nexcept gs.GsError as error:\n    print(error.message[:7])\n"
    )
    assert said.splitlines()[-2:] == ["True int4", "weights"]
    # In a notebook that runs by itself nothing is sent after the last cell.
    assert [item["msg_type"] for item in kernel.outputs if item["msg_type"] == "update_display_data"]


def test_a_closed_panel_leaves_nothing_behind(kernel, shown):
    said = kernel.run(
        "import comm, ipywidgets\npanel.close()\n"
        "print(len(comm.get_comm_manager().comms), len(ipywidgets.widgets.widget._instances))"
    )
    assert said.splitlines()[-1] == "0 0"
