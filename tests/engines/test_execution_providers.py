from __future__ import annotations

import onnxruntime
import pytest

from gsjupyter.engines import OnnxRuntimeModel, is_onnxruntime_installed, onnxruntime_version, providers
from gsjupyter.errors import EngineError
from tests.engines.onnx_files import affine


@pytest.fixture(scope="module")
def found():
    return providers()


def test_each_is_there_or_says_what_is_in_its_way(found):
    assert list(found) == ["cpu", "cuda", "tensorrt", "cann"]
    assert found["cpu"].is_available
    for provider in found.values():
        if provider.execution_provider not in onnxruntime.get_available_providers():
            assert not provider.is_available
            assert provider.obstacle == (
                f"ONNX Runtime {onnxruntime.__version__} as it is installed has no {provider.title}."
            )


@pytest.mark.parametrize(
    ("name", "package"), [("cuda", "onnxruntime-gpu"), ("tensorrt", "onnxruntime-gpu"), ("cann", "onnxruntime-cann")]
)
def test_one_that_is_not_there_is_refused_with_what_to_install(found, tmp_path, name, package):
    if found[name].is_available:
        pytest.skip(f"{name} is there")
    path = affine(tmp_path / "x.onnx")
    with pytest.raises(EngineError) as raised:
        OnnxRuntimeModel(path, provider=name)
    assert "ONNX Runtime" in raised.value.message
    assert package in raised.value.advice


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise ModuleNotFoundError('gone', name='onnxruntime')", r"ONNX Runtime isn't installed\."),
        ("import no_such_package", "ONNX Runtime can't be imported: No module named 'no_such_package'"),
        ("raise ImportError('libfoo.so: cannot open')", "ONNX Runtime can't be imported: libfoo.so: cannot open"),
    ],
)
def test_without_onnx_runtime_it_is_told_what_to_install(tmp_path, monkeypatch, source, message):
    (tmp_path / "onnxruntime.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EngineError, match=message) as raised:
        OnnxRuntimeModel(affine(tmp_path / "x.onnx"))
    assert "pip install onnxruntime" in raised.value.advice
    obstacles = {provider.obstacle for provider in providers().values()}
    assert obstacles == {raised.value.message}


def test_it_is_installed_here():
    assert is_onnxruntime_installed()
    assert onnxruntime_version() == onnxruntime.__version__


def test_the_cpu_in_place_of_another_provider_is_refused(tmp_path, monkeypatch):
    """A provider that doesn't start is replaced in silence: here by a package that does it as ONNX Runtime does."""
    (tmp_path / "onnxruntime.py").write_text(
        "import sys\n"
        "__version__ = '1.0'\n"
        "GraphOptimizationLevel = type('Level', (), {'ORT_ENABLE_ALL': 99})\n"
        "class SessionOptions:\n"
        "    def add_session_config_entry(self, key, value): pass\n"
        "def get_available_providers(): return ['CUDAExecutionProvider', 'CPUExecutionProvider']\n"
        "class InferenceSession:\n"
        "    def __init__(self, *arguments, **options):\n"
        "        print('libcudnn.so.9: cannot open shared object file', file=sys.stderr)\n"
        "    def get_providers(self): return ['CPUExecutionProvider']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        EngineError, match=r"CUDA didn't start, .* It said last: libcudnn\.so\.9: cannot open"
    ) as raised:
        OnnxRuntimeModel(affine(tmp_path / "x.onnx"), provider="cuda")
    assert "onnxruntime-gpu" in raised.value.advice
    assert providers()["cuda"].obstacle.startswith("CUDA didn't start")


def test_a_provider_that_crashes_is_in_nobody_elses_way(tmp_path, monkeypatch):
    (tmp_path / "onnxruntime.py").write_text(
        "import os\n"
        "__version__ = '1.0'\n"
        "GraphOptimizationLevel = type('Level', (), {'ORT_ENABLE_ALL': 99})\n"
        "class SessionOptions:\n"
        "    def add_session_config_entry(self, key, value): pass\n"
        "def get_available_providers(): return ['CUDAExecutionProvider', 'CPUExecutionProvider']\n"
        "class InferenceSession:\n"
        "    def __init__(self, source, options, providers, enable_fallback):\n"
        "        self.get_providers = lambda: providers\n"
        "        if providers[0] != 'CPUExecutionProvider': os.abort()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = providers(["cpu", "cuda"])
    assert found["cpu"].is_available
    assert found["cuda"].obstacle == "the process of ONNX Runtime crashed (SIGABRT)."


def test_only_the_providers_asked_for_are_tried():
    assert list(providers(["cpu"])) == ["cpu"]
