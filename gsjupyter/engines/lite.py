"""MindSpore Lite as an engine: runs .ms files in a process of its own, which has no MindSpore in it."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from gsjupyter.choices import check_choice, check_count
from gsjupyter.engines.in_worker import InWorker, loading_limit_s
from gsjupyter.engines.lite_layout import Port
from gsjupyter.engines.messages import Array
from gsjupyter.engines.worker import Worker, WorkerEndedError
from gsjupyter.errors import EngineError, ModelFileError, UnsupportedError
from gsjupyter.formats.lite.settings import DEVICES
from gsjupyter.signature import InputSpec, Output, as_given, check_inputs, is_tensor, nested_output

TITLE: Final = "MindSpore Lite"
WORKER: Final = "gsjupyter.engines.lite_worker"
ENVIRONMENT: Final = {
    # Lite has threads of its own, and numpy only carries bytes there.
    "OPENBLAS_NUM_THREADS": "1",
    # Errors only: it warns of libraries that it can do without.
    "GLOG_v": "3",
}


class LiteModel(InWorker):
    """A file for MindSpore Lite, ready to run.

    It runs in a process of its own, which ends with this object, by the package ``mindspore_lite``.

    Lite's files have their channels last in inputs with four axes, where the network has them second, and less data
    types. The model is called like the network: in its layout, with its data types, on any number of samples that it
    can be resized to. An array in the file's own layout is taken too, and told by its shape; one that fits both, of
    shape (1, 3, 3, 3) for example, is taken for the network's.

    Parameters
    ----------
    path : str or Path
        The file, ``.ms`` or MindIR as Lite's converter writes it.
    device : {"cpu", "gpu", "ascend"}
        Where to run it.
    threads : int, optional
        How many threads an operator may use on the CPU; Lite's own choice by default.

    Attributes
    ----------
    name : str
        What it is called.
    inputs : tuple of InputSpec
        What it takes, as the network has it.
    outputs : tuple of InputSpec
        What it gives, as the network has it. Empty for MindIR without a manifest.
    ports : tuple of Port
        The inputs as the file has them.

    Raises
    ------
    OptionError
        If there is no such device, or no such number of threads.
    ModelFileError
        If the file is missing, damaged, none of Lite's, or Lite can't load it.
    UnsupportedError
        If it takes what is no array of numbers.
    EngineError
        If Lite isn't there, or it can't run on the device.

    Examples
    --------
    >>> model = LiteModel("lenet.ms", threads=2)
    >>> model(x)
    """

    def __init__(self, path: str | Path, *, device: str = "cpu", threads: int | None = None) -> None:
        check_choice("device", device, DEVICES)
        if threads is not None:
            check_count("threads", threads)
        self.path = Path(path).expanduser()
        self.device = device
        settings = {"path": str(self.path.absolute()), "device": device, "threads": threads}
        self._worker = Worker(
            WORKER,
            TITLE,
            threads=threads,
            environment=ENVIRONMENT,
            opening=("load", settings),
            opening_limit_s=loading_limit_s(self.path),
        )
        about = self._started()
        self.name: str = self.path.stem
        self.version: str = about["version"]
        self.inputs = tuple(map(InputSpec.of, about["inputs"]))
        self.outputs = tuple(map(InputSpec.of, about["outputs"]))
        self.ports = tuple(map(Port.of, about["inputs"], about["ports"]))
        self._names: list[str] | None = about["names"]

    def __call__(self, *inputs: Any) -> Any:
        """Run the model; arrays give arrays, Tensors give Tensors.

        Parameters
        ----------
        *inputs : ndarray or Tensor
            As `inputs` says, on any number of samples.

        Returns
        -------
        ndarray or Tensor, or a tuple or dictionary of them
            Nested as the network's own output, if the manifest beside the file tells; else one, or a tuple of several.

        Raises
        ------
        InputError
            If the inputs don't fit, or it can't be resized to them.
        EngineError
            If Lite fails.
        """
        _, outputs = self._worker.call("run", self._checked(inputs))
        return as_given(self._nested(outputs), inputs)

    def __repr__(self) -> str:
        takes = ", ".join(f"{spec.name}: {spec.dtype}[{_axes(spec)}]" for spec in self.inputs)
        return f"{self.name}({takes}) on {TITLE} {self.device}"

    def _checked(self, inputs: Sequence[Any]) -> list[Array]:
        arrays = [value.asnumpy() if is_tensor(value) else value for value in inputs]
        specs: Sequence[InputSpec] = self.inputs
        if len(arrays) == len(self.ports):
            specs = [port.spec_of(array) for port, array in zip(self.ports, arrays, strict=True)]
        return check_inputs(self.name, specs, arrays)

    def _started(self) -> dict[str, Any]:
        try:
            about = self._worker.start()
        except WorkerEndedError as error:
            raise crashed(self.path, error) from error
        for item in about["inputs"]:
            if not item["dtype"]:
                self.close()
                raise UnsupportedError(f"{self.path.name} takes {item['name']}, which is no array of numbers.")
        return about

    def _nested(self, outputs: list[Array]) -> Output:
        if self._names is not None and len(self._names) == len(outputs):
            try:
                return nested_output(dict(zip(self._names, outputs, strict=True)))
            except ValueError:
                # A manifest that somebody has changed.
                self._names = None
        return outputs[0] if len(outputs) == 1 else tuple(outputs)


def crashed(path: Path, error: WorkerEndedError) -> EngineError | ModelFileError:
    """Return what to say of a file at which the engine's process has ended."""
    if error.exit_code >= 0 or error.exit_code == -signal.SIGKILL:
        return error
    return ModelFileError(
        f"{path.name} makes MindSpore Lite crash: {error.message}",
        advice="Convert it with the release of MindSpore Lite that runs it, or export or copy it again.",
    )


def _axes(spec: InputSpec) -> str:
    return ", ".join("any" if size < 0 else str(size) for size in spec.shape or ())
