"""What a panel needs of its kernel, where there is none; `test_live_panel` has a real one."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

from gsjupyter.widgets.kernel import Kernel


class Stream(io.StringIO):
    """A stream that knows the cell whose output it is, as those of a kernel do."""

    def __init__(self, header):
        super().__init__()
        self.parent_header = header

    def set_parent(self, parent):
        self.parent_header = parent.get("header", parent)


class Loop:
    def __init__(self):
        self.asked = []

    def add_callback(self, callback):
        self.asked.append(callback)

    def call_later(self, delay_s, callback):
        self.asked.append((delay_s, callback))


@pytest.fixture
def cell():
    return {"header": {"msg_id": "of the panel"}}


@pytest.fixture
def kernel(cell):
    shell = SimpleNamespace(
        kernel=SimpleNamespace(io_loop=Loop()), user_ns={"net": 1}, get_parent=lambda: cell, display_pub=Stream({})
    )
    return Kernel(shell)


def test_without_a_kernel_everything_happens_at_once_and_output_is_left_alone():
    kernel = Kernel()
    done = []
    kernel.in_main_thread(lambda: done.append(1))
    kernel.later(0.0, lambda: done.append(2))
    with kernel.output_in(kernel.cell()):
        assert sys.stdout is sys.stdout
    assert (done, kernel.is_there, kernel.id, kernel.namespace) == ([1], False, None, {})
    assert not kernel.hears_while_it_works


def test_output_goes_to_a_cell_for_a_while_and_then_back(kernel, cell, monkeypatch):
    out, err = Stream({"msg_id": "another"}), Stream({})
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with kernel.output_in(cell):
        assert [stream.parent_header for stream in (out, err, kernel.shell.display_pub)] == [cell["header"]] * 3
    assert [stream.parent_header for stream in (out, err, kernel.shell.display_pub)] == [{"msg_id": "another"}, {}, {}]
    with kernel.output_in({}):
        assert out.parent_header == {"msg_id": "another"}


def test_whether_messages_come_meanwhile_is_seen_by_the_one_at_hand(kernel, cell):
    assert not kernel.hears_while_it_works
    cell["header"]["subshell_id"] = "a"
    assert kernel.hears_while_it_works


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("/run/kernel-0d2c9d1e-5c1b-4f0e-8d9a-1b2c3d4e5f60.json", "0d2c9d1e-5c1b-4f0e-8d9a-1b2c3d4e5f60"),
        ("/tmp/tmpabc.json", None),  # noqa: S108 - a name, and no file
        ("/run/kernel-1234.json", None),
    ],
)
def test_the_kernels_name_is_that_of_its_connection_file(kernel, monkeypatch, file, name):
    monkeypatch.setattr("ipykernel.connect.get_connection_file", lambda: file)
    assert kernel.id == name


def test_without_a_connection_file_the_name_is_not_known(kernel, monkeypatch):
    def fail():
        raise RuntimeError

    monkeypatch.setattr("ipykernel.connect.get_connection_file", fail)
    assert kernel.id is None
