"""What is asked of a driver or an engine in a process of its own: it may crash, hang, or share none with another.

Each question is for a process that has answered none before.
"""

import os
import re
import time
import zlib
from base64 import b85decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from gsjupyter.benchmarking.targets import ascend, nvidia
from gsjupyter.engines.lite_worker import Engine as LiteEngine
from gsjupyter.engines.messages import Array
from gsjupyter.engines.serving import Answer, Command, first_line, scratch, serve
from gsjupyter.environment import check_numpy
from gsjupyter.errors import EngineError

_DEVICES: Final = {"cpu": "CPU", "gpu": "GPU", "ascend": "Ascend"}
_NOT_LOADED: Final = re.compile(r"Load dynamic library: libmindspore_(gpu|ascend)\S* failed\. (.+)")

# A .ms file with one ReLU from x to y, both float32 of shape (1, 3), in the format that releases since 1.1 read.
_RELU: Final = (
    r"c-nnWJ8r^26dVHr7Z##02?d1<3M76O6$hX+4Jfr`gcB_Bu?$EYA_vG3a-iJD%-dbWhJq)}`>f{8&g%hKtfFZb5^o5YYjEMA#m+|u"
    r"UA_Xp4p3$NVf`jN;;OiSqnHv+^6%R|CtyYliNJ7#Ux5zC08drWCQg_2SCQn~IE?p6c8Jwr_9LV9SC*yB1EcR)p00)~y?F0f?j9jG"
    r"YMyBHEsb|#o_;2m-FZ@smTB}cku*By;XhsbeqU|sKji*7(IZ-xFZ)iHtOm2IpDUg!b<PcDO?~C#Sx<Z{vcqPTAB!}IvU3_t$Kf~>"
    r"&JDtlD-Z"
)


class Questions:
    """What a process can be asked."""

    def __init__(self) -> None:
        self._convolve: Callable[[], Any] | None = None

    def commands(self) -> Mapping[str, Command]:
        """Return the questions, by name."""
        return {
            "nvidia": self.nvidia,
            "ascend": self.ascend,
            "mindspore": self.mindspore,
            "lite": self.lite,
            "warm_up": self.warm_up,
            "convolve": self.convolve,
        }

    def nvidia(self, arrays: Sequence[Array]) -> Answer:
        """Tell what `nvidia.look` finds."""
        return nvidia.look(), ()

    def ascend(self, arrays: Sequence[Array]) -> Answer:
        """Tell what `ascend.look` finds."""
        return ascend.look(), ()

    def mindspore(self, arrays: Sequence[Array], *, target: str) -> Answer:
        """Multiply two matrices in MindSpore on a target."""
        mindspore = _imported_mindspore()
        with scratch() as folder:
            # It may leave files where it runs.
            os.chdir(folder)
            try:
                mindspore.set_device(_DEVICES[target])
                ones = mindspore.Tensor(np.ones((2, 2), np.float32))
                product = mindspore.ops.matmul(ones, ones).asnumpy()
            except Exception as error:
                raise EngineError(f"MindSpore doesn't run on the {_DEVICES[target]}: {_why(error, target)}") from error
            finally:
                os.chdir("/")
        if product.tolist() != [[2, 2], [2, 2]]:
            raise EngineError(f"MindSpore computes a wrong product on the {_DEVICES[target]}: {product.tolist()}")
        return {}, ()

    def lite(self, arrays: Sequence[Array], *, target: str) -> Answer:
        """Run one operator in MindSpore Lite on a target, and tell Lite's ``version``."""
        engine = LiteEngine()
        with scratch() as folder:
            file = folder / "relu.ms"
            file.write_bytes(zlib.decompress(b85decode(_RELU)))
            about, _ = engine.load((), path=str(file), device=target, threads=1)
            _, (output,) = engine.run([np.array([[-1, 0, 2]], np.float32)])
        if output.tolist() != [[0, 0, 2]]:
            raise EngineError(f"MindSpore Lite computes wrong numbers on the {_DEVICES[target]}: {output.tolist()}")
        return {"version": about["version"]}, ()

    def warm_up(self, arrays: Sequence[Array]) -> Answer:
        """Run a convolution of 64 channels with 3 x 3 kernels at 56 x 56 once: the commonest in ResNet."""
        mindspore = _imported_mindspore()
        mindspore.set_device("CPU")
        random = np.random.default_rng(0)
        x, weight = (
            mindspore.Tensor(random.standard_normal(shape, np.float32)) for shape in ((1, 64, 56, 56), (64, 64, 3, 3))
        )
        self._convolve = lambda: mindspore.ops.conv2d(x, weight).asnumpy()
        self._convolve()
        return {}, ()

    def convolve(self, arrays: Sequence[Array], *, duration_s: float) -> Answer:
        """Run that convolution for some time, once at least, and tell how long each run took, as ``durations_s``."""
        durations: list[float] = []
        while self._convolve is not None and (not durations or sum(durations) < duration_s):
            begin = time.perf_counter()
            self._convolve()
            durations.append(time.perf_counter() - begin)
        return {"durations_s": durations}, ()


def _imported_mindspore() -> Any:
    check_numpy(np.__version__)
    try:
        import mindspore
    except Exception as error:
        raise EngineError(
            f"MindSpore can't be imported: {first_line(error)}", advice="Install it again, or what it lacks."
        ) from error
    return mindspore


def _why(error: Exception, target: str) -> str:
    """Return why MindSpore doesn't run on a target: behind much advice it tells which library it couldn't load."""
    for plugin, reason in _NOT_LOADED.findall(str(error)):
        if plugin == target:
            return str(reason).strip()
    return first_line(error)


def main(descriptor: int) -> None:
    """Answer requests."""
    serve(descriptor, Questions().commands())
