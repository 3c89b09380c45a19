"""ONNX files: checked before they count as written, with their values beside them where one file can't hold them."""

from pathlib import Path
from typing import Final

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from gsjupyter.errors import WriteError

EXTERNAL_DATA_BYTES: Final = 2_000_000_000
"""Values of more than this lie beside the model: a protobuf holds no more than 2 GiB."""


def save(model: ir.Model, path: Path) -> tuple[Path, ...]:
    """Write an ONNX model, with the shapes of its inner values, and check the file.

    Parameters
    ----------
    model : ir.Model
        The model. The shapes are added to it.
    path : Path
        Where. Above 2 GB the values go to ``<name>.data`` beside it.

    Returns
    -------
    tuple of Path
        The files written, the one to load first.

    Raises
    ------
    WriteError
        If the file isn't sound by onnx's own checker; then the lowering is wrong, and not the user.
    """
    ShapeInferencePass(check_type=True, strict_mode=True, data_prop=True)(model)
    sizes = (value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None)
    data = path.with_name(f"{path.name}.data") if sum(sizes) > EXTERNAL_DATA_BYTES else None
    ir.save(model, path, external_data=data.name if data is not None else None)
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise WriteError(f"{path.name} would be no sound ONNX model: {error}") from error
    return (path,) if data is None else (path, data)
