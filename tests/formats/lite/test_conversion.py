import os
import signal
import stat
import threading
import time
from pathlib import Path

import psutil
import pytest

from gsjupyter.errors import EngineError
from gsjupyter.formats.lite import ConversionError, Installation, LiteSettings, convert_file, shell_line
from tests.formats.lite.fakes import model_bytes, program

FLOAT = LiteSettings()


@pytest.fixture
def folder(tmp_path):
    """Give a folder with a network and an older file."""
    place = tmp_path / "models"
    place.mkdir()
    (place / "net.mindir").write_bytes(b"a network")
    (place / "net.ms").write_bytes(b"the older one")
    (tmp_path / "good.ms").write_bytes(model_bytes())
    return place


@pytest.fixture
def convert(folder, tmp_path):
    """Convert with a program that does what a test says."""

    def converted(body, settings=FLOAT, **options):
        place = program(tmp_path / "lite/tools/converter/converter/converter_lite", body)
        found = Installation("program", place, "PATH")
        return convert_file(found, folder / "net.mindir", folder / "net.ms", settings, **options)

    return converted


def assert_as_before(folder):
    assert sorted(file.name for file in folder.iterdir()) == ["net.mindir", "net.ms"]
    assert (folder / "net.ms").read_bytes() == b"the older one"


def good(tmp_path):
    return f'cp {tmp_path}/good.ms "$output.ms"; chmod 400 "$output.ms"; echo CONVERT RESULT SUCCESS:0'


def test_a_whole_file_takes_its_place(convert, folder, tmp_path):
    done = convert(good(tmp_path))
    assert (folder / "net.ms").read_bytes() == model_bytes()
    assert sorted(file.name for file in folder.iterdir()) == ["net.mindir", "net.ms"]
    assert (done.path, done.writer, done.log) == (
        folder / "net.ms",
        "MindSpore Lite 2.3.0",
        "CONVERT RESULT SUCCESS:0\n",
    )
    assert shell_line("converter_lite", done.command).endswith("--saveType=MINDIR_LITE --optimize=general")
    assert f"--outputFile={folder}/net" in done.command


def test_others_may_read_the_file_as_any_new_one(convert, folder, tmp_path):
    convert(good(tmp_path))
    new = tmp_path / "new"
    new.touch()
    assert stat.S_IMODE((folder / "net.ms").stat().st_mode) == stat.S_IMODE(new.stat().st_mode)


def test_what_else_the_converter_writes_is_gone(convert, folder, tmp_path):
    convert(f'echo debug > statistics.csv; echo debug > "$output.txt"; {good(tmp_path)}')
    assert sorted(file.name for file in folder.iterdir()) == ["net.mindir", "net.ms"]


def test_names_with_spaces_and_quotes_are_no_trouble(tmp_path):
    folder = tmp_path / "it's a 'folder' $(x)"
    folder.mkdir()
    (tmp_path / "good.ms").write_bytes(model_bytes())
    found = Installation("program", program(tmp_path / "converter_lite", good(tmp_path)), "PATH")
    convert_file(found, folder / "a b.mindir", folder / "a b.ms", LiteSettings())
    assert (folder / "a b.ms").read_bytes() == model_bytes()


def test_it_runs_beside_its_configuration_with_its_libraries(convert, tmp_path):
    (tmp_path / "lite/tools/converter/lib").mkdir(parents=True)
    configuration = tmp_path / "quantization/lite.cfg"
    configuration.parent.mkdir()
    configuration.write_text("[common_quant_param]\n")
    done = convert(f"pwd; echo $LD_LIBRARY_PATH; {good(tmp_path)}", configuration=configuration)
    where, libraries, _ = done.log.splitlines()
    assert where == str(configuration.parent.resolve())
    assert libraries.startswith(str(tmp_path / "lite/tools/converter/lib"))
    assert f"--configFile={configuration}" in done.command


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("exit 3", "failed \\(exit code 3\\)"),
        ("kill -ABRT $$", "crashed \\(SIGABRT\\)"),
        ("echo CONVERT RESULT SUCCESS:0", "says that it succeeded, but wrote no file"),
        ('echo nonsense > "$output.ms"; echo CONVERT RESULT SUCCESS:0', "wrote nonsense"),
        ('head -c 100 ../../../good.ms > "$output.ms"; echo CONVERT RESULT SUCCESS:0', "wrote nonsense"),
        ('cp ../../../good.ms "$output.ms"; echo CONVERT RESULT FAILED:-1', "says that it failed"),
        ('cp ../../../good.ms "$output.ms"; kill -SEGV $$', "crashed \\(SIGSEGV\\)"),
        (
            "echo 'x: error while loading shared libraries: libfoo.so: cannot open shared object file'; exit 127",
            "the library libfoo.so isn't found",
        ),
    ],
)
def test_a_failure_leaves_everything_as_it_was(convert, folder, body, words):
    with pytest.raises(ConversionError, match=words):
        convert(body)
    assert_as_before(folder)


def test_a_converter_that_hangs_is_ended_and_leaves_nothing(convert, folder, tmp_path):
    with pytest.raises(ConversionError, match=r"took more than 0\.4 s, and was ended: net\.mindir isn't converted\."):
        convert(f'echo half > "$output.ms"; mktemp > {tmp_path}/temporary; sleep 1000', limit_s=0.4)
    assert_as_before(folder)
    assert not Path((tmp_path / "temporary").read_text().strip()).exists()


def test_an_interrupt_ends_it_with_its_children_and_leaves_nothing(convert, folder, tmp_path):
    def interrupt():
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        convert(
            f'echo half > "$output.ms"; sleep 1000 & echo $! > {tmp_path}/child; touch {tmp_path}/begun; sleep 1000'
        )
    assert_as_before(folder)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_tells_how_far_it_is(convert, tmp_path):
    told = []
    convert(f"echo quantizing layer 3; sleep 1.2; {good(tmp_path)}", tell=told.append)
    assert told == ["MindSpore Lite converts net.ms, 1 s: quantizing layer 3"]


PACKAGE = """
import os, sys
assert "mindspore" not in sys.modules and "gsjupyter" not in sys.modules
class FmkType: MINDIR = 3
class ModelType: MINDIR_LITE = 1
class Format: NCHW = "nchw"; NHWC = "nhwc"
class Converter:
    def convert(self, kind, model, output, weights, configuration):
        print(kind, self.save_type, self.weight_fp16, self.optimize, configuration, os.path.basename(model))
        print(getattr(self, "input_format", None), getattr(self, "input_shape", None))
        {body}
"""


@pytest.fixture
def convert_with_package(folder, tmp_path):
    """Convert with a package that does what a test says."""

    def converted(body, settings=FLOAT, **options):
        package = tmp_path / "site/mindspore_lite"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(PACKAGE.replace("{body}", body))
        found = Installation("package", package, "Python's path", "2.2.0")
        return convert_file(found, folder / "net.mindir", folder / "net.ms", settings, **options)

    return converted


def test_the_package_converts_in_a_process_of_its_own(convert_with_package, folder, tmp_path):
    copy = f'open(output + ".ms", "wb").write(open({str(tmp_path / "good.ms")!r}, "rb").read())'
    settings = LiteSettings(float16=True, input_format="NCHW", input_shapes={"x": (1, 3)})
    done = convert_with_package(copy, settings)
    assert (folder / "net.ms").read_bytes() == model_bytes()
    assert done.log == "3 1 True general  net.mindir\nnchw {'x': [1, 3]}\n"
    assert "--fp16=on" in done.command


def test_a_package_that_fails_is_told_in_its_own_words(convert_with_package, folder):
    with pytest.raises(
        ConversionError, match=r"mindspore_lite 2\.2\.0 failed \(exit code 1\).* RuntimeError: bad luck\.\n"
    ):
        convert_with_package('raise RuntimeError("bad luck")')
    assert_as_before(folder)


def test_a_package_that_aborts_takes_nothing_with_it(convert_with_package, folder):
    with pytest.raises(ConversionError, match=r"mindspore_lite 2\.2\.0 crashed \(SIGABRT\)"):
        convert_with_package("os.abort()")
    assert_as_before(folder)


def test_a_program_that_is_gone_is_told(folder):
    found = Installation("program", Path("/nowhere/converter_lite"), "PATH")
    with pytest.raises(EngineError, match="converter_lite can't be started: No such file or directory"):
        convert_file(found, folder / "net.mindir", folder / "net.ms", LiteSettings())
    assert_as_before(folder)
