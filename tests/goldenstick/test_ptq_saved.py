"""Checkpoints of layers that Golden Stick itself has quantized, and its own deployment processing has rewritten."""

from types import SimpleNamespace

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn
from mindspore_gs.common import BackendTarget
from mindspore_gs.ptq.models.mindone_models.param_processor import ParamProcessor
from mindspore_gs.ptq.ptq_config import PrecisionRecovery, QuantGranularity
from mindspore_gs.ptq.quant_cells.mindone import AllQuantLinearCell, WeightQuantLinearCell

from gsjupyter.checkpoint import load_into
from gsjupyter.mindir import Runner, model_from_cell
from tests.ptq.layouts import computed, dequantized

INPUTS, OUTPUTS = 64, 48


class Network(nn.Cell):
    """A float network of one layer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(INPUTS, OUTPUTS)

    def construct(self, x):
        return self.fc(x)


def by_golden_stick(weight, bias, x, *, bits, group, with_inputs, symmetric):
    """Return the parameters of a layer that Golden Stick has quantized, and its description of them."""
    dense = nn.Dense(INPUTS, OUTPUTS, weight_init=Tensor(weight), bias_init=Tensor(bias))
    dense.update_parameters_name("fc.")
    settings = SimpleNamespace(
        weight_quant_dtype=mindspore.int8 if bits == 8 else mindspore.dtype.qint4x2,
        weight_quant_granularity=QuantGranularity.PER_GROUP if group else QuantGranularity.PER_CHANNEL,
        group_size=group,
        weight_symmetric=symmetric,
        weight_narrow_range=False,
        act_quant_dtype=mindspore.int8 if with_inputs else None,
        act_quant_granularity=QuantGranularity.PER_TENSOR,
        act_per_channel=False,
        act_symmetric=False,
        act_narrow_range=False,
        precision_recovery=PrecisionRecovery.NONE,
        dumper=SimpleNamespace(dump_data=lambda *arguments: None),
    )
    context = SimpleNamespace(report_quant_info=lambda *arguments: None)
    cell = (AllQuantLinearCell if with_inputs else WeightQuantLinearCell)("fc", dense, context, settings)
    cell.cat_samples = Tensor(x)
    cell.quant()
    wrapper = nn.Cell()
    wrapper.fc = cell
    return dict(wrapper.parameters_dict()), cell.quant_type_dict()


@pytest.mark.parametrize("backend", [BackendTarget.NONE, BackendTarget.ASCEND], ids=["none", "ascend"])
@pytest.mark.parametrize(
    ("case", "description", "error"),
    [
        ((8, 0, False, True), "PTQ, 8 bit, per channel, 1 layer", 0.02),
        ((8, 0, False, False), "PTQ, 8 bit, per channel, 1 layer", 0.02),
        ((4, 0, False, True), "PTQ, 4 bit, per channel, 1 layer", 0.25),
        ((4, 16, False, False), "PTQ, 4 bit, per group of 16, 1 layer", 0.2),
        # Golden Stick's W8A8 takes symmetric weights only.
        ((8, 0, True, True), "PTQ, 8 bit, per channel, 1 layer, activations 8 bit", 0.03),
    ],
    ids=["w8a16", "w8a16-asymmetric", "w4a16", "w4a16-group-asymmetric", "w8a8"],
)
def test_a_saved_layer_computes_what_golden_stick_meant(case, description, error, backend, tmp_path):
    rng = np.random.default_rng(3)
    bits, group, with_inputs, symmetric = case
    weight, bias, x = (
        rng.standard_normal(size).astype(np.float32) for size in ((OUTPUTS, INPUTS), OUTPUTS, (9, INPUTS))
    )
    options = {"bits": bits, "group": group, "with_inputs": with_inputs, "symmetric": symmetric}
    saved, kinds = by_golden_stick(weight, bias, x, **options)
    stored = {name: parameter.asnumpy() for name, parameter in saved.items()}
    content = ParamProcessor(backend).process_param_dict(saved, kinds)
    content = [{"name": name, "data": parameter} for name, parameter in content.items()]
    model = model_from_cell(Network(), [x])
    outputs = []
    for suffix in ("ckpt", "safetensors"):
        path = tmp_path / f"quantized.{suffix}"
        mindspore.save_checkpoint(content, str(path), format=suffix)
        loaded = load_into(model, None, path)
        outputs.append(Runner(loaded.model)(x))
        assert loaded.recognised == (description,)
    actual = outputs[0]
    np.testing.assert_array_equal(*outputs)
    parts = (stored[f"fc.{part}"] for part in ("weight", "weight_scale", "weight_offset"))
    incoming = {}
    if with_inputs:
        incoming = {"input_scale": stored["fc.input_scale"], "input_offset": stored["fc.input_offset"]}
    wanted = computed(x, dequantized(*parts), bias, **incoming)
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
    trained = x @ weight.T + bias
    assert np.linalg.norm(actual - trained) < error * np.linalg.norm(trained)
