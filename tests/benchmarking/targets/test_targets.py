from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version

import pytest

from gsjupyter.benchmarking.records import Device
from gsjupyter.benchmarking.targets import places
from gsjupyter.benchmarking.targets.ascend import Ascend
from gsjupyter.benchmarking.targets.machine import this_machine
from gsjupyter.benchmarking.targets.nvidia import Nvidia
from gsjupyter.benchmarking.targets.onednn import SlowConvolutions
from gsjupyter.benchmarking.targets.places import Place
from gsjupyter.benchmarking.targets.probes import find_npus, find_nvidia
from gsjupyter.benchmarking.targets.targets import Targets, find_places, targets
from gsjupyter.errors import OptionError
from gsjupyter.formats.lite import installation


@pytest.fixture(scope="module")
def found():
    return targets(check_onednn=False)


def by_name(found):
    return {(place.target, place.engine, place.provider): place for place in found}


def test_every_target_has_every_engine(found):
    assert [(place.target, place.engine, place.provider) for place in found] == [
        ("cpu", "mindspore", ""),
        ("cpu", "onnxruntime", "cpu"),
        ("cpu", "lite", ""),
        ("gpu", "mindspore", ""),
        ("gpu", "onnxruntime", "cuda"),
        ("gpu", "onnxruntime", "tensorrt"),
        ("gpu", "lite", ""),
        ("ascend", "mindspore", ""),
        ("ascend", "onnxruntime", "cann"),
        ("ascend", "lite", ""),
    ]
    assert len(found) == 10
    assert found[1:3] == tuple(found)[1:3]


def test_both_engines_run_on_the_cpu(found):
    there = by_name(found)
    for engine, provider in (("mindspore", ""), ("onnxruntime", "cpu")):
        place = there["cpu", engine, provider]
        assert place.is_available
        assert place.details == version(engine)


def test_a_target_that_is_not_there_says_what_was_looked_for(found):
    there = by_name(found)
    if not find_nvidia().driver:
        for engine, provider in (("mindspore", ""), ("onnxruntime", "cuda"), ("onnxruntime", "tensorrt")):
            assert "libnvidia-ml.so.1" in there["gpu", engine, provider].obstacle
            assert "driver" in there["gpu", engine, provider].advice
    if not find_npus().devices:
        assert "/dev/davinci0" in there["ascend", "onnxruntime", "cann"].obstacle
        assert "/dev/davinci0" in there["ascend", "mindspore", ""].obstacle
        assert find_npus().cann or "libge_runner.so" in there["ascend", "mindspore", ""].obstacle
    assert all(place.advice for place in found if not place.is_available)


def test_without_lites_package_it_says_what_to_get(monkeypatch):
    monkeypatch.setattr(installation, "find_package", lambda: None)
    (place,) = find_places(["cpu"], ["lite"])
    assert place.obstacle == "MindSpore Lite's Python package, mindspore_lite, isn't installed."
    assert place.advice.startswith("Get the wheel mindspore_lite for Python 3.")
    assert place.details == ""


def test_lites_own_program_is_named_where_there_is_no_package(tmp_path, monkeypatch):
    program = tmp_path / "tools" / "benchmark" / "benchmark"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    monkeypatch.setenv("LITE_HOME", str(tmp_path))
    monkeypatch.setattr(installation, "find_package", lambda: None)
    (place,) = find_places(["cpu"], ["lite"])
    assert f"gsjupyter.engines.LiteProgram('{program}') runs it." in place.advice


def test_all_is_shown(found):
    text = repr(found)
    assert "CPU     ONNX Runtime" in text
    assert next(line.split() for line in text.splitlines() if line.startswith("Target ")) == [
        *("Target", "Engine", "Works", "Installed")
    ]
    assert found.machine.processor in text
    if not find_nvidia().driver:
        assert "note: MindSpore on GPU: There is no NVIDIA GPU: no driver (libnvidia-ml.so.1) was found." in text
    assert "on CPU, GPU, Ascend: " in text


def test_notes_and_slow_convolutions_are_told_and_names_are_escaped():
    machine = replace(this_machine(), host="<script>", devices=(Device("gpu", "NVIDIA H100", 80_000_000_000),))
    place = Place("gpu", "mindspore", "", "MindSpore", "It lacks.", "Mend it.")
    shown = Targets(machine, (place,), ("This process may use less.",), SlowConvolutions(0.6, 0.0075))
    assert "warning: MindSpore's convolutions take a slow path" in repr(shown)
    assert "note: MindSpore on GPU: It lacks. Mend it." in repr(shown)
    assert "note: This process may use less." in repr(shown)
    assert "NVIDIA H100 with 80 GB" in repr(shown)
    assert "<script>" not in shown.to_html()


def test_only_what_is_wanted_is_tried(monkeypatch):
    def fail(*arguments, **options):
        raise AssertionError

    monkeypatch.setattr(places, "ask", fail)
    monkeypatch.setattr(places, "find_gpu_backend", fail)
    (place,) = find_places(["cpu"], ["onnxruntime"])
    assert place.is_available


def test_tensorrt_is_left_out_where_it_does_not_work():
    found = find_places(["gpu"], ["onnxruntime"])
    assert found[0].provider == "cuda"
    assert all(place.is_available for place in found[1:])


@pytest.mark.parametrize(("wanted", "engines"), [(["tpu"], ["mindspore"]), (["cpu"], ["tensorflow"])])
def test_an_unknown_name_is_refused(wanted, engines):
    with pytest.raises(OptionError, match=r"must be one of .*, not '(tpu|tensorflow)'"):
        find_places(wanted, engines)


def test_a_broken_mindspore_is_told_in_words(tmp_path, monkeypatch):
    (tmp_path / "mindspore.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    (place,) = find_places(["cpu"], ["mindspore"])
    assert place.obstacle == "MindSpore can't be imported: libgomp.so.1: cannot open shared object file."
    assert place.advice


def test_a_mindspore_that_crashes_is_told_in_words(tmp_path, monkeypatch):
    (tmp_path / "mindspore.py").write_text("import os; os.abort()")
    monkeypatch.syspath_prepend(tmp_path)
    (place,) = find_places(["cpu"], ["mindspore"])
    assert place.obstacle == "The process of MindSpore on the CPU crashed (SIGABRT)."


@pytest.mark.parametrize(
    ("source", "obstacle"),
    [
        ("raise ImportError('gone')", "MindSpore Lite is installed, but can't be imported: gone."),
        ("import os; os.abort()", "The process of MindSpore Lite crashed (SIGABRT)."),
    ],
)
def test_a_broken_lite_is_told_in_words(tmp_path, monkeypatch, source, obstacle):
    (tmp_path / "mindspore_lite.py").write_text(f"__version__ = '2.7.0'\n{source}")
    monkeypatch.syspath_prepend(tmp_path)
    (place,) = find_places(["cpu"], ["lite"])
    assert place.obstacle == obstacle


def test_devices_are_told_with_what_they_have(monkeypatch):
    card = Device("gpu", "NVIDIA H100", 80_000_000_000, "580.65")
    npu = Device("ascend", "Ascend 910B4", 1 << 35, "24.1")
    monkeypatch.setattr(places, "find_nvidia", lambda: Nvidia((card, card), "580.65", "13.0"))
    monkeypatch.setattr(places, "find_npus", lambda: Ascend((npu,), "8.5.0", "/usr/local/Ascend/cann", True))
    gpu, ascend = find_places(["gpu", "ascend"], ["lite"])
    assert gpu.details == "2 x NVIDIA H100 with 80 GB, driver 580.65, CUDA up to 13.0"
    assert ascend.details == "Ascend 910B4 with 34 GB, driver 24.1, CANN 8.5.0"


def test_the_notebook_gets_no_mindspore_by_it(tmp_path):
    program = (
        "import sys; from gsjupyter.benchmarking.targets.machine import this_machine; this_machine(); "
        "from gsjupyter.benchmarking.targets.targets import find_places; "
        "print(find_places(['cpu'], ['mindspore'])[0].is_available, 'mindspore' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert told.stdout == "True False\n"
