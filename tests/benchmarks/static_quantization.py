"""What ONNX Runtime's own quantization makes of a network: what ours is held against."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]


def quantize_static(source: Path, target: Path, batches: Iterable[Images]) -> None:
    """Quantize an ONNX file with one input: 8 bits, weights signed and per channel, activations unsigned, min and max.

    Parameters
    ----------
    source, target : Path
        The file in floating point, and where to write.
    batches : iterable of ndarray
        What to calibrate with.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name = onnx.load(source, load_external_data=False).graph.input[0].name

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]  # it has no types
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> dict[str, Images] | None:
            batch = next(self._batches, None)
            return None if batch is None else {name: batch}

    prepared = target.with_name(f"prepared_{target.name}")
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    quantization.quantize_static(
        prepared,
        target,
        Reader(),
        quant_format=quantization.QuantFormat.QDQ,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
    )
