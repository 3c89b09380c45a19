import shlex
from pathlib import Path

from gsjupyter.formats.lite import LiteSettings, arguments, shell_line


def test_the_plainest_conversion_says_what_to_save():
    assert arguments(LiteSettings(), "lenet.mindir", "lenet.ms") == [
        "--fmk=MINDIR",
        "--modelFile=lenet.mindir",
        "--outputFile=lenet",
        "--saveType=MINDIR_LITE",
        "--optimize=general",
    ]


def test_every_setting_has_its_flag():
    settings = LiteSettings(
        device="ascend",
        float16=True,
        input_format="NCHW",
        input_shapes={"x": (1, 3, 32, 32), "mask:0": (1, 16)},
    )
    given = arguments(settings, Path("/in/a.mindir"), Path("/out/a.b.ms"), Path("/in/a.cfg"))
    assert given[1:3] == ["--modelFile=/in/a.mindir", "--outputFile=/out/a.b"]
    assert given[4:] == [
        "--optimize=ascend_oriented",
        "--fp16=on",
        "--inputDataFormat=NCHW",
        "--inputShape=x:1,3,32,32;mask:0:1,16",
        "--configFile=/in/a.cfg",
    ]


def test_a_line_for_the_shell_is_read_back_as_it_was():
    settings = LiteSettings(input_shapes={"x": (1, 2), "$(rm -rf y)": (3,)})
    given = arguments(settings, "it's mine.mindir", "out dir/`net`.ms")
    line = shell_line("converter_lite", given)
    assert shlex.split(line) == ["converter_lite", *given]
    assert "\n" not in line
