"""A kernel with what a browser does with widgets: their state, messages to them, in the main thread and in another."""

from __future__ import annotations

import os
import queue
import time
import uuid

from jupyter_client.manager import KernelManager


class LiveKernel:
    """A kernel that runs cells, and talks with widgets as a front end does."""

    def __init__(self, root, environment):
        folder = root / "notebooks"
        folder.mkdir()
        self.id = str(uuid.uuid4())
        self.log = root / "log.txt"
        # As a server calls it.
        self.manager = KernelManager(kernel_name="python3", connection_file=str(root / f"kernel-{self.id}.json"))
        given = {"IPYTHONDIR": str(root / "ipython"), **environment}
        with self.log.open("wb") as log:
            self.manager.start_kernel(cwd=str(folder), env={**os.environ, **given}, stdout=log, stderr=log)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.states = {}
        self.outputs = []
        self.subshell = None

    def create_subshell(self):
        """Let widgets' messages come in a thread of their own from now on, as in JupyterLab."""
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        self.subshell = self.client.control_channel.get_msg(timeout=30)["content"]["subshell_id"]

    def run(self, code, timeout=120):
        """Run a cell and return what it prints."""
        return self.finish(self.client.execute(code, allow_stdin=False), timeout)

    def finish(self, request, timeout=120):
        """Wait for a cell and return what it printed."""
        texts = []
        while True:
            message = self.take(timeout)
            if message is None or message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                texts.append(content["text"])
            elif kind == "execute_result":
                texts.append(content["data"]["text/plain"])
            elif kind == "error":
                raise AssertionError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return "".join(texts)

    def send(self, widget, content):
        """Send a widget a command."""
        return self._comm(widget, {"method": "custom", "content": content})

    def set(self, widget, **state):
        """Set traits of a widget."""
        return self._comm(widget, {"method": "update", "state": state, "buffer_paths": []})

    def _comm(self, widget, data):
        message = self.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        if self.subshell is not None:
            message["header"]["subshell_id"] = self.subshell
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def until(self, widget, condition, timeout=60):
        """Take what the kernel sends until a widget's state is as wanted, and return it."""
        end = time.monotonic() + timeout
        while not condition(self.states.setdefault(widget, {})):
            left = end - time.monotonic()
            assert left > 0, self.states[widget]
            self.take(left)
        return self.states[widget]

    def take(self, timeout):
        """Take the next message that the kernel sends, and keep what it says of widgets; None if none comes."""
        try:
            message = self.client.get_iopub_msg(timeout=timeout)
        except queue.Empty:
            return None
        content = message["content"]
        if message["msg_type"] in ("comm_open", "comm_msg") and content["data"].get("method") != "custom":
            self.states.setdefault(content["comm_id"], {}).update(content["data"].get("state", {}))
        elif message["msg_type"] in ("stream", "error", "display_data", "update_display_data"):
            self.outputs.append(message)
        return message

    def stop(self):
        """End the kernel."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
