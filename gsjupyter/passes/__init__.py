"""One pass a file, MindIR to MindIR, and the pipeline that puts them in order."""

from gsjupyter.passes.base import Change, Pass, PassResult, Pipeline, apply
from gsjupyter.passes.float16_weights import Float16Weights
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.fold_constants import FoldConstants
from gsjupyter.passes.fold_masks import FoldMasks
from gsjupyter.passes.functionalize import Functionalize
from gsjupyter.passes.inference_mode import InferenceMode
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.quantize_activations import ActivationStatistics, QuantizeActivations, activation_inputs
from gsjupyter.passes.quantize_weights import QuantizeWeights, WeightStatistics
from gsjupyter.passes.remove_channels import RemoveChannels
from gsjupyter.passes.remove_dead_code import RemoveDeadCode
from gsjupyter.passes.selection import LayerFormats, LayerSetting, LayerSettings

__all__ = [
    "ActivationStatistics",
    "Change",
    "Float16Weights",
    "FoldBatchNorm",
    "FoldConstants",
    "FoldMasks",
    "Functionalize",
    "InferenceMode",
    "LayerFormats",
    "LayerSetting",
    "LayerSettings",
    "LinearOperator",
    "Pass",
    "PassResult",
    "Pipeline",
    "QuantizeActivations",
    "QuantizeWeights",
    "RemoveChannels",
    "RemoveDeadCode",
    "WeightStatistics",
    "activation_inputs",
    "apply",
    "linear_operators",
]
