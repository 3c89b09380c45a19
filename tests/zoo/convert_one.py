"""Convert one network of the zoo and print what came of it, a line of JSON: ``python -m tests.zoo.convert_one NAME``.

A process of its own for each network, so that its memory and time are its own.
"""

import json
import os
import resource
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.zoo.networks import images, network

_SEED = 2024
_SAMPLES = 2
_HIGHEST = 127


@dataclass(frozen=True)
class Outcome:
    """What came of one network.

    Parameters
    ----------
    name : str
        mindcv's name of it.
    parameters : int
        How many numbers its weights have.
    input_share : float
        The share of the output's power that differs between samples: near zero, no figure below means anything.
    float_error, plain_error, loaded_error : float
        Largest error over the largest absolute value: the float conversion against the source, and the int8 file
        against its conversion, loaded by MindSpore alone and by gsjupyter.
    sqnr_db : float
        Of the int8 conversion's output against the source's.
    rounding_db : float
        The same for a float network whose weights are off at random by up to half a step of 8 bits: what rounding costs
        this network, whoever rounds.
    float_bytes, int8_bytes : int
        The files' sizes.
    norms_folded, norms_left : int
        BatchNorms folded, and left alone.
    left_alone : dict of str to int
        What passes left alone and why, and how often.
    float_matrices : list of str
        Parameters of the int8 model that are matrices, still in float32: name, shape and what reads them.
    float_s, int8_s : float
        Seconds that the two conversions take, with MindSpore's export and the verification.
    source_memory_bytes, memory_bytes : int
        The most memory that the process held, before and after the conversions.
    """

    name: str
    parameters: int
    input_share: float
    float_error: float
    plain_error: float
    loaded_error: float
    sqnr_db: float
    rounding_db: float
    float_bytes: int
    int8_bytes: int
    norms_folded: int
    norms_left: int
    left_alone: dict[str, int]
    float_matrices: list[str]
    float_s: float
    int8_s: float
    source_memory_bytes: int
    memory_bytes: int


def convert_one(name: str) -> Outcome:
    """Convert a network to float and to int8, export both, load them again, and compare."""
    import mindspore

    import gsjupyter as gs
    from gsjupyter.engines import MindSporeModel
    from gsjupyter.quantization import sqnr_db

    rng = np.random.default_rng(_SEED)
    net, x = network(name, rng), images(rng, _SAMPLES)
    reference = net(mindspore.Tensor(x)).asnumpy()
    source_memory = _peak_memory_bytes()
    start = perf_counter()
    in_float = gs.convert(net, x)
    between = perf_counter()
    in_int8 = gs.convert(net, x, weights="int8")
    end = perf_counter()
    memory = _peak_memory_bytes()
    quantized = in_int8(x)
    with tempfile.TemporaryDirectory() as folder:
        float_file = gs.export(in_float, Path(folder) / "float.mindir")
        int8_file = gs.export(in_int8, Path(folder) / "int8.mindir")
        plain = mindspore.nn.GraphCell(mindspore.load(str(int8_file.path)))(mindspore.Tensor(x)).asnumpy()
        loaded = gs.load(int8_file.path)(x)
        float_bytes, int8_bytes = float_file.size_bytes, int8_file.size_bytes
    rounded = MindSporeModel(_off_by_half_a_step(in_float.model, rng))(x)
    folding = next(result for result in in_float.passes if result.name == "FoldBatchNorm")
    return Outcome(
        name=name,
        parameters=sum(parameter.size for parameter in net.get_parameters()),
        input_share=_input_share(reference),
        float_error=_relative_error(reference, in_float(x)),
        plain_error=_relative_error(quantized, plain),
        loaded_error=_relative_error(quantized, loaded),
        sqnr_db=sqnr_db(reference, quantized),
        rounding_db=sqnr_db(reference, rounded),
        float_bytes=float_bytes,
        int8_bytes=int8_bytes,
        norms_folded=len(folding.done),
        norms_left=len(folding.skipped),
        left_alone=_left_alone(in_int8),
        float_matrices=_float_matrices(in_int8.model),
        float_s=between - start,
        int8_s=end - between,
        source_memory_bytes=source_memory,
        memory_bytes=memory,
    )


def _relative_error(expected: npt.NDArray[np.float32], actual: npt.NDArray[np.float32]) -> float:
    return float(np.abs(expected - actual).max() / np.abs(expected).max())


def _input_share(outputs: npt.NDArray[np.float32]) -> float:
    """Return the variance over samples, of outputs of shape (samples, classes), as a share of the power."""
    return float(outputs.var(axis=0).mean() / np.square(outputs).mean())


def _off_by_half_a_step(model: Any, rng: np.random.Generator) -> Any:
    """Return a model with the error on its weights that 8 bits per channel make, but random."""
    from gsjupyter.mindir import Parameter
    from gsjupyter.passes import linear_operators

    graph = model.graph()
    for operator in linear_operators(graph):
        weight = operator.weight.array
        others = tuple(axis for axis in range(weight.ndim) if axis != operator.axis)
        step = np.abs(weight).max(axis=others, keepdims=True) / _HIGHEST
        noisy = weight + step * rng.uniform(-0.5, 0.5, weight.shape)
        operator.node.set_input(operator.weight_index, Parameter.of(operator.weight.name, noisy.astype(np.float32)))
    return model.with_graph(graph)


def _left_alone(conversion: Any) -> dict[str, int]:
    reasons = (
        f"{result.name}, {change.operator}: {change.reason}"
        for result in conversion.passes
        for change in result.skipped
    )
    return dict(Counter(reasons).most_common())


def _float_matrices(model: Any) -> list[str]:
    stored = [item for item in model.graph().parameters() if item.dtype == np.float32]
    matrices = [item for item in stored if sum(size > 1 for size in item.shape) > 1]
    return [f"{item.name} {item.shape}, read by {', '.join(reader.op for reader in item.readers)}" for item in matrices]


def _peak_memory_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Print the outcome of the network named on the command line."""
    # Before MindSpore starts: on processors with AVX-512 or AMX its convolutions can be many times slower otherwise.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    outcome = convert_one(sys.argv[1])
    sys.stdout.write(json.dumps(asdict(outcome)) + "\n")


if __name__ == "__main__":
    main()
