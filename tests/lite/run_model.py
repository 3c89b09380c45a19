"""Run a file of MindSpore Lite's in a process without MindSpore: ``run_model.py MODEL INPUTS.npz OUTPUTS.npz``."""

import sys

import mindspore_lite
import numpy as np


def main(path: str, given: str, taken: str) -> None:
    """Feed the model, images with their channels where it wants them, and store what it computes by name."""
    context = mindspore_lite.Context()
    # With several threads this release computes the last rows of a small LayerNorm wrongly.
    context.cpu.thread_num = 1
    model = mindspore_lite.Model()
    model.build_from_file(path, mindspore_lite.ModelType.MINDIR_LITE, context)
    tensors = model.get_inputs()
    with np.load(given) as arrays:
        for tensor, name in zip(tensors, arrays.files, strict=True):
            array = arrays[name]
            if list(array.shape) != tensor.shape and array.ndim == 4:
                array = array.transpose(0, 2, 3, 1)
            tensor.set_data_from_numpy(array)
    np.savez(taken, **{tensor.name: tensor.get_data_to_numpy() for tensor in model.predict(tensors)})


if __name__ == "__main__":
    main(*sys.argv[1:])
