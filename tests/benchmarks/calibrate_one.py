"""Quantize ResNet-50 once and print what it took: ``python -m tests.benchmarks.calibrate_one COUNT [ONNX FILE]``.

With a file ONNX Runtime quantizes it, without one gsjupyter converts the network.

A process of its own for each run, so that its peak memory is its own.
"""

import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]
KIBIBYTE = 1024


def images(count: int) -> Iterator[Images]:
    """Yield single images, made one by one: the data must not count as memory of the calibration."""
    for seed in range(count):
        yield np.random.default_rng(seed).standard_normal((1, 3, 224, 224)).astype(np.float32)


class ImagesAgain:
    """Images that can be read again and again."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[Images]:
        return images(self.count)


def ours(count: int) -> float:
    """Convert with gsjupyter; return the seconds, without those in which the network is made."""
    import mindspore

    import gsjupyter as gs
    from tests.zoo.networks import network

    net = network("resnet50", np.random.default_rng(0))
    mindspore.set_context(mode=mindspore.PYNATIVE_MODE)
    start = perf_counter()
    gs.convert(net, next(images(1)), weights="int8", activations="int8", calibration=ImagesAgain(count))
    return perf_counter() - start


def onnxruntime(count: int, path: Path) -> float:
    """Quantize a file with ONNX Runtime; return the seconds."""
    from tests.benchmarks.static_quantization import quantize_static

    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        quantize_static(path, Path(folder) / "int8.onnx", images(count))
        return perf_counter() - start


def main() -> None:
    """Print seconds, and the peak memory of the process in bytes."""
    # Before MindSpore starts: on processors with AVX-512 or AMX its convolutions can be many times slower otherwise.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    count, path = int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    seconds = ours(count) if path is None else onnxruntime(count, path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_bytes": peak}) + "\n")


if __name__ == "__main__":
    main()
