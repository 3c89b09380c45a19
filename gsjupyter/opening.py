"""A source made ready for conversion: exported, with a checkpoint's values, and what it keeps twice in agreement."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mindspore import nn

from gsjupyter.checkpoint import instance_of, load_into
from gsjupyter.goldenstick.recognition import plural
from gsjupyter.goldenstick.scop import RenewMasks, stale_masks
from gsjupyter.goldenstick.unipruner import ChannelMasks, ZeroMaskedChannels, channel_masks
from gsjupyter.mindir import Array, Model
from gsjupyter.passes import (
    Functionalize,
    InferenceMode,
    PassResult,
    Pipeline,
    RemoveDeadCode,
    UnpackWeights,
    apply,
)
from gsjupyter.sources import model_of


@dataclass(frozen=True)
class OpenedSource:
    """A network that is ready to be converted.

    Parameters
    ----------
    model : Model
        The network in inference mode: what the conversion is held against.
    passes : tuple of PassResult
        What had to be changed to get it.
    notes : tuple of str
        What the user should know.
    recognised : tuple of str
        Which algorithms have made the checkpoint.
    masks : mapping of str to ChannelMasks
        The channels that UniPruner's cells mask, which the graph doesn't show.
    """

    model: Model
    passes: tuple[PassResult, ...]
    notes: tuple[str, ...]
    recognised: tuple[str, ...]
    masks: Mapping[str, ChannelMasks]


def open_source(source: Any, example: Any, ckpt: str | Path | None, *, simulate: bool) -> OpenedSource:
    """Return a network as a model; the source is left as it is.

    Parameters
    ----------
    source : nn.Cell, class of one, str or Path
        The network, its class if a checkpoint gives the values, or a MindIR file.
    example : optional
        One example of the input, several inputs as a tuple.
    ckpt : str or Path, optional
        The checkpoint.
    simulate : bool
        Whether inputs that the checkpoint quantizes are computed so, or only noted.

    Raises
    ------
    SourceError, InputError
        If the source is no network, the example doesn't fit, or the checkpoint is another network's.
    ModelFileError
        If a file is damaged or of another kind.
    """
    if ckpt is not None and isinstance(source, type) and issubclass(source, nn.Cell):
        source = instance_of(source)
    cell = source if isinstance(source, nn.Cell) else None
    model = _canonical(model_of(source, example))
    notes: tuple[str, ...] = ()
    recognised: tuple[str, ...] = ()
    values = None
    if ckpt is not None:
        loaded = load_into(model, cell, ckpt, simulate=simulate)
        model, notes, recognised, values = loaded.model, loaded.notes, loaded.recognised, loaded.checkpoint.tensors
    if cell is None:
        # A cell was exported in inference mode, where what still trains is meant to. A file may come from training,
        # and what it would compute at inference is what the conversion is held against.
        model, result = apply(InferenceMode(), model)
        return OpenedSource(model, (result,), notes, recognised, {})
    return _mended(cell, model, values, notes, recognised)


def _mended(
    cell: nn.Cell,
    model: Model,
    values: Mapping[str, Array] | None,
    notes: tuple[str, ...],
    recognised: tuple[str, ...],
) -> OpenedSource:
    results: tuple[PassResult, ...] = ()
    if stale := stale_masks(cell, values):
        model, result = apply(RenewMasks(stale), model)
        results = (result,)
        notes += (f"{plural(len(stale), 'mask')} renewed: out_index says which channels are kept, mask was older.",)
    masks = channel_masks(cell, values)
    if masks:
        zeroing = Pipeline([Functionalize(), RemoveDeadCode(), ZeroMaskedChannels(masks)], _INFERENCE)
        model, more = zeroing.run(model)
        results += more
    return OpenedSource(model, results, notes, recognised, masks)


_INFERENCE = Pipeline([InferenceMode()])


def _canonical(model: Model) -> Model:
    """Return a model with weights unpacked, and without MindSpore's notes for debugging: sizes can be compared."""
    graph = model.graph()
    UnpackWeights().run(graph)
    return model.with_graph(graph)
