"""The files of a benchmark, read when a rule asks for them and once only; a damaged one is as good as none."""

import logging
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias, TypeVar

from gsjupyter.benchmarking.advice.mindir_network import MindIRNetwork, read_mindir
from gsjupyter.benchmarking.advice.mindir_worker import MODULE
from gsjupyter.benchmarking.advice.onnx_network import OnnxNetwork
from gsjupyter.benchmarking.records import Setting
from gsjupyter.engines.onnxruntime import OnnxRuntimeModel
from gsjupyter.engines.worker import Worker

Network: TypeAlias = OnnxNetwork | MindIRNetwork
Known = TypeVar("Known")

_log = logging.getLogger(__name__)

_READING_S: Final = 120.0
# Values lie beside it and are not read: a protobuf holds no more than 2 GiB.
_VALUES_BESIDE: Final = {"session.optimized_model_external_initializers_file_name": "values.data"}
_WRITES_ITS_NETWORK: Final = ("cpu", "cuda")


class NetworkFiles:
    """What is in the files of a benchmark.

    Parameters
    ----------
    files : mapping of Setting to Path
        The file of each row, as far as it is at hand.
    """

    def __init__(self, files: Mapping[Setting, Path]) -> None:
        self._files = files
        self._known: dict[tuple[str, Path, str], object] = {}
        self._worker: Worker | None = None

    def network(self, setting: Setting) -> Network | None:
        """Return what a row's file holds; None if it can't be read."""
        return self.onnx(setting) if setting.engine == "onnxruntime" else self.mindir(setting)

    def onnx(self, setting: Setting) -> OnnxNetwork | None:
        """Return what a row's ONNX file holds; None if it has none, or it can't be read."""
        path = self._files.get(setting)
        if path is None or setting.engine != "onnxruntime":
            return None
        return self._once("onnx", path, "", lambda: OnnxNetwork.read(path))

    def running(self, setting: Setting) -> OnnxNetwork | None:
        """Return what ONNX Runtime makes of a row's file before it runs it; None if it doesn't tell."""
        path = self._files.get(setting)
        provider = setting.provider or "cpu"
        if path is None or setting.engine != "onnxruntime" or provider not in _WRITES_ITS_NETWORK:
            return None
        return self._once("running", path, provider, lambda: _as_it_runs(path, provider))

    def mindir(self, setting: Setting) -> MindIRNetwork | None:
        """Return what a row's MindIR file holds; None if it has none, or it can't be read."""
        path = self._files.get(setting)
        if path is None or setting.engine != "mindspore":
            return None
        return self._once("mindir", path, "", lambda: self._read_mindir(path))

    def _read_mindir(self, path: Path) -> MindIRNetwork:
        if "mindspore" in sys.modules:
            return read_mindir(path)
        if self._worker is None:
            self._worker = Worker(MODULE, "MindSpore")
        answer, _ = self._worker.call("read", limit_s=_READING_S, path=str(path.absolute()))
        return MindIRNetwork.from_json(answer)

    def _once(self, kind: str, path: Path, provider: str, read: Callable[[], Known]) -> Known | None:
        key = (kind, path, provider)
        if key not in self._known:
            try:
                self._known[key] = read()
            except Exception as error:  # noqa: BLE001 - a file from anywhere; without it there is less to say
                _log.debug("no advice from %s: %s", path, error)
                self._known[key] = None
        return self._known[key]  # type: ignore[return-value]  # what `read` gave under this key

    def close(self) -> None:
        """End what was started to read them."""
        if self._worker is not None:
            self._worker.close()

    def __enter__(self) -> "NetworkFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _as_it_runs(path: Path, provider: str) -> OnnxNetwork:
    with tempfile.TemporaryDirectory(prefix="gsjupyter-") as folder:
        written = Path(folder, "running.onnx")
        options = {"optimized_path": written, "configuration": _VALUES_BESIDE}
        with OnnxRuntimeModel(path, provider=provider, threads=1, **options):  # type: ignore[arg-type]
            return OnnxNetwork.read(written)
