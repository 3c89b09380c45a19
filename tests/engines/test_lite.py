from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gsjupyter.engines import LiteModel
from gsjupyter.engines.lite_session import check_device
from gsjupyter.engines.measured import MeasuredModel
from gsjupyter.errors import EngineError, ModelFileError, OptionError
from tests.engines.lite_files import lite_file

ROOT = Path(__file__).parent.parent.parent
# What comes before the engine fails: everything that is called until then.
STUB = """
import ctypes, enum, os, sys, time
__version__ = "2.7.0"
class ModelType(enum.Enum):
    MINDIR = 0
    MINDIR_LITE = 4
class Cpu:
    thread_num = 0
class Context:
    def __init__(self):
        self.cpu, self.target = Cpu(), []
class Model:
    def build_from_file(self, path, kind, context):
        assert (kind, context.target, context.cpu.thread_num) == (ModelType.MINDIR_LITE, ["cpu"], 2)
        {fault}
"""


@pytest.fixture
def file(tmp_path):
    return lite_file(tmp_path / "net.ms")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give what puts a package in Lite's place, in processes that are started."""

    def put(source):
        folder = tmp_path / "packages"
        folder.mkdir()
        (folder / "mindspore_lite.py").write_text(source)
        monkeypatch.syspath_prepend(folder)

    return put


def start_both(file):
    """Start a model to be called, and one to be measured: they say the same."""
    errors = []
    for start in (lambda: LiteModel(file, threads=2), MeasuredModel("lite", file, threads=2).start):
        with pytest.raises((EngineError, ModelFileError)) as raised:
            start()
        errors.append(raised.value)
    assert errors[0].args == errors[1].args
    return errors[0]


def test_without_the_package_it_says_what_to_get(file, package):
    package("raise ModuleNotFoundError(\"No module named 'mindspore_lite'\", name='mindspore_lite')")
    error = start_both(file)
    assert error.message == "MindSpore Lite's Python package, mindspore_lite, isn't installed."
    assert error.advice.startswith("Get the wheel mindspore_lite for Python 3.")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_module", "but can't be imported: No module named 'no_such_module'."),
        (
            "raise ImportError('libglog.so.0: cannot open shared object file')",
            "libglog.so.0: cannot open shared object",
        ),
        ("import os; os.abort()", r"the process of MindSpore Lite crashed (SIGABRT)."),
    ],
)
def test_a_package_that_can_not_be_imported_says_why(file, package, source, message):
    package(source)
    with pytest.raises(EngineError) as raised:
        MeasuredModel("lite", file, threads=2).start()
    assert message in raised.value.message


def test_the_reason_is_taken_from_the_engines_log(file, package):
    line = "[ERROR] LITE(1,7f,python):2026-01-02-03:04:05.006 [src/{}.cc:19] Load] {}"
    log = "\n".join([line.format("schedule", "Unsupported op: Conv9D."), line.format("session", "Import model failed")])
    package(STUB.format(fault=f"print({log!r}, file=sys.stderr); raise RuntimeError('Error is -1.')"))
    error = start_both(file)
    assert isinstance(error, ModelFileError)
    assert error.message == "MindSpore Lite 2.7.0 can't load net.ms: Unsupported op: Conv9D; Import model failed."
    assert "the release of MindSpore Lite that runs it" in error.advice


def test_without_a_log_its_exception_must_do(file, package):
    package(STUB.format(fault="raise RuntimeError('build_from_file failed! Error is Common error code.')"))
    assert start_both(file).message.endswith("net.ms: build_from_file failed! Error is Common error code.")


def test_a_crash_ends_nothing_but_its_process(file, package):
    package(STUB.format(fault="ctypes.string_at(0)"))
    with pytest.raises(ModelFileError, match=r"net\.ms makes MindSpore Lite crash: .* crashed \(SIGSEGV\)"):
        LiteModel(file, threads=2)


def test_memory_that_runs_out_is_told(file, package):
    package(STUB.format(fault="raise MemoryError"))
    assert start_both(file).message == "there isn't enough memory for net.ms."


def test_one_that_hangs_is_ended(file, package):
    package(STUB.format(fault="time.sleep(60)"))
    with pytest.raises(EngineError, match=r"MindSpore Lite took more than .* s, and was ended"):
        MeasuredModel("lite", file, threads=2).start(limit_s=1)


@pytest.mark.parametrize("name", ["gone.ms", "gone.mindir", "text.ms"])
def test_what_is_no_file_of_lites_never_reaches_the_engine(tmp_path, package, name):
    package(STUB.format(fault="os.abort()"))
    (tmp_path / "text.ms").write_text("no model at all")
    with pytest.raises(ModelFileError, match=r"there is no file|is no file of MindSpore Lite's"):
        LiteModel(tmp_path / name, threads=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "device must be one of cpu, gpu, ascend, not 'tpu'"),
        ({"threads": 0}, "threads must be a whole number from 1 on, not 0"),
    ],
)
def test_what_there_is_not_is_refused(file, options, message):
    with pytest.raises(OptionError, match=message):
        LiteModel(file, **options)


@pytest.mark.parametrize(
    ("device", "loaded", "runs"),
    [
        ("cpu", "", True),
        ("gpu", "", False),
        ("gpu", "7f00 r-xp /usr/lib/libnvinfer.so.8", True),
        ("gpu", "7f00 r-xp /usr/lib/libascendcl.so", False),
        ("ascend", "7f00 r-xp /usr/local/Ascend/lib64/libascendcl.so", True),
        ("ascend", "7f00 r-xp /usr/lib/libcuda.so.1", False),
    ],
)
def test_a_device_must_have_been_loaded_by_the_engine(tmp_path, device, loaded, runs):
    (tmp_path / "maps").write_text(loaded)
    if runs:
        check_device(device, tmp_path / "maps")
        return
    with pytest.raises(EngineError, match="would take the CPU in its place"):
        check_device(device, tmp_path / "maps")
    check_device(device, tmp_path / "no Linux")


def test_its_process_has_no_mindspore():
    program = "import sys, gsjupyter.engines.lite_worker; print([name for name in sys.modules if 'mindspore' in name])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout == "[]\n"
