import os
import sys

import pytest

from gsjupyter.errors import EngineError
from gsjupyter.formats.lite import find_benchmark, find_converter, what_to_get
from gsjupyter.formats.lite.installation import _what_to_get, libraries_of, program_environment
from tests.formats.lite.fakes import program


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    """Let nothing be found but what a test makes."""
    monkeypatch.delenv("LITE_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])


@pytest.fixture
def release(tmp_path):
    """Give a folder like that of a release."""
    folder = tmp_path / "mindspore-lite-2.3.0rc1-linux-x64"
    program(folder / "tools/converter/converter/converter_lite", "true")
    program(folder / "tools/benchmark/benchmark", "true")
    for libraries in ("tools/converter/lib", "runtime/lib", "runtime/third_party/libjpeg-turbo/lib"):
        (folder / libraries).mkdir(parents=True)
    return folder


@pytest.fixture
def package(tmp_path):
    """Give a package that would crash this process if it were imported."""
    folder = tmp_path / "site/mindspore_lite"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("import os; os.abort()")
    (folder / "version.py").write_text("__version__ = '2.2.14'\n")
    return folder


def test_a_release_that_is_named_by_its_folder_or_its_program(release):
    place = release / "tools/converter/converter/converter_lite"
    for configured in (release, release / "tools/converter", place):
        found = find_converter(str(configured))
        assert (found.kind, found.path, found.found_by) == ("program", place, "the configured path")
        assert found.title == "converter_lite 2.3.0rc1"
    for configured in (release, place):
        assert find_benchmark(str(configured)) == release / "tools/benchmark/benchmark"


def test_the_environment_names_a_release(release, monkeypatch):
    monkeypatch.setenv("LITE_HOME", str(release))
    assert find_converter().found_by == "LITE_HOME"
    assert find_benchmark() == release / "tools/benchmark/benchmark"


def test_what_is_configured_goes_before_the_environment(release, tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_HOME", str(tmp_path / "nowhere"))
    assert find_converter(str(release)).found_by == "the configured path"
    assert find_benchmark(str(release)) is not None


def test_a_link_on_the_path_leads_to_its_release(release, tmp_path):
    links = tmp_path / "bin"
    links.mkdir()
    place = release / "tools/converter/converter/converter_lite"
    (links / "converter_lite").symlink_to(place)
    found = find_converter()
    assert (found.path, found.found_by, found.version) == (place, "PATH", "2.3.0rc1")
    assert find_benchmark() == release / "tools/benchmark/benchmark"


def test_another_program_with_the_name_benchmark_is_not_lites(release, tmp_path):
    program(tmp_path / "bin/benchmark", "true")
    assert find_benchmark() is None
    (tmp_path / "bin/benchmark").unlink()
    (tmp_path / "bin/benchmark").symlink_to(release / "tools/benchmark/benchmark")
    assert find_benchmark() == release / "tools/benchmark/benchmark"


def test_the_package_is_found_without_importing_it(package):
    found = find_converter()
    assert (found.kind, found.path, found.title) == ("package", package, "mindspore_lite 2.2.14")
    assert "mindspore_lite" not in sys.modules
    assert find_benchmark() is None


def test_a_program_on_the_path_goes_before_the_package(package, tmp_path):
    program(tmp_path / "bin/converter_lite", "true")
    assert find_converter().kind == "program"


def test_the_loader_is_told_of_all_libraries_of_a_release(release, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    place = release / "tools/benchmark/benchmark"
    libraries = libraries_of(place)
    assert libraries == (
        release / "tools/converter/lib",
        release / "runtime/lib",
        release / "runtime/third_party/libjpeg-turbo/lib",
    )
    told = program_environment(place)
    assert told["LD_LIBRARY_PATH"].split(os.pathsep) == [*map(str, libraries), "/opt/lib"]
    assert told["PATH"] == os.environ["PATH"]
    assert find_converter(str(release)).environment() == told


@pytest.mark.parametrize("find", [find_converter, find_benchmark])
def test_a_place_that_leads_nowhere_is_told_and_not_passed_over(find, package, tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_HOME", str(tmp_path / "gone"))
    with pytest.raises(EngineError, match=r"LITE_HOME is .*gone, and there is nothing\."):
        find()
    with pytest.raises(EngineError, match=r"the configured path is .*away, and there is nothing\."):
        find(str(tmp_path / "away"))


def test_a_folder_without_the_converter_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("LITE_HOME", str(tmp_path))
    with pytest.raises(EngineError, match="there is no tools/converter/converter/converter_lite in it") as caught:
        find_converter()
    assert what_to_get() in caught.value.advice
    assert find_benchmark() is None


def test_a_program_that_cannot_be_run_is_told(release):
    place = release / "tools/converter/converter/converter_lite"
    place.chmod(0o644)
    with pytest.raises(EngineError, match="isn't executable") as caught:
        find_converter(str(release))
    assert f"chmod +x {place}" in caught.value.advice


def test_nothing_installed_says_what_to_get():
    with pytest.raises(EngineError, match="MindSpore Lite isn't installed here") as caught:
        find_converter()
    assert caught.value.advice == what_to_get()


@pytest.mark.parametrize(
    ("python", "system", "machine", "words", "absent"),
    [
        ((3, 11), "Linux", "x86_64", ("linux-x64", "wheel mindspore_lite for Python 3.11 (cp311)"), "no wheel"),
        ((3, 9), "Linux", "aarch64", ("linux-aarch64", "(cp39)", "LITE_HOME"), "x64"),
        ((3, 12), "Linux", "x86_64", ("linux-x64", "for Python 3.9 to 3.11, and this is 3.12", "LITE_HOME"), "pip"),
        ((3, 11), "Darwin", "arm64", ("runs on Linux", "not on Darwin, arm64"), "pip"),
        ((3, 10), "Windows", "AMD64", ("runs on Linux", "not on Windows, AMD64"), "LITE_HOME"),
        ((3, 11), "Linux", "riscv64", ("not on Linux, riscv64",), "LITE_HOME"),
    ],
)
def test_what_to_get_fits_the_python_and_the_platform(python, system, machine, words, absent):
    told = _what_to_get(python, system, machine)
    assert all(word in told for word in (*words, "%gs_export qnet lenet.ms --bundle"))
    assert absent not in told
