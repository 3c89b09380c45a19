"""The standard form of a network: nothing of its training or compression is left but numbers and ordinary operators."""

from collections.abc import Callable
from typing import Final

from gsjupyter.goldenstick import ghost, ptq, scop, unipruner
from gsjupyter.goldenstick.fused_batch_norm import UnfuseBatchNorm
from gsjupyter.goldenstick.lowering import LowerFakeQuantization, SimulateFakeQuantization
from gsjupyter.goldenstick.ptq_cells import RecognizePtqCells
from gsjupyter.goldenstick.ptq_operators import LowerPtqOperators
from gsjupyter.goldenstick.recognition import plural, quantization_in_words
from gsjupyter.mindir import Model
from gsjupyter.opening import OpenedSource
from gsjupyter.passes import (
    FoldBatchNorm,
    FoldConstants,
    FoldMasks,
    Functionalize,
    InferenceMode,
    LayerSettings,
    Pipeline,
    RemoveChannels,
    RemoveDeadCode,
)
from gsjupyter.pruning_table import pruning_of
from gsjupyter.report import Layers, PruningReport

_LOWERINGS: Final = (LowerPtqOperators.__name__, LowerFakeQuantization.__name__)
_SIMULATIONS: Final = (LowerPtqOperators.__name__, SimulateFakeQuantization.__name__)


class StandardForm:
    """The passes that give a network its standard form, and what they find out about it.

    Parameters
    ----------
    source : OpenedSource
        The network.
    simulate : bool
        Whether activations that the network quantizes are computed so, or only noted.
    """

    def __init__(self, source: OpenedSource, *, simulate: bool) -> None:
        self.source = source
        self.lowering = LowerFakeQuantization(simulate=simulate)
        self._masks = FoldMasks(source.model)
        self._ptq = (LowerPtqOperators(simulate=simulate), RecognizePtqCells(simulate=simulate))
        self.pipeline = Pipeline(
            [
                Functionalize(),
                RemoveDeadCode(),
                *self._ptq,
                UnfuseBatchNorm(),
                self.lowering,
                FoldBatchNorm(),
                self._masks,
                RemoveChannels(),
                FoldConstants(source.model),
            ],
            after=Pipeline([InferenceMode()]),
        )
        self.results = source.passes
        """What each pass did, after `run`."""
        self.pruning: PruningReport | None = None
        """What was removed, after `run`; None if nothing was, and no mask was found."""

    def run(self, progress: Callable[[str], None]) -> Model:
        """Return the network in standard form.

        Parameters
        ----------
        progress : callable
            Called with each pass's name before it runs.
        """
        model, results = self.pipeline.run(self.source.model, progress)
        self.results = (*self.source.passes, *results)
        pruning = pruning_of(self.source.model, model, results)
        self.pruning = pruning if pruning.is_pruned or pruning.masks_left else None
        return model

    def runnable_source(self) -> Model:
        """Return the source, its pseudo-quantization computed with operators that every backend has; after `run`."""
        if not any(result.done for result in self.results if result.name in _LOWERINGS):
            return self.source.model
        simulation = Pipeline(
            [Functionalize(), RemoveDeadCode(), LowerPtqOperators(), UnfuseBatchNorm(), SimulateFakeQuantization()],
            after=Pipeline([InferenceMode()]),
        )
        simulated, results = simulation.run(self.source.model)
        is_needed = any(result.done for result in results if result.name in _SIMULATIONS)
        return simulated if is_needed else self.source.model

    @property
    def recognised(self) -> tuple[str, ...]:
        """Which algorithms have compressed the network, after `run`."""
        graph = self.source.model.graph()
        layers = [layer for step in self._ptq for layer in step.layers]
        return (
            *self.source.recognised,
            *quantization_in_words(self.lowering),
            *([ptq.describe(layers)] if layers else []),
            *scop.pruning_in_words(graph, self._masks),
            *unipruner.pruning_in_words(graph, self.source.masks),
            *ghost.modules_in_words(graph),
        )

    def notes(self, layers: Layers, settings: LayerSettings) -> list[str]:
        """Return what the user should know about the network's own quantization, after `run`."""
        lowering, notes = self.lowering, list(self.source.notes)
        if lowering.untrained:
            notes.append(
                f"{plural(lowering.untrained, 'range')} still from -6 to 6, where training starts: train the network, "
                "or give a checkpoint of one that was, before it is deployed."
            )
        if lowering.activation_bits and not lowering.simulate:
            notes.append(
                "The network's quantized activations are noted for devices and not computed, so the verification "
                "shows what they change."
            )
        names = [item.name for item in layers if item.name in lowering.statistics]
        own = [name for name in names if settings.has_override(name) or settings.of(name) == "float16"]
        if own:
            notes.append(f"Quantized by the network itself, so the format asked for has no effect: {', '.join(own)}.")
        return notes
