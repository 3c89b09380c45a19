"""Runs the file that convert.sh has made on the example, and holds it against the network that it was made from.

It needs MindSpore Lite's Python package and numpy only: python check.py lenet.ms. It ends with 1 if they are far apart.
"""

import sys
from pathlib import Path

import mindspore_lite  # type: ignore[import-not-found]  # few have it
import numpy as np

NEAR_COSINE = 0.99
# What MindSpore Lite has in place of the network's data types.
NARROWER = {"int64": "int32", "float64": "float32"}


def main(path: str = "") -> int:
    """Print how near the outputs of a file are to those expected, and return 1 if they are far from them."""
    path = path or str(next(Path(__file__).parent.glob("*.ms")))
    worst = 1.0
    context = mindspore_lite.Context()
    context.target = ["cpu"]
    model = mindspore_lite.Model()
    model.build_from_file(path, mindspore_lite.ModelType.MINDIR_LITE, context)
    inputs = model.get_inputs()
    folder = Path(__file__).parent / "example"
    for index, tensor in enumerate(inputs):
        dtype = np.load(folder / f"input{index}.npy").dtype.name
        values = np.fromfile(folder / f"input{index}.bin", NARROWER.get(dtype, dtype))
        tensor.set_data_from_numpy(values.reshape(tensor.shape))
    for index, tensor in enumerate(model.predict(inputs)):
        found = tensor.get_data_to_numpy().ravel().astype(np.float64)
        expected = np.load(folder / f"output{index}.npy").ravel().astype(np.float64)
        cosine = found @ expected / max(np.linalg.norm(found) * np.linalg.norm(expected), 1e-30)
        worst = min(worst, cosine)
        print(f"output {index}: cosine {cosine:.6f}, max error {np.abs(found - expected).max():.3g}")
    return 0 if worst >= NEAR_COSINE else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
