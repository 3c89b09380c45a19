"""Write one network as ONNX and print what came of it, a line of JSON: ``python -m tests.zoo.onnx_one NAME``.

What MindSpore's own exporter makes of it is printed beside, so that the table needs no memory of how it once was.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

_SEED = 2024
_SAMPLES = 3
_EXPORTED = 2
_AGREEING = 1e-3

Arrays = tuple[npt.NDArray[Any], ...]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """What came of one network.

    Parameters
    ----------
    name : str
        The network.
    parameters : int
        How many numbers its weights have.
    input_share : float
        The share of the output's power that differs between samples: near zero, no figure below means anything.
    error : float
        Of the conversion's ONNX file in ONNX Runtime, against MindSpore's output of the source: the largest over the
        largest absolute value, with as many samples as it was converted with.
    free_errors : dict of str to (float or str)
        The same with 3 samples, of models with a free batch: of the conversion, which saw 2, and of the network as
        MindSpore exports it, which saw 1. A text where ONNX Runtime can't run it.
    half_error : float or str
        The same of the float16 model.
    unnamed : list of str
        Layers with a convolution or a matrix product that no ONNX node is called after.
    bytes, half_bytes : int
        The files' sizes, in float32 and in float16.
    write_s : float
        Seconds that it took to lower the conversion, to write it and to check it.
    theirs : str
        What becomes of ``mindspore.export(..., file_format="ONNX")``: "works", "wrong: " and the error, or the failure.
    theirs_opset : int or None
        The version of the operators in that file.
    """

    name: str
    parameters: int
    input_share: float
    error: float
    free_errors: dict[str, float | str]
    half_error: float | str
    unnamed: list[str]
    bytes: int
    half_bytes: int
    write_s: float
    theirs: str
    theirs_opset: int | None


class Reference:
    """A network's inputs, and what MindSpore makes of them."""

    def __init__(self, network: Any, inputs: Arrays) -> None:
        import mindspore

        self.network = network
        self.inputs = inputs
        self.output: Floats = network(*map(mindspore.Tensor, inputs)).asnumpy()

    def first(self, samples: int) -> Arrays:
        """Return so many samples of the inputs."""
        return tuple(array[:samples] for array in self.inputs)

    def error(self, path: Path, samples: int) -> float:
        """Return the error of an ONNX file in ONNX Runtime, run on so many samples.

        Raises
        ------
        Exception
            If it doesn't load, doesn't run, or gives another shape; ONNX Runtime's errors have no class in common.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_inputs()]
        (actual,) = session.run(None, dict(zip(names, self.first(samples), strict=True)))
        expected = self.output[:samples]
        if actual.shape != expected.shape:
            raise ValueError(f"its output is of shape {actual.shape} and not {expected.shape}")
        return float(np.abs(expected - actual).max() / np.abs(expected).max())

    def error_or_failure(self, path: Path, samples: int) -> float | str:
        """Return the error of an ONNX file, or the first line that says why it doesn't run."""
        try:
            return self.error(path, samples)
        except Exception as failure:  # noqa: BLE001  # ONNX Runtime's errors have no class in common
            return _first_line(failure)


def onnx_one(name: str, network: Any, inputs: Arrays) -> Outcome:
    """Write a network as ONNX in all forms, and compare each with MindSpore.

    Parameters
    ----------
    name : str
        What it is called.
    network : nn.Cell
        The network, with one output.
    inputs : tuple of ndarray
        Three samples.
    """
    import mindspore

    import gsjupyter as gs
    from gsjupyter.formats.onnx import save, to_onnx
    from gsjupyter.mindir import model_from_cell

    reference = Reference(network, inputs)
    example = reference.first(_EXPORTED)
    conversion = gs.convert(network, example)
    single = model_from_cell(network, tuple(map(mindspore.Tensor, reference.first(1))))
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        start = perf_counter()
        lowered = to_onnx(conversion.model)
        save(lowered, folder / "ours.onnx")
        write_s = perf_counter() - start
        save(to_onnx(conversion.model, float_type=np.float16), folder / "half.onnx")
        free_errors = {}
        for samples, model in ((_EXPORTED, conversion.model), (1, single)):
            save(to_onnx(model, free_batch=True), folder / "free.onnx")
            free_errors[str(samples)] = reference.error_or_failure(folder / "free.onnx", _SAMPLES)
        theirs, opset = _theirs(reference, folder)
        return Outcome(
            name=name,
            parameters=sum(parameter.size for parameter in network.get_parameters()),
            input_share=_input_share(reference.output),
            error=reference.error(folder / "ours.onnx", _EXPORTED),
            free_errors=free_errors,
            half_error=reference.error_or_failure(folder / "half.onnx", _EXPORTED),
            unnamed=_unnamed(conversion.model, [node.name or "" for node in lowered.graph]),
            bytes=(folder / "ours.onnx").stat().st_size,
            half_bytes=(folder / "half.onnx").stat().st_size,
            write_s=write_s,
            theirs=theirs,
            theirs_opset=opset,
        )


def _theirs(reference: Reference, folder: Path) -> tuple[str, int | None]:
    """Say what becomes of MindSpore's own export, and which version of the operators it writes."""
    import mindspore
    import onnx

    path = folder / "theirs.onnx"
    try:
        mindspore.export(
            reference.network,
            *map(mindspore.Tensor, reference.first(_EXPORTED)),
            file_name=str(path),
            file_format="ONNX",
        )
    except (RuntimeError, TypeError, ValueError, IndexError, KeyError, AttributeError) as failure:
        return _theirs_failure(failure), None
    opset = next(item.version for item in onnx.load(path, load_external_data=False).opset_import if not item.domain)
    error = reference.error_or_failure(path, _EXPORTED)
    if isinstance(error, str):
        operator = re.search(r"Op \((\w+)\)", error)
        return f"doesn't run: {operator[1] if operator else error}", opset
    return "works" if error <= _AGREEING else f"wrong: error {error:.1g}", opset


def _theirs_failure(failure: Exception) -> str:
    text = str(failure)
    missing = re.search(r"find key (\w+) in convert map", text) or re.search(r"currently the (\w+) operator", text)
    return f"no converter for {missing[1]}" if missing else _first_line(failure)


def _first_line(failure: Exception) -> str:
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(failure).strip())
    return re.sub(r"^Load model from \S+ failed:", "", text).partition("\n")[0]


def _unnamed(model: Any, names: Sequence[str]) -> list[str]:
    from gsjupyter.passes import linear_operators

    named = {name.rpartition("/")[0] for name in names}
    # What a cell does in a loop is in no layer.
    layers = {operator.node.layer for operator in linear_operators(model.graph())} - {""}
    return sorted(layers - named)


def _input_share(outputs: Floats) -> float:
    """Return the variance over samples, of outputs of shape (samples, ...), as a share of the power."""
    return float(outputs.var(axis=0).mean() / np.square(outputs).mean())


def network_of(name: str) -> tuple[Any, Arrays]:
    """Return a network and three samples of its input."""
    rng = np.random.default_rng(_SEED)
    if name == "minilm":
        from tests.minilm import SENTENCES, encoder, tokens

        return encoder(), tokens(SENTENCES[:_SAMPLES])
    from tests.formats.onnx import networks as small

    if name in small.NETWORKS:
        made = small.network(name, rng)
        return made, (rng.normal(0, 3, (_SAMPLES, *made.input_shape[1:])).astype(np.float32),)
    from tests.zoo.networks import image_size, images, network

    return network(name, rng), (images(rng, _SAMPLES, image_size(name)),)


def main() -> None:
    """Print the outcome of the network named on the command line."""
    # Before MindSpore starts: on processors with AVX-512 or AMX its convolutions can be many times slower otherwise.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
    name = sys.argv[1]
    sys.stdout.write(json.dumps(asdict(onnx_one(name, *network_of(name)))) + "\n")


if __name__ == "__main__":
    main()
