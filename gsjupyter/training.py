"""What a training run knows when it ends: the user's network under MindSpore's wrappers, and a batch of its input."""

import inspect
from typing import Any

from mindspore import nn

from gsjupyter.errors import InputError, SourceError

# What each of MindSpore's wrappers calls the network inside.
_WRAPPED = {
    "TrainOneStepCell": "network",
    "ForwardValueAndGrad": "network",
    "GradAccumulationCell": "network",
    "MicroBatchInterleaved": "network",
    "PipelineCell": "network",
    "WithEvalCell": "_network",
    "WithLossCell": "_backbone",
}


def trained_network(training: Any) -> nn.Cell:
    """Return the network that was trained, without what MindSpore wrapped around it for loss and gradients.

    Parameters
    ----------
    training : object
        What ``run_context.original_args()`` gives.
    """
    network = training.get("network")
    if network is None:
        network = training.get("train_network")
    if not isinstance(network, nn.Cell):
        raise SourceError("the training has no network.", advice="Give it: ExportOnTrainEnd(path, network=net).")
    while (inner := _inside(network)) is not None:
        network = inner
    return network


def _inside(network: nn.Cell) -> nn.Cell | None:
    for name, attribute in _WRAPPED.items():
        if isinstance(network, getattr(nn, name, ())):
            return getattr(network, attribute)
    return None


def example_from(training: Any, network: nn.Cell) -> tuple[Any, ...]:
    """Return one batch of a network's input: the first columns of the training dataset.

    Parameters
    ----------
    training : object
        What ``run_context.original_args()`` gives.
    network : nn.Cell
        The network; the columns behind its inputs are labels.

    Raises
    ------
    InputError
        If there is no dataset, or it has fewer columns than the network takes.
    """
    dataset = training.get("train_dataset")
    rows = () if dataset is None else dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)
    batch = next(iter(rows), None)
    if batch is None:
        raise InputError(
            "the training has no dataset to take a batch from.", advice="Give one batch: ExportOnTrainEnd(path, x)."
        )
    count = _input_count(network, len(batch))
    if count > len(batch):
        names = ", ".join(dataset.get_col_names())
        raise InputError(
            f"{type(network).__name__} takes {count} inputs; the training dataset has {len(batch)} columns ({names}).",
            advice="Give one batch of each input: ExportOnTrainEnd(path, (x, y)).",
        )
    return tuple(batch[:count])


def _input_count(network: nn.Cell, columns: int) -> int:
    items = list(inspect.signature(network.construct).parameters.values())
    if any(item.kind is item.VAR_POSITIONAL for item in items):
        return max(columns - 1, 1)
    required = [item for item in items if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    return sum(item.default is item.empty for item in required)
