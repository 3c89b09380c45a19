"""What the converter has really printed, of several releases, shortened to the lines that count."""

from pathlib import Path

import pytest

from gsjupyter.errors import GsError
from gsjupyter.formats.lite import ConversionError, Installation, MissingOperatorError
from gsjupyter.formats.lite.failures import check_conversion, over_limit
from gsjupyter.formats.lite.log import first_error, lacking_operators, place_in, place_of_error, unknown_operators
from gsjupyter.formats.lite.program import Ended, ProgramLimitError
from tests.formats.lite.fakes import model_bytes

LITE = Installation("program", Path("/opt/lite/tools/converter/converter/converter_lite"), "PATH", "2.3.0")
E20 = "[ERROR] LITE(31786,7fb2a2dfdf40,converter_lite):2026-03-01-13:53:34.910.005 [mindspore/lite/"
TOOLS = f"{E20}tools/converter/"
W20 = E20.replace("ERROR", "WARNING")
E11 = "[ERROR] LITE(11206,converter_lite):2021-01-08-09:53:15.978.801 [mindspore/lite/"
BARE = "[mindspore/lite/"
END = f"{TOOLS}converter.cc:1108] RunConverter] Convert model failed\nCONVERT RESULT FAILED:-1\n"


@pytest.fixture
def failure(tmp_path):
    """Give the error that a log means."""

    def of(log, exit_code=1):
        with pytest.raises(GsError) as caught:
            check_conversion(Ended(exit_code, log, 1.0), LITE, tmp_path / "net.ms", Path("net.mindir"))
        assert caught.value.log == log
        return caught.value

    return of


KNOWN = {
    "an older Lite": (
        (
            "Runtime error for null exception handler.\nThis software can only support the maximum mind ir version: 1, "
            "please install the latest version to support the mind ir version: 3\n\n---\n"
            "- C++ Call Stack: (For framework developers)\n---\n"
            "mindspore/core/load_mindir/load_model.cc:2014 MSANFParseModelConfigureInfo\n"
        ),
        "it reads MindIR up to version 1, and this one has version 3",
        "as new as this MindSpore",
    ),
    "a library that is missing": (
        (
            "./converter_lite: error while loading shared libraries: libmindspore_converter.so: "
            "cannot open shared object file: No such file or directory\n"
        ),
        "the library libmindspore_converter.so isn't found",
        "LITE_HOME",
    ),
    "a library of the package": (
        (
            "Traceback (most recent call last):\n"
            "ImportError: libmindspore_core.so: cannot open shared object file: No such file or directory\n"
        ),
        "the library libmindspore_core.so isn't found",
        "LITE_HOME",
    ),
    "a newer system": (
        (
            "./converter_lite: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by "
            "./converter_lite)\n"
        ),
        "made for a newer system than this (it wants GLIBC_2.34)",
        "older release",
    ),
    "libraries of different releases": (
        "ImportError: /x/libmindspore_converter.so: undefined symbol: _ZTVN9mindspore12TypeAnythingE\n",
        "its libraries don't fit each other (undefined symbol _ZTVN9mindspore12TypeAnythingE)",
        "LD_LIBRARY_PATH",
    ),
    "memory that runs out": (
        "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n",
        "memory ran out",
        "larger machine",
    ),
    "joined annotations": (
        (
            f"{TOOLS}import/mindir_adjust.cc:99] RemoveFakeQuantParam] Two FakeQuantParam operators can't be "
            f"joined together in mindir origin model\n{END}"
        ),
        "two quantization annotations (FakeQuantParam) follow each other",
        "from its source again",
    ),
    "a setting that it doesn't know": (
        (
            f"{TOOLS}config_parser/config_file_parser.cc:363] SetMapData] INPUT ILLEGAL: `per_channel` is not "
            f"supported in [weight_quant_param]\n{END}"
        ),
        "it doesn't know the setting per_channel in [weight_quant_param]",
        "older than that setting",
    ),
    "a setting that it refuses": (
        (f"{TOOLS}config_parser/quant_param_parser.cc:75] ParseBitNum] INPUT ILLEGAL: bit_num should be 8.\n{END}"),
        "it refuses a setting: bit_num should be 8.",
        "leave the option out",
    ),
    "no conversion for GPUs": (
        (
            f"{TOOLS}converter.cc:821] CheckDevice] INPUT ILLEGAL: device is not in {{Ascend310, Ascend310P}}, "
            f"but got GPU\n{END}"
        ),
        "this version has no conversion for GPU",
        "Leave the device out",
    ),
    "no conversion for GPUs in the package": (
        "Traceback (most recent call last):\nValueError: optimize must be 'none', 'general' or 'ascend_oriented'.\n",
        "this version has no conversion for GPU",
        "Leave the device out",
    ),
    "no CANN": (
        (
            f"{W20}src/extendrt/cxx_api/dlutils.h:101] DLSoOpen] dlopen /opt/libascend_pass_plugin.so failed, error: "
            "libgraph.so: cannot open shared object file: No such file or directory\n"
            f"{TOOLS}anf_transform.cc:451] RunConvertPass] Failed to create acl pass\n{END}"
        ),
        "CANN, which converts for Ascend, isn't here (libgraph.so is missing)",
        "set_env.sh",
    ),
    "batches of another length": (
        (
            f"{TOOLS}preprocess/image_preprocess.cc:157] PreProcess] the input data is not consistent with "
            f"model input, file_size: 2304 input tensor size: 4608\n{END}"
        ),
        "a batch of the calibration data is 2,304 bytes, and the network's input takes 4,608",
        "exported with",
    ),
    "an input without data": (
        f"{TOOLS}preprocess/image_preprocess.cc:180] PreProcess] Cant find input:image\n{END}",
        "there is no calibration data for input image",
        "calibrate_path",
    ),
    "too little data": (
        (
            f"{TOOLS}config_parser/preprocess_parser.cc:203] CollectCalibInputs] file count less than "
            f"calibrate size, file count: 8 limited_count: 60 kDotDirCount: 2\n{END}"
        ),
        "there are 6 files of calibration data, and 60 are asked for",
        "calibrate_size",
    ),
    "a folder that is missing": (
        (f"{TOOLS}config_parser/preprocess_parser.cc:302] ReadDirectory] cant open dir: calibration/input0\n{END}"),
        "the folder of calibration data isn't there: calibration/input0",
        "beside the configuration file",
    ),
    "a damaged network": (
        (
            "[ERROR] CORE(31786,7fb2a2dfdf40,converter_lite):2026-03-01-13:53:34.910.005 [mindspore/core/load_mindir/"
            "load_model.cc:2394] ParseModelProto] Load MindIR file failed, please check the correctness of the file.\n"
            f"{END}"
        ),
        "it can't read this MindIR",
        "too old or too new",
    ),
    "no place to write": (
        f"{TOOLS}converter_metagraph.cc:147] Save] SAVE GRAPH FAILED:-1 Common error code.\n{END}",
        "it can't write its output",
        "disk not full",
    ),
    "a shape that it can't infer": (
        (
            f"{E20}tools/optimizer/graph/infershape_pass.cc:80] Run] node infer shape failed, node is "
            f"Default/features-CellList/3-Block/Reshape-op12\n{END}"
        ),
        "it can't work out the shape of an operator's output (Reshape in layer features.3).",
        "Fixed shapes",
    ),
    "an operator's attributes": (
        f"{BARE}tools/converter/parser/onnx/onnx_model_parser.cc:**] ConvertNodes] parse node MaxPool failed.\n",
        "it has the operator MaxPool, but not with these attributes",
        "other operators",
    ),
    "a crash that it catches": (
        "encounter an unknown error, please verify the input model file or build the debug version\n",
        "it crashed and can't say why",
        "newer MindSpore Lite",
    ),
    "a crash that it doesn't catch": (
        "terminate called after throwing an instance of 'std::runtime_error'\n  what():  Parse MindIR attr wrong.\n",
        "it crashed on an error that it didn't catch: Parse MindIR attr wrong.",
        "newer MindSpore Lite",
    ),
    "a package that is missing": (
        "Traceback (most recent call last):\nModuleNotFoundError: No module named 'mindspore_lite'\n",
        "its package mindspore_lite isn't installed in this Python",
        "pip install",
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_cause_is_told_with_what_to_do(failure, name):
    log, reason, advice = KNOWN[name]
    error = failure(log)
    assert isinstance(error, ConversionError)
    assert error.message.startswith("converter_lite 2.3.0 can't convert net.mindir: ")
    assert reason in error.message
    assert error.message.endswith(".")
    assert not error.message.endswith("..")
    assert advice in error.advice


@pytest.mark.parametrize("prefix", [E20, E11, BARE], ids=["release 2", "release 1", "without a process"])
def test_an_operator_that_it_lacks_is_named_with_its_layer(failure, prefix):
    error = failure(
        f"{W20}src/common/ops/ops_utils.h:50] GetPrimitiveCreator] Unsupported primitive type in Create: Softplus\n"
        f"{prefix}tools/lite_exporter/anf_exporter.cc:1044] SetOpInputNode] primitive_c is nullptr: "
        "Default/head-Head/act-Softplus/Softplus-op3\n"
        f"{prefix}tools/converter/converter_context.h:61] PrintOps] UNSUPPORTED OP LIST:\n"
        f"{prefix}tools/converter/converter_context.h:63] PrintOps] FMKTYPE: MINDIR, OP TYPE: Softplus\n"
        f"{prefix}tools/converter/converter_context.h:63] PrintOps] FMKTYPE: MINDIR, OP TYPE: Erfinv\n"
        f"{prefix}tools/converter/converter.cc:90] RunConverter] CONVERT RESULT FAILED:-300 Failed to find operator.\n",
        exit_code=212,
    )
    assert isinstance(error, MissingOperatorError)
    assert error.operators == ("Softplus", "Erfinv")
    assert error.message == (
        "converter_lite 2.3.0 can't convert net.mindir: it has no operator Softplus, Erfinv (layer head.act)."
    )


def test_an_operator_that_ascend_lacks_is_named_too():
    log = (
        "[WARNING] GE_ADPT(837950,7feb6e13bf40,converter_lite):2024-10-26-07:37:40.545.361 [mindspore/ccsrc/transform/"
        "graph_ir/utils.cc:59] FindAdapter] Can't find OpAdapter for LSTM\n"
        "[ERROR] GE_ADPT(837950,7feb6e13bf40,converter_lite):2024-10-26-07:37:40.545.393 [mindspore/ccsrc/transform/"
        "graph_ir/convert.cc:4040] ConvertCNode] Cannot get adapter for Default/neck-Encoder/rnn-LSTM/LSTM-op90\n"
    )
    assert lacking_operators(log) == ("LSTM",)
    assert str(place_of_error(log)) == "LSTM in layer neck.rnn"


def test_an_unknown_cause_is_told_in_the_converters_own_first_words(failure):
    error = failure(
        f"{W20}src/extendrt/numa_adapter.cc:35] NUMAAdapter] Open libnuma.so failed!try libnuma.so.1 again.\n"
        f'{E20}src/extendrt/model_loader.cc:39] ImportModel] "MindirModelLoader: Import model failed, please check."\n'
        f"{E20}tools/optimizer/fusion/conv_fusion.cc:7] Process] weight of Default/c-Conv2d/Conv2D-op1 is odd\n{END}",
        exit_code=250,
    )
    assert error.message == (
        "converter_lite 2.3.0 failed at Conv2D in layer c (exit code 250): net.mindir isn't converted. "
        "It said: weight of Default/c-Conv2d/Conv2D-op1 is odd."
    )
    assert "GLOG_v=1" in error.advice


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-6, r"crashed \(SIGABRT\): net\.mindir isn't converted\."),
        (-11, r"crashed \(SIGSEGV\)"),
        (-9, r"was killed \(SIGKILL\) at net\.mindir, most likely because memory ran out\."),
        (-63, r"crashed \(signal 63\)"),
        (7, r"failed \(exit code 7\): net\.mindir isn't converted\.\n"),
    ],
)
def test_an_end_without_a_word_is_told_by_its_code(failure, code, words):
    with pytest.raises(ConversionError, match=words):
        raise failure("", exit_code=code)


def test_words_of_failure_count_even_after_a_good_end(failure):
    assert (
        "says that it failed, although it ended without an error"
        in failure("CONVERT RESULT FAILED:-1\n", exit_code=0).message
    )


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("CONVERT RESULT SUCCESS:0\n", "says that it succeeded, but wrote no file"),
        ("", "as if all were well, but wrote no"),
    ],
)
def test_success_without_a_file_is_told(failure, log, words):
    assert words in failure(log, exit_code=0).message


def test_a_mindir_instead_of_the_file_is_told(failure, tmp_path):
    (tmp_path / "net.mindir").touch()
    error = failure("CONVERT RESULT SUCCESS:0\n", exit_code=0)
    assert "wrote a MindIR instead of a .ms file (net.mindir)" in error.message


def test_nonsense_in_the_file_is_told(failure, tmp_path):
    (tmp_path / "net.ms").write_bytes(model_bytes()[:-3])
    error = failure("CONVERT RESULT SUCCESS:0\n", exit_code=0)
    assert "wrote nonsense: net.ms" in error.message
    assert "disk full" in error.advice


@pytest.mark.parametrize(
    "log",
    [
        "",
        "CONVERT RESULT SUCCESS:0\n",
        f"{E11}tools/common/protobuf_utils.cc:94] ReadProto] Parse net.mindir failed.\nCONVERT RESULT SUCCESS:0\n",
    ],
    ids=["silent", "plain", "with errors in its log"],
)
def test_a_good_end_and_a_whole_file_are_a_success(tmp_path, log):
    (tmp_path / "net.ms").write_bytes(model_bytes("MindSpore Lite 1.1.0"))
    assert check_conversion(Ended(0, log, 1.0), LITE, tmp_path / "net.ms", Path("net.mindir")) == "MindSpore Lite 1.1.0"


def test_a_time_that_is_over_is_told_with_what_was_said_last():
    late = ProgramLimitError(
        "converter_lite took more than 5 s, and was ended.", log=f"{E20}a.cc:1] Search] no scale\n"
    )
    error = over_limit(late, Path("net.mindir"))
    assert error.message == (
        "converter_lite took more than 5 s, and was ended: net.mindir isn't converted. It said: no scale."
    )
    assert "fewer batches" in error.advice


def test_the_first_error_is_found_in_every_layout():
    for prefix in (E20, E11, BARE):
        log = f"{prefix}a.cc:12] Parse] the cause\n{prefix}b.cc:**] Convert] what follows\n"
        assert first_error(log) == "the cause"
    assert first_error("====\nCONVERT RESULT FAILED:-1\nsegmentation fault\n") == "segmentation fault"
    assert first_error(f"{W20}a.cc:1] F] only a warning\n") == ""
    assert len(first_error(f"{E20}a.cc:1] F] {'x' * 5000}\n")) == 300


def test_an_operator_is_found_by_its_place_in_the_network():
    place = place_in("node:Default/blocks-SequentialCell/0-Dense/MatMul-op0 type:MatMulFusion")
    assert (place.operator, place.layer) == ("MatMul", "blocks.0")
    assert str(place_in("Default/Add-op1 has no kernel")) == "Add"
    assert place_in("nothing of the kind") is None


def test_operators_that_are_only_warned_of_are_kept_for_who_cannot_load_the_file():
    warning = f"{W20}src/common/ops/ops_utils.h:50] GetPrimitiveCreator] Unsupported primitive type in Create: "
    log = f"{warning}Roll\n{warning}GroupNorm\n{warning}Roll\nCONVERT RESULT SUCCESS:0\n"
    assert unknown_operators(log) == ("Roll", "GroupNorm")
    assert lacking_operators(log) == ()
