"""Models: built from a file, fed and run."""

from enum import Enum
from pathlib import Path

from mindspore_lite._checks import check_items, check_type
from mindspore_lite._engine import ENGINE, last_error, shapes_argument
from mindspore_lite.context import Context
from mindspore_lite.tensor import ModelTensor, Tensor


class ModelType(Enum):
    """What a file holds: MindSpore's own format, or Lite's."""

    MINDIR = 0
    MINDIR_LITE = 4


class Model:
    """A model that runs in the engine."""

    def __init__(self) -> None:
        self.session = ENGINE.NewSession()
        self.model_path_ = ""

    def __del__(self) -> None:
        ENGINE.DeleteSession(self.session)

    def __str__(self) -> str:
        return f"model_path: {self.model_path_}."

    def build_from_file(
        self, model_path: str, model_type: ModelType, context: Context | None = None, config_path: str = ""
    ) -> None:
        """Load a file, and make it ready to run.

        Raises
        ------
        RuntimeError
            If the engine can't.
        """
        check_type("model_path", model_path, str)
        check_type("model_type", model_type, ModelType)
        context = Context() if context is None else context
        check_type("context", context, Context)
        check_type("config_path", config_path, str)
        if not Path(model_path).exists():
            raise RuntimeError("build_from_file failed, model_path does not exist!")
        if config_path and not Path(config_path).exists():
            raise RuntimeError("build_from_file failed, config_path does not exist!")
        if config_path and not ENGINE.LoadConfig(self.session, config_path.encode()):
            raise RuntimeError(f"load configuration failed! Error is {last_error()}")
        self.model_path_ = model_path
        device = next((item.lower() for item in context.target if item.lower() != "cpu"), "cpu")
        built = ENGINE.Build(
            self.session,
            model_path.encode(),
            model_type.value,
            context.cpu.thread_num,
            context.cpu.thread_affinity_mode,
            context.cpu.precision_mode == "preferred_fp16",
            device.encode(),
        )
        if not built:
            raise RuntimeError(f"build_from_file failed! Error is {last_error()}")

    def get_inputs(self) -> list[Tensor]:
        """Return the inputs, to be given values."""
        return self._tensors(is_output=False)

    def predict(self, inputs: list[Tensor]) -> list[Tensor]:
        """Run on the inputs' values, and return the outputs.

        Raises
        ------
        RuntimeError
            If the engine fails.
        """
        check_items("inputs", inputs, Tensor)
        own = self.get_inputs()
        if len(own) != len(inputs):
            raise RuntimeError("predict failed!")
        for mine, given in zip(own, inputs, strict=True):
            if not isinstance(given, ModelTensor):
                mine.set_data_from_numpy(given.get_data_to_numpy())
        if not ENGINE.Predict(self.session):
            raise RuntimeError("predict failed!")
        return self._tensors(is_output=True)

    def resize(self, inputs: list[Tensor], dims: list[list[int]]) -> None:
        """Give the inputs other shapes.

        Raises
        ------
        RuntimeError
            If the engine refuses them.
        """
        check_items("inputs", inputs, Tensor)
        check_items("dims", dims, list)
        if len(inputs) != len(dims):
            raise ValueError(
                f"inputs' size does not match dims' size, but got inputs: {len(inputs)} and dims: {len(dims)}."
            )
        axes, sizes = shapes_argument(dims)
        if not ENGINE.Resize(self.session, len(dims), axes, sizes):
            raise RuntimeError(f"resize failed! Error is {last_error()}")

    def _tensors(self, *, is_output: bool) -> list[Tensor]:
        count = ENGINE.TensorCount(self.session, is_output)
        return [ModelTensor(self, index, is_output=is_output) for index in range(count)]
