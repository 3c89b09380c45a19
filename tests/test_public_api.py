from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import FunctionType

import pytest

PUBLIC = {
    "gsjupyter": [
        "Artifact",
        "Benchmark",
        "Conversion",
        "ConvertOptions",
        "ExportOnTrainEnd",
        "GsError",
        "Panel",
        "benchmark",
        "convert",
        "export",
        "load",
        "panel",
        "sensitivity",
        "targets",
    ],
    "gsjupyter.engines": [
        *("LiteModel", "LiteProgram", "MindSporeModel", "OnnxRuntimeModel", "Provider", "is_onnxruntime_installed"),
        *("onnxruntime_version", "providers"),
    ],
    "gsjupyter.formats": ["Manifest", "check_files", "manifest_path", "sha256"],
    "gsjupyter.formats.lite": [
        *("CalibrationFiles", "ConversionError", "Converted", "Installation", "LiteScheme", "LiteSettings"),
        *("MissingOperatorError", "arguments", "check_file", "check_shapes", "configuration_text", "convert_file"),
        *("find_benchmark", "find_converter", "lite_scheme", "shell_line", "what_to_get", "write_calibration"),
    ],
    "gsjupyter.formats.onnx": ["save", "to_onnx"],
    "gsjupyter.magics": ["errors_in_words", "register", "unregister"],
    "gsjupyter.mindir": [
        *("Array", "AttributeValue", "Constant", "Graph", "InnerRunner", "Input", "InputSpec", "Model"),
        *("Node", "Opaque", "Output", "Parameter", "Runner", "Scope", "TYPE_IDS", "Value", "as_tensor"),
        *("check_inputs", "flat_output", "load_model", "model_from_cell", "run_with", "save_model"),
    ],
    "gsjupyter.passes": [
        *("ActivationStatistics", "Change", "CorrectBias", "EqualizeLayers", "Float16Weights"),
        *("FoldBatchNorm", "FoldConstants", "FoldMasks", "Functionalize", "InferenceMode", "LayerSetting"),
        *("LayerSettings", "LinearOperator", "NoteOutputs", "PackWeights", "Pass", "PassResult", "Pipeline"),
        *("QuantizeActivations", "QuantizeWeights", "RemoveChannels", "RemoveDeadCode"),
        *("SmoothActivations", "UnpackWeights", "activation_inputs", "apply", "linear_operators"),
        *("watched_outputs",),
    ],
    "gsjupyter.quantization": [
        *("ACTIVATION_UINT8", "ActivationSketch", "Allocation", "Granularity", "OBSERVERS"),
        *("QuantizedArray", "Scheme", "WEIGHT_INT8", "WeightSketch", "activation_range"),
        *("check_granularity", "check_observer", "cosine_similarity", "error_power", "from_blocks"),
        *("group_size_of", "max_abs_error", "parse_budget", "parse_max_drop", "quantize"),
        *("quantize_weight", "scale_and_zero_point", "smallest_setting", "sqnr_db", "to_blocks"),
        *("weight_clipping",),
    ],
    "gsjupyter.report": [
        *("Cell", "Column", "Document", "Facts", "LayerErrors", "LayerPruning", "LayerRecord", "Layers"),
        *("Level", "MIME_TYPE", "Messages", "OutputComparison", "PruningReport", "Sensitivity", "Shown"),
        *("Table", "Verification", "format_bytes", "printable", "to_html", "to_text", "verify"),
    ],
}


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_these(module):
    assert sorted(import_module(module).__all__) == sorted(PUBLIC[module])


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_there_and_listed_by_dir(module):
    package = import_module(module)
    for name in PUBLIC[module]:
        assert getattr(package, name) is not None
        assert name in dir(package)


def test_every_public_function_and_class_is_documented():
    things = [getattr(import_module(module), name) for module, names in PUBLIC.items() for name in names]
    assert [thing for thing in things if isinstance(thing, type | FunctionType) and not thing.__doc__] == []


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'gsjupyter' has no attribute 'quantise'"):
        import_module("gsjupyter").quantise  # noqa: B018 - reading it is what is tested


def test_importing_gsjupyter_imports_neither_mindspore_nor_what_is_slow():
    slow = ("mindspore", "matplotlib", "scipy", "pandas", "onnx", "numpy")
    code = f"import sys, gsjupyter; print(*[name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
    assert done.stderr == ""
