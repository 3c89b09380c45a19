"""One pass a file, MindIR to MindIR, and the pipeline that puts them in order."""

from gsjupyter.passes.base import Change, Pass, PassResult, Pipeline, apply
from gsjupyter.passes.correct_bias import CorrectBias
from gsjupyter.passes.equalize_layers import EqualizeLayers
from gsjupyter.passes.float16_weights import Float16Weights
from gsjupyter.passes.fold_batch_norm import FoldBatchNorm
from gsjupyter.passes.fold_constants import FoldConstants
from gsjupyter.passes.fold_masks import FoldMasks
from gsjupyter.passes.functionalize import Functionalize
from gsjupyter.passes.inference_mode import InferenceMode
from gsjupyter.passes.linear import LinearOperator, linear_operators
from gsjupyter.passes.note_outputs import NoteOutputs, watched_outputs
from gsjupyter.passes.pack_weights import PackWeights
from gsjupyter.passes.quantize_activations import ActivationStatistics, QuantizeActivations, activation_inputs
from gsjupyter.passes.quantize_weights import QuantizeWeights
from gsjupyter.passes.remove_channels import RemoveChannels
from gsjupyter.passes.remove_dead_code import RemoveDeadCode
from gsjupyter.passes.selection import LayerSetting, LayerSettings
from gsjupyter.passes.smooth_activations import SmoothActivations
from gsjupyter.passes.unpack_weights import UnpackWeights

__all__ = [
    "ActivationStatistics",
    "Change",
    "CorrectBias",
    "EqualizeLayers",
    "Float16Weights",
    "FoldBatchNorm",
    "FoldConstants",
    "FoldMasks",
    "Functionalize",
    "InferenceMode",
    "LayerSetting",
    "LayerSettings",
    "LinearOperator",
    "NoteOutputs",
    "PackWeights",
    "Pass",
    "PassResult",
    "Pipeline",
    "QuantizeActivations",
    "QuantizeWeights",
    "RemoveChannels",
    "RemoveDeadCode",
    "SmoothActivations",
    "UnpackWeights",
    "activation_inputs",
    "apply",
    "linear_operators",
    "watched_outputs",
]
