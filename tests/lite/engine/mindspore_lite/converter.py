"""The converter from MindIR, and from other frameworks' files, to a file that the engine runs."""

from __future__ import annotations

import ctypes
import subprocess
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

from mindspore_lite._checks import check_choice, check_items, check_type
from mindspore_lite._engine import ENGINE, last_error, shapes_argument
from mindspore_lite.model import ModelType
from mindspore_lite.tensor import DataType, Format

_OLDER_MINDIR = Path(__file__).resolve().parents[2] / "tools" / "converter" / "converter" / "older_mindir.py"
_DATA_TYPES = (DataType.FLOAT32, DataType.INT8, DataType.UINT8, DataType.UNKNOWN)


class FmkType(Enum):
    """What framework a file comes from."""

    TF = 0
    CAFFE = 1
    ONNX = 2
    MINDIR = 3
    TFLITE = 4
    PYTORCH = 5


class Converter:
    """A converter with its settings.

    Of a newer MindSpore's MindIR it converts what older_mindir.py makes of it.
    """

    def __init__(self) -> None:
        self._converter = ENGINE.NewConverter()
        self.save_type = ModelType.MINDIR
        self._weight_fp16 = False
        self._infer = False
        self._optimize = "general"
        self._device = ""
        self._input_format = Format.NHWC
        self._input_shape: dict[str, list[int]] = {}
        self._input_data_type = DataType.FLOAT32
        self._output_data_type = DataType.FLOAT32

    def __del__(self) -> None:
        ENGINE.DeleteConverter(self._converter)

    @property
    def save_type(self) -> ModelType:
        """What it writes: MindIR, or Lite's own format."""
        return self._save_type

    @save_type.setter
    def save_type(self, save_type: ModelType) -> None:
        check_type("save_type", save_type, ModelType)
        ENGINE.SetSaveType(self._converter, save_type.value)
        self._save_type = save_type

    @property
    def weight_fp16(self) -> bool:
        """Whether float weights are stored in float16."""
        return self._weight_fp16

    @weight_fp16.setter
    def weight_fp16(self, weight_fp16: bool) -> None:
        check_type("weight_fp16", weight_fp16, bool)
        ENGINE.SetWeightFp16(self._converter, weight_fp16)
        self._weight_fp16 = weight_fp16

    @property
    def infer(self) -> bool:
        """Whether the converted model is run once."""
        return self._infer

    @infer.setter
    def infer(self, infer: bool) -> None:
        check_type("infer", infer, bool)
        ENGINE.SetInfer(self._converter, infer)
        self._infer = infer

    @property
    def optimize(self) -> str:
        """For what the graph is optimized."""
        return self._optimize

    @optimize.setter
    def optimize(self, optimize: str) -> None:
        check_type("optimize", optimize, str)
        check_choice("optimize", optimize, ("none", "general", "gpu_oriented", "ascend_oriented"))
        ENGINE.SetNoFusion(self._converter, optimize == "none")
        if optimize == "ascend_oriented":
            self.device = "Ascend"
        self._optimize = optimize

    @property
    def device(self) -> str:
        """For what kind of device a MindIR is written."""
        return self._device

    @device.setter
    def device(self, device: str) -> None:
        check_type("device", device, str)
        check_choice("device", device, ("Ascend",))
        ENGINE.SetDevice(self._converter, device.encode())
        self._device = device

    @property
    def input_format(self) -> Format:
        """In what order the converted model takes the axes of its inputs."""
        return self._input_format

    @input_format.setter
    def input_format(self, input_format: Format) -> None:
        check_type("input_format", input_format, Format)
        check_choice("input_format", input_format, (Format.NCHW, Format.NHWC))
        ENGINE.SetInputFormat(self._converter, input_format.value)
        self._input_format = input_format

    @property
    def input_shape(self) -> dict[str, list[int]]:
        """The shapes of inputs by name, where they are to be fixed."""
        return self._input_shape

    @input_shape.setter
    def input_shape(self, input_shape: dict[str, list[int]]) -> None:
        check_type("input_shape", input_shape, dict)
        for name, shape in input_shape.items():
            check_type("input_shape key", name, str)
            check_items("input_shape value", shape, int)
        axes, sizes = shapes_argument(list(input_shape.values()))
        names = (ctypes.c_char_p * len(input_shape))(*(name.encode() for name in input_shape))
        ENGINE.SetInputShapes(self._converter, len(input_shape), names, axes, sizes)
        self._input_shape = input_shape

    @property
    def input_data_type(self) -> DataType:
        """What a quantized model takes."""
        return self._input_data_type

    @input_data_type.setter
    def input_data_type(self, data_type: DataType) -> None:
        check_type("input_data_type", data_type, DataType)
        check_choice("input_data_type", data_type, _DATA_TYPES)
        ENGINE.SetInputDataType(self._converter, data_type.value)
        self._input_data_type = data_type

    @property
    def output_data_type(self) -> DataType:
        """What a quantized model returns."""
        return self._output_data_type

    @output_data_type.setter
    def output_data_type(self, data_type: DataType) -> None:
        check_type("output_data_type", data_type, DataType)
        check_choice("output_data_type", data_type, _DATA_TYPES)
        ENGINE.SetOutputDataType(self._converter, data_type.value)
        self._output_data_type = data_type

    def convert(
        self, fmk_type: FmkType, model_file: str, output_file: str, weight_file: str = "", config_file: str = ""
    ) -> None:
        """Convert a file.

        Raises
        ------
        RuntimeError
            If the engine can't.
        """
        check_type("fmk_type", fmk_type, FmkType)
        for name, path in (("model_file", model_file), ("weight_file", weight_file), ("config_file", config_file)):
            check_type(name, path, str)
            if (path or name == "model_file") and not Path(path).exists():
                raise RuntimeError(f"Perform convert method failed, {name} does not exist!")
        check_type("output_file", output_file, str)
        if config_file:
            ENGINE.SetConfigFile(self._converter, config_file.encode())
        with TemporaryDirectory() as folder:
            source = _older_form(model_file, folder) if fmk_type is FmkType.MINDIR else model_file
            arguments = (source.encode(), output_file.encode(), weight_file.encode())
            if not ENGINE.Convert(self._converter, fmk_type.value, *arguments):
                raise RuntimeError(f"Convert model failed! Error is {last_error()}")


def _older_form(model: str, folder: str) -> str:
    written = subprocess.run([_OLDER_MINDIR, model, folder], check=True, capture_output=True, text=True)
    return written.stdout.removesuffix("\n")
