"""Which of an operator's outputs are read: most have one that matters and others that only training needs."""

from gsjupyter.formats.onnx.operation import Operation


def reads_beyond_first(operation: Operation) -> bool:
    """Say whether anything reads another output than the first; who reads them as one tuple reads all."""
    readers = [reader for reader in operation.node.readers if reader.op != "UpdateState"]
    indices = [index for index, _ in operation.node.item_readers()]
    return any(indices) or len(indices) < len(readers)
