"""ONNX Runtime as an engine: runs ONNX files, gsjupyter's and any other, in a process of its own."""

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gsjupyter.engines.execution_providers import ENVIRONMENT, TITLE, WORKER, provider_of
from gsjupyter.engines.in_worker import InWorker, loading_limit_s
from gsjupyter.engines.messages import Array
from gsjupyter.engines.onnxruntime_session import OPTIMIZATIONS
from gsjupyter.engines.worker import Worker, WorkerEndedError
from gsjupyter.errors import EngineError, ModelFileError, OptionError, UnsupportedError
from gsjupyter.signature import OUTPUTS, InputSpec, Output, as_given, check_inputs, flat_output, nested_output


class OnnxRuntimeModel(InWorker):
    """An ONNX file ready to run.

    It runs in a process of its own, which ends with this object. Weights that are stored in integers are turned into
    numbers once, when it is loaded, unless they are computed with as they are.

    Parameters
    ----------
    path : str or Path
        The file.
    provider : {"cpu", "cuda", "tensorrt", "cann"}
        Where to run it.
    threads : int, optional
        How many threads an operator may use; as many as there are cores by default.
    optimization : {"enable_all", "enable_extended", "enable_basic", "disable_all"}
        How far ONNX Runtime may rewrite the network.
    configuration : mapping of str to str, optional
        ONNX Runtime's session configuration, such as ``{"session.disable_quant_qdq": "0"}``; it goes before what is
        chosen here.
    optimized_path : str or Path, optional
        Where to write the network as it really runs.
    profile_path : str or Path, optional
        How the file that `profile` writes is to begin.

    Attributes
    ----------
    name : str
        What it is called.
    inputs : tuple of InputSpec
        What it takes.

    Raises
    ------
    OptionError
        If there is no such provider, or no such number of threads.
    ModelFileError
        If the file is missing, damaged, no ONNX, or reads values from outside of its own folder.
    UnsupportedError
        If ONNX Runtime lacks one of its operators, or it takes or gives what is no array of numbers.
    EngineError
        If ONNX Runtime or the provider isn't there, or fails.

    Examples
    --------
    >>> model = OnnxRuntimeModel("lenet.onnx", threads=2)
    >>> model(x)
    """

    def __init__(
        self,
        path: str | Path,
        *,
        provider: str = "cpu",
        threads: int | None = None,
        optimization: str = "enable_all",
        configuration: Mapping[str, str] | None = None,
        optimized_path: str | Path | None = None,
        profile_path: str | Path | None = None,
    ) -> None:
        self.path = Path(path).expanduser()
        self.provider = provider_of(provider)
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise OptionError(f"threads must be a positive number, not {threads!r}.")
        if optimization not in OPTIMIZATIONS:
            raise OptionError(f"optimization must be one of {', '.join(OPTIMIZATIONS)}, not {optimization!r}.")
        settings = {
            "path": str(self.path.absolute()),
            "provider": provider,
            "threads": threads,
            "optimization": optimization,
            "configuration": dict(configuration or {}),
            "optimized_path": _absolute(optimized_path),
            "profile_path": _absolute(profile_path),
        }
        compiles = provider in ("tensorrt", "cann")
        self._worker = Worker(
            WORKER,
            TITLE,
            threads=threads,
            environment=ENVIRONMENT,
            opening=("load", settings),
            opening_limit_s=None if compiles else loading_limit_s(self.path),
        )
        about = self._started()
        is_ours = about["producer"] == "gsjupyter"
        self.name: str = (about["name"] if is_ours else "") or self.path.stem
        self._names = _names(about) if is_ours else None
        self._axes = [value["shape"] for value in about["inputs"]]
        self.inputs = tuple(map(InputSpec.of, about["inputs"]))

    def __call__(self, *inputs: Any) -> Any:
        """Run the model; arrays give arrays, Tensors give Tensors.

        Parameters
        ----------
        *inputs : ndarray or Tensor
            As `inputs` says.

        Returns
        -------
        ndarray or Tensor, or a tuple or dictionary of them
            Nested as the network's own output, if the file is gsjupyter's; else one, or a tuple of several.

        Raises
        ------
        InputError
            If the inputs don't fit.
        EngineError
            If ONNX Runtime fails.
        """
        _, outputs = self._worker.call("run", self._checked(inputs))
        return as_given(self._nested(outputs), inputs)

    def profile(self) -> Path:
        """End profiling, and return the file that it has written: the time of each operator, in JSON."""
        answer, _ = self._worker.call("profile")
        return Path(answer["path"])

    def __repr__(self) -> str:
        axes = [", ".join("any" if size is None else str(size) for size in shape) for shape in self._axes]
        takes = ", ".join(f"{spec.name}: {spec.dtype}[{sizes}]" for spec, sizes in zip(self.inputs, axes, strict=True))
        return f"{self.name}({takes}) on {TITLE} {self.provider.title}"

    def _checked(self, inputs: Sequence[Any]) -> list[Array]:
        return check_inputs(self.name, self.inputs, inputs, any_batch=False)

    def _started(self) -> dict[str, Any]:
        try:
            about = self._worker.start()
        except WorkerEndedError as error:
            if error.exit_code >= 0 or error.exit_code == -signal.SIGKILL:
                raise
            raise ModelFileError(
                f"{self.path.name} makes ONNX Runtime crash: {error.message}", advice="Export or copy it again."
            ) from error
        except EngineError as error:
            words = self._worker.last_words
            if self.provider.name == "cpu" or not words:
                raise
            raise EngineError(f"{error.message} It said last: {words}", advice=error.advice) from error
        for item in (*about["inputs"], *about["outputs"]):
            if not item["dtype"]:
                self.close()
                raise UnsupportedError(
                    f"{self.path.name} takes or gives {item['name']} as {item['type']}, which is no array of numbers."
                )
        return about

    def _nested(self, outputs: list[Array]) -> Output:
        if self._names is not None:
            return nested_output(dict(zip(self._names, outputs, strict=True)))
        return outputs[0] if len(outputs) == 1 else tuple(outputs)


def _names(about: Mapping[str, Any]) -> list[str] | None:
    """Return the outputs' names before the file made them its own, None if it doesn't tell, or nothing sound."""
    try:
        names = json.loads(about["notes"].get(OUTPUTS, "null"))
    except (ValueError, RecursionError):
        return None
    count = len(about["outputs"])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) != count:
        return None
    try:
        found = nested_output(dict.fromkeys(names, np.empty(0)))
    except ValueError:
        return None
    return names if len(flat_output(found)) == count else None


def _absolute(path: str | Path | None) -> str:
    return "" if path is None else str(Path(path).expanduser().absolute())
