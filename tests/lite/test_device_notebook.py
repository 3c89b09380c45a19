"""The notebook that goes the way to a device, run in a real kernel with the real engine of MindSpore Lite 2.0.0."""

import re
import zipfile
from pathlib import Path

import pytest

from notebooks.run_quickstart import printed, run

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "device.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("device")


@pytest.fixture(scope="module")
def cells(folder, lite_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITE_HOME", str(lite_home))
        patch.setenv("PYTHONPATH", str(lite_home / "python"))
        return [cell for cell in run(folder, NOTEBOOK).cells if cell.cell_type == "code"]


def text_of(cells, begin):
    cell = next(cell for cell in cells if cell.source.startswith(begin))
    shown = [output.data["text/plain"] for output in cell.outputs if "data" in output]
    return printed(cell) + "".join(shown)


def test_the_bundle_holds_what_it_takes(cells, folder):
    with zipfile.ZipFile(folder / "lenet_int8.ms.zip") as bundle:
        assert {"lenet_int8.mindir", "convert.sh", "example/input0.bin"} <= set(bundle.namelist())
    assert "converter_lite --fmk=MINDIR --modelFile=lenet_int8.mindir" in text_of(cells, "import zipfile")


def test_lite_is_found(cells):
    assert re.search(r"MindSpore Lite.*2\.0\.0", text_of(cells, "%gs_targets"))


def test_the_files_are_small_and_right(cells):
    found = re.findall(r"(\w+)\.ms +[\d,]+ bytes \((\d+)%\), test accuracy ([\d.]+)%", text_of(cells, "def accuracy"))
    shares = {name: int(share) for name, share, _ in found}
    accuracies = {name: float(accuracy) for name, _, accuracy in found}
    assert set(shares) == {"lenet_float", "lenet_float16", "lenet_int8", "lenet_full"}
    assert shares["lenet_int8"] <= 40
    assert shares["lenet_full"] <= 40
    assert accuracies["lenet_float"] > 95
    assert min(accuracies.values()) >= accuracies["lenet_float"] - 1


def test_both_files_are_measured(cells):
    shown = text_of(cells, "%gs_bench")
    assert "lenet_float.ms" in shown
    assert "lenet_int8.ms" in shown
