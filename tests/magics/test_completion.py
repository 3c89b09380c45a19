from dataclasses import fields

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from gsjupyter.benchmarking.records import ENGINES, TARGETS
from gsjupyter.export_formats import FORMATS
from gsjupyter.formats.lite.settings import DEVICES, INPUT_FORMATS, QUANTIZATIONS
from gsjupyter.magics import _MAGICS
from gsjupyter.magics.arguments import options_of
from gsjupyter.magics.completion import CHOICES
from gsjupyter.magics.settings import CELL_KEYS
from gsjupyter.options import ACTIVATIONS, GRANULARITIES, ROUNDINGS, WEIGHTS, ConvertOptions
from gsjupyter.quantization import OBSERVERS
from gsjupyter.report.layer_columns import COLUMN_NAMES


@pytest.fixture(scope="module")
def ipython(tmp_path_factory):
    config = Config({"HistoryManager": {"enabled": False}})
    shell = InteractiveShell.instance(ipython_dir=str(tmp_path_factory.mktemp("ipython")), config=config)
    shell.run_line_magic("load_ext", "gsjupyter")
    shell.user_ns.update(network=1, batches=2, _hidden=3)
    yield shell
    shell.run_line_magic("unload_ext", "gsjupyter")
    InteractiveShell.clear_instance()


@pytest.fixture
def complete(ipython):
    def completions(text):
        with provisionalcompleter():
            return [text[: item.start] + item.text for item in ipython.Completer.completions(text, len(text))]

    return completions


def test_a_cell_takes_the_options_of_a_conversion():
    options = {item.name for item in fields(ConvertOptions)}
    assert set(CELL_KEYS) == {*options, "ckpt", "calibration", "labels", "keep"}


def test_the_choices_are_those_of_the_options():
    assert CHOICES == {
        "--weights": WEIGHTS,
        "--activations": ACTIVATIONS,
        "--granularity": GRANULARITIES,
        "--weight-observer": OBSERVERS,
        "--activation-observer": OBSERVERS,
        "--rounding": ROUNDINGS,
        "--sort": COLUMN_NAMES,
        "--format": FORMATS,
        "--device": DEVICES,
        "--quantization": QUANTIZATIONS,
        "--input-format": INPUT_FORMATS,
        "--targets": TARGETS,
        "--engines": ENGINES,
    }


@pytest.mark.parametrize("magic", ["gs_convert", "gs_export", "gs_sensitivity"])
def test_every_option_is_offered(magic, complete):
    offered = complete(f"%{magic} network --")
    options = [name for name in options_of(getattr(_MAGICS[magic], magic).parser) if name.startswith("--")]
    assert set(offered) >= {f"%{magic} network {name}" for name in options}


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("%gs_convert network x --gran", ["%gs_convert network x --granularity"]),
        ("%gs_convert network x --weights f", [f"%gs_convert network x --weights float{bits}" for bits in (16, 32)]),
        (
            "%gs_convert network x --weights ",
            [f"%gs_convert network x --weights {name}" for name in sorted(WEIGHTS)],
        ),
        ("%gs_convert network x --granularity t", ["%gs_convert network x --granularity tensor"]),
        ("qnet = %gs_convert network x --ann", ["qnet = %gs_convert network x --annotate-only"]),
        ("%%gs_convert network x --ann", ["%%gs_convert network x --annotate-only"]),
        ("%gs_bench network --targets cpu g", ["%gs_bench network --targets cpu gpu"]),
        ("%gs_bench network --targets cpu --eng", ["%gs_bench network --targets cpu --engines"]),
        ("%gs_export network a.mindir --over", ["%gs_export network a.mindir --overwrite"]),
        ("%gs_export network a.ms --device g", ["%gs_export network a.ms --device gpu"]),
    ],
)
def test_options_and_their_values_are_completed(text, offered, complete):
    assert complete(text) == offered


@pytest.mark.parametrize("text", ["%gs_convert netw", "%gs_convert x netw", "%gs_convert network x --calibration batc"])
def test_names_of_the_notebook_are_completed(text, complete):
    assert any(item.endswith(("network", "batches")) for item in complete(text))


def test_hidden_names_are_not_offered(complete):
    assert not any("_hidden" in item for item in complete("%gs_convert _hid"))


def test_files_are_offered_where_a_path_may_be(complete, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet.mindir").touch()
    assert "%gs_convert lenet.mindir" in complete("%gs_convert len")


def test_other_magics_are_left_alone(complete):
    assert not any("--weights" in item for item in complete("%timeit --"))
    assert not any("--weights" in item for item in complete("x --"))
