"""Which engine runs on which target: each is tried where it may work, and judged where that is hopeless."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gsjupyter.benchmarking.records import ENGINE_TITLES, TARGET_TITLES, Device, EngineName, Target
from gsjupyter.benchmarking.targets.mindspore_backends import (
    find_ascend_backend,
    find_gpu_backend,
    mindspore_folder,
    mindspore_version,
)
from gsjupyter.benchmarking.targets.nvidia import hiding
from gsjupyter.benchmarking.targets.obstacles import (
    INSTALL_MINDSPORE,
    Obstacle,
    ascend_obstacle,
    gpu_obstacle,
    lite_obstacle,
    other_way,
    provider_obstacle,
    sentence,
)
from gsjupyter.benchmarking.targets.probes import ask, find_npus, find_nvidia
from gsjupyter.engines.execution_providers import INSTALL, Provider, is_onnxruntime_installed, onnxruntime_version
from gsjupyter.engines.execution_providers import providers as try_providers
from gsjupyter.errors import EngineError, GsError
from gsjupyter.formats.lite.installation import find_benchmark, find_package, wheel_to_get
from gsjupyter.report import format_bytes

PROVIDERS: Final[Mapping[Target, tuple[str, ...]]] = {
    "cpu": ("cpu",),
    "gpu": ("cuda", "tensorrt"),
    "ascend": ("cann",),
}
"""ONNX Runtime's execution providers for each target, the usual one first."""

# A card that is newer than the kernels has them compiled at the first run, and an Ascend compiles every operator.
_LIMIT_S: Final = 300.0


@dataclass(frozen=True)
class Place:
    """One way to run a model.

    Parameters
    ----------
    target : {"cpu", "gpu", "ascend"}
        On what.
    engine : {"mindspore", "onnxruntime", "lite"}
        By what.
    provider : str
        ONNX Runtime's execution provider; empty for other engines.
    title : str
        The engine, with its provider where that needs saying.
    obstacle : str
        Why it isn't there; empty if it is.
    advice : str
        What to do about that.
    details : str
        The engine's version, and the devices.
    """

    target: Target
    engine: EngineName
    provider: str
    title: str
    obstacle: str = ""
    advice: str = ""
    details: str = ""

    @property
    def is_available(self) -> bool:
        """Whether models can run there."""
        return not self.obstacle


def look_around(
    targets: Sequence[Target], engines: Sequence[EngineName], begin: Callable[[str], None] = lambda step: None
) -> Iterator[Place]:
    """Yield the ways to run a model, target by target, whether they are there or not.

    Parameters
    ----------
    targets : sequence of {"cpu", "gpu", "ascend"}
        On what.
    engines : sequence of {"mindspore", "onnxruntime", "lite"}
        By what.
    begin : callable
        Called with the name of each step that may take a while.
    """
    runtime: dict[str, Provider] = {}
    if "onnxruntime" in engines and is_onnxruntime_installed():
        begin("starting ONNX Runtime")
        runtime = try_providers([name for target in targets for name in PROVIDERS[target]])
    for target in targets:
        for engine in engines:
            if engine == "onnxruntime":
                yield from (_runtime_place(target, name, runtime.get(name)) for name in PROVIDERS[target])
            elif engine == "mindspore":
                begin(f"starting MindSpore on the {TARGET_TITLES[target]}")
                obstacle = _mindspore_obstacle(target, runtime.get("cuda"))
                yield _place(target, engine, obstacle, version=mindspore_version())
            else:
                begin(f"starting MindSpore Lite on the {TARGET_TITLES[target]}")
                yield _place(target, engine, *_lite(target))


def _place(
    target: Target,
    engine: EngineName,
    obstacle: Obstacle | None,
    version: str,
    *,
    provider: str = "",
    title: str = "",
) -> Place:
    reason, advice = (obstacle.reason, obstacle.advice) if obstacle else ("", "")
    return Place(
        target, engine, provider, title or ENGINE_TITLES[engine], reason, advice, ", ".join(_details(target, version))
    )


def _details(target: Target, version: str) -> Iterator[str]:
    if version:
        yield version
    devices: Sequence[Device] = ()
    if target == "gpu":
        devices = find_nvidia().devices
    elif target == "ascend":
        devices = find_npus().devices
    for device in dict.fromkeys(devices):
        count = devices.count(device)
        memory = f" with {format_bytes(device.memory_bytes)}" if device.memory_bytes else ""
        yield f"{f'{count} x ' if count > 1 else ''}{device.name}{memory}"
    if devices and devices[0].driver:
        yield f"driver {devices[0].driver}"
    if target == "gpu" and find_nvidia().cuda:
        yield f"CUDA up to {find_nvidia().cuda}"
    if target == "ascend" and find_npus().cann:
        yield f"CANN {find_npus().cann}"


def _runtime_place(target: Target, name: str, provider: Provider | None) -> Place:
    if provider is None:
        return _place(target, "onnxruntime", Obstacle("ONNX Runtime isn't installed.", INSTALL), "", provider=name)
    title = ENGINE_TITLES["onnxruntime"] + (f" ({provider.title})" if target != "cpu" else "")
    return _place(
        target,
        "onnxruntime",
        provider_obstacle(provider, _absence(target), hiding() if target == "gpu" else ""),
        onnxruntime_version(),
        provider=name,
        title=title,
    )


def _mindspore_obstacle(target: Target, cuda: Provider | None) -> Obstacle | None:
    folder = mindspore_folder()
    if folder is None:
        return Obstacle("MindSpore isn't installed.", INSTALL_MINDSPORE)
    known = None
    if target == "gpu":
        backend = find_gpu_backend(folder)
        known = gpu_obstacle(find_nvidia(), backend, hidden_by=hiding(), other_way=other_way(find_nvidia(), cuda))
    elif target == "ascend":
        known = ascend_obstacle(find_npus(), find_ascend_backend(folder))
    return known or _failure(target)


def _failure(target: Target) -> Obstacle | None:
    """Start MindSpore on a target, and return why that failed."""
    title = f"MindSpore on the {TARGET_TITLES[target]}"
    try:
        ask("mindspore", title, limit_s=_LIMIT_S, target=target)
    except GsError as error:
        return Obstacle(sentence(error.message), error.advice)
    return None


def _lite(target: Target) -> tuple[Obstacle | None, str]:
    """Start MindSpore Lite on a target, and return what is in its way, and its version."""
    package = find_package()
    if package is None:
        missing = EngineError(
            "MindSpore Lite's Python package, mindspore_lite, isn't installed.", advice=wheel_to_get()
        )
        return lite_obstacle(missing, "", _benchmark_program()), ""
    try:
        version = ask("lite", ENGINE_TITLES["lite"], limit_s=_LIMIT_S, target=target)["version"]
    except GsError as error:
        return lite_obstacle(error, _absence(target), _benchmark_program()), package.version
    return None, str(version)


def _absence(target: Target) -> str:
    """Return why there is no such device; empty if there is one."""
    return {"cpu": "", "gpu": find_nvidia().obstacle, "ascend": find_npus().obstacle}[target]


def _benchmark_program() -> Path | None:
    try:
        return find_benchmark()
    except EngineError:
        return None
