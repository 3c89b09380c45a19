import pytest

from gsjupyter.errors import OptionError
from gsjupyter.formats.lite import LiteSettings, check_shapes
from gsjupyter.signature import InputSpec


@pytest.mark.parametrize(
    ("device", "optimization"), [("cpu", "general"), ("gpu", "gpu_oriented"), ("ascend", "ascend_oriented")]
)
def test_each_device_has_its_optimizations(device, optimization):
    assert LiteSettings(device=device).optimization == optimization


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "npu"}, "device must be one of cpu, gpu, ascend"),
        ({"float16": "on"}, "float16 must be true or false"),
        ({"input_format": "NCWH"}, "input_format must be one of NCHW, NHWC"),
        ({"quantization": "int8"}, "quantization must be one of carried, weight, full, dynamic, none"),
        ({"input_shapes": {"x": (1, -1)}}, "the shape of input x must be whole numbers from 1 on"),
        ({"input_shapes": {"x": ()}}, "the shape of input x"),
        ({"input_shapes": {"x": (True, 2)}}, "the shape of input x"),
        ({"input_shapes": {"a;b": (1,)}}, "can't be told of input 'a;b'"),
        ({"input_shapes": {"a\nb": (1,)}}, "can't be told of input"),
        ({"input_shapes": {"": (1,)}}, "an input's name must be text"),
    ],
)
def test_what_the_converter_would_misread_is_refused(options, words):
    with pytest.raises(OptionError, match=words):
        LiteSettings(**options)


def test_shapes_are_for_inputs_that_the_network_has():
    inputs = [InputSpec("image", (1, 3, 8, 8), "float32"), InputSpec("scale", None, "float32")]
    check_shapes(LiteSettings(input_shapes={"image": (2, 3, 16, 16), "scale": (1,)}), inputs)
    with pytest.raises(OptionError, match="must be one of image, scale, not 'imgae'") as caught:
        check_shapes(LiteSettings(input_shapes={"imgae": (1, 3, 8, 8)}), inputs)
    assert caught.value.advice == "Did you mean image?"
    with pytest.raises(OptionError, match=r"input image has 4 axes, and \(1, 192\) gives it 2"):
        check_shapes(LiteSettings(input_shapes={"image": (1, 192)}), inputs)
