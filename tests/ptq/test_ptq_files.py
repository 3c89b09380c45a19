import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn, ops

from gsjupyter.checkpoint import load_into
from gsjupyter.errors import ParameterError, SourceError
from gsjupyter.goldenstick.ptq import PtqLayer, describe, ptq_layers
from gsjupyter.mindir import Runner, model_from_cell
from gsjupyter.passes import Functionalize, InferenceMode, Pipeline, RemoveDeadCode, linear_operators
from gsjupyter.passes.simulation import has_noted_input
from tests.checkpoints import saved
from tests.ptq.layouts import computed, float_bits, packed, quantized

INPUTS, HIDDEN, OUTPUTS = 8, 6, 4


class Network(nn.Cell):
    """Two layers; the second stays in floating point."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Dense(INPUTS, HIDDEN)
        self.fc2 = nn.Dense(HIDDEN, OUTPUTS)

    def construct(self, x):
        return self.fc2(self.fc1(x))


class TransposedWeight(nn.Cell):
    """Keeps its weight as (in_channels, out_channels)."""

    def __init__(self):
        super().__init__()
        self.weight = Parameter(Tensor(np.zeros((INPUTS, HIDDEN), np.float32)), name="weight")

    def construct(self, x):
        return ops.matmul(x, self.weight)


class SharedInput(nn.Cell):
    """Two layers with one input."""

    def __init__(self):
        super().__init__()
        self.query = nn.Dense(INPUTS, HIDDEN)
        self.key = nn.Dense(INPUTS, HIDDEN)

    def construct(self, x):
        return self.query(x) + self.key(x)


class Case:
    """Random values for `Network`, and what they stand for."""

    def __init__(self, rng, bits=8, group=0):
        self.x = rng.standard_normal((5, INPUTS)).astype(np.float32)
        self.integers, self.scale, self.offset, self.weight = quantized(rng, HIDDEN, INPUTS, bits, group)
        self.bias = rng.standard_normal(HIDDEN).astype(np.float32)
        self.rest = {
            "fc2.weight": rng.standard_normal((OUTPUTS, HIDDEN)).astype(np.float32),
            "fc2.bias": rng.standard_normal(OUTPUTS).astype(np.float32),
        }

    def wanted(self, **incoming):
        hidden = computed(self.x, self.weight, self.bias, **incoming)
        return hidden @ self.rest["fc2.weight"].T + self.rest["fc2.bias"]

    def load(self, folder, tensors, suffix="ckpt", **options):
        path = saved(folder / f"quantized.{suffix}", {"fc1.bias": self.bias, **self.rest, **tensors})
        network = Network()
        return load_into(model_from_cell(network, [self.x]), network, path, **options)


def assert_computes(loaded, x, wanted):
    actual = Runner(loaded.model)(x)
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def weight_of(case):
    return {"fc1.weight": case.integers, "fc1.weight_scale": case.scale, "fc1.weight_offset": case.offset}


def operators(loaded):
    steps = Pipeline([Functionalize(), RemoveDeadCode()], after=Pipeline([InferenceMode()]))
    return {operator.name: operator for operator in linear_operators(steps.run(loaded.model)[0].graph())}


@pytest.mark.parametrize(
    ("bits", "group", "scheme"),
    [
        (8, 0, "int8 per channel"),
        (8, 4, "int8 per group:4"),
        (4, 0, "int4 per channel"),
        (4, 2, "int4 per group:2"),
    ],
)
def test_integer_weights_are_stored_as_they_are(bits, group, scheme, tmp_path, rng):
    case = Case(rng, bits, group)
    for suffix in ("ckpt", "safetensors"):
        loaded = case.load(tmp_path, weight_of(case), suffix)
        assert_computes(loaded, case.x, case.wanted())
    granularity = f"group of {group}" if group else "channel"
    assert loaded.recognised == (f"PTQ, {bits} bit, per {granularity}, 1 layer",)
    found = operators(loaded)
    assert found["fc1"].stored.scheme == scheme
    assert found["fc1"].weight.array.reshape(-1).tolist() == case.integers.reshape(-1).tolist()
    assert found["fc2"].stored is None


@pytest.mark.parametrize("kind", [mindspore.float16, mindspore.bfloat16, mindspore.float64])
def test_scales_may_be_other_floating_point_numbers(kind, tmp_path, rng):
    case = Case(rng)
    scale = Tensor(case.scale).astype(kind)
    loaded = case.load(
        tmp_path, {"fc1.weight": case.integers, "fc1.weight_scale": scale, "fc1.weight_offset": case.offset}
    )
    case.weight = (case.integers - case.offset[:, None]) * scale.astype(mindspore.float32).asnumpy()[:, None]
    assert_computes(loaded, case.x, case.wanted())


def test_a_scale_for_the_whole_tensor(tmp_path, rng):
    case = Case(rng)
    loaded = case.load(tmp_path, {"fc1.weight": case.integers, "fc1.weight_scale": np.float32([0.25])})
    case.weight = case.integers * np.float32(0.25)
    assert_computes(loaded, case.x, case.wanted())
    assert loaded.recognised == ("PTQ, 8 bit, per tensor, 1 layer",)


@pytest.mark.parametrize("group", [0, 4])
def test_four_bits_two_in_a_byte_and_transposed_are_unpacked(group, tmp_path, rng):
    case = Case(rng, 4, group)
    tensors = {
        "fc1.weight": packed(case.integers.T),
        "fc1.weight_scale": case.scale,
        "fc1.weight_offset": case.offset,
    }
    for suffix in ("ckpt", "safetensors"):
        assert_computes(case.load(tmp_path, tensors, suffix), case.x, case.wanted())


@pytest.mark.parametrize("is_transposed", [True, False])
@pytest.mark.parametrize("group", [0, 4])
def test_a_network_that_keeps_its_weight_transposed(is_transposed, group, tmp_path, rng):
    case = Case(rng, 4, group)
    integers = np.ascontiguousarray(case.integers.T) if is_transposed else case.integers
    path = saved(
        tmp_path / "quantized.ckpt", {"weight": integers, "weight_scale": case.scale, "weight_offset": case.offset}
    )
    loaded = load_into(model_from_cell(TransposedWeight(), [case.x]), None, path)
    assert_computes(loaded, case.x, case.x @ case.weight.T)
    operator = next(iter(operators(loaded).values()))
    assert (operator.axis, operator.shape) == (1, (INPUTS, HIDDEN))


@pytest.fixture
def eight_bits(rng):
    return Case(rng)


INPUT_SCALE, INPUT_OFFSET = np.float32(0.02), 11


@pytest.mark.parametrize("is_repeated", [False, True], ids=["one", "for-each-channel"])
@pytest.mark.parametrize("simulate", [True, False])
def test_a_quantized_input_is_computed_or_noted(is_repeated, simulate, eight_bits, tmp_path):
    length = INPUTS if is_repeated else 1
    tensors = {
        **weight_of(eight_bits),
        "fc1.input_scale": np.full(length, INPUT_SCALE),
        "fc1.input_offset": np.full(length, INPUT_OFFSET, np.int8 if is_repeated else np.int32),
        # What the backend for Ascend adds, which follows from the rest.
        "fc1.deq_scale": INPUT_SCALE * eight_bits.scale,
        "fc1.quant_bias": -INPUT_OFFSET * eight_bits.integers.sum(axis=1, dtype=np.int32),
    }
    loaded = eight_bits.load(tmp_path, tensors, simulate=simulate)
    given = {"input_scale": INPUT_SCALE, "input_offset": INPUT_OFFSET} if simulate else {}
    assert_computes(loaded, eight_bits.x, eight_bits.wanted(**given))
    found = operators(loaded)
    assert has_noted_input(found["fc1"].node)
    assert not has_noted_input(found["fc2"].node)
    assert found["fc1"].node.annotations["input_zero_point"] == INPUT_OFFSET + 128
    assert found["fc1"].node.annotations["input_scale"] == pytest.approx(float(INPUT_SCALE))
    assert loaded.recognised == ("PTQ, 8 bit, per channel, 1 layer, activations 8 bit",)


def smoothing(rng):
    return rng.uniform(0.5, 2.0, INPUTS).astype(np.float32)


@pytest.mark.parametrize("hint", ["smooth_scale", "deq_scale", "bits of deq_scale"])
def test_a_smoothing_factor_in_the_scale_of_the_input_is_told_apart(hint, eight_bits, tmp_path, rng):
    factor = smoothing(rng)
    product = INPUT_SCALE * eight_bits.scale
    hints = {"smooth_scale": factor, "deq_scale": product, "bits of deq_scale": float_bits(product)}
    tensors = {
        **weight_of(eight_bits),
        "fc1.input_scale": INPUT_SCALE / factor,
        "fc1.input_offset": np.full(INPUTS, INPUT_OFFSET, np.int8),
        f"fc1.{hint.rpartition(' ')[2]}": hints[hint],
    }
    wanted = eight_bits.wanted(input_scale=INPUT_SCALE, input_offset=INPUT_OFFSET, smooth=factor)
    assert_computes(eight_bits.load(tmp_path, tensors), eight_bits.x, wanted)


def test_a_smoothing_factor_that_can_not_be_told_apart_is_refused(eight_bits, tmp_path, rng):
    tensors = {**weight_of(eight_bits), "fc1.input_scale": INPUT_SCALE / smoothing(rng)}
    with pytest.raises(ParameterError, match="layer fc1 of the checkpoint has an input_scale for each channel"):
        eight_bits.load(tmp_path, tensors)


@pytest.mark.parametrize("simulate", [True, False])
def test_a_smoothing_factor_alone_is_multiplied_with(simulate, eight_bits, tmp_path, rng):
    factor = smoothing(rng)
    loaded = eight_bits.load(tmp_path, {**weight_of(eight_bits), "fc1.smooth_scale": factor}, simulate=simulate)
    assert_computes(loaded, eight_bits.x, eight_bits.wanted(smooth=factor))
    assert not has_noted_input(operators(loaded)["fc1"].node)


def test_a_scale_beside_a_floating_point_offset_is_a_reciprocal(eight_bits, tmp_path):
    tensors = {
        **weight_of(eight_bits),
        "fc1.input_scale": np.full(1, 1 / INPUT_SCALE),
        "fc1.input_offset": np.full(1, INPUT_OFFSET, np.float16),
    }
    wanted = eight_bits.wanted(input_scale=INPUT_SCALE, input_offset=INPUT_OFFSET)
    assert_computes(eight_bits.load(tmp_path, tensors), eight_bits.x, wanted)


@pytest.mark.parametrize(
    ("cell", "scales", "scale", "negated_offset"),
    [
        ("fc1._layer", "fc1._layer.matmul", "weight_scale", "weight_zp"),
        ("fc1.layer", "fc1.quant_method.matmul", "weight_scale", "weight_zp"),
        ("fc1._handler", "fc1._weight_quantizer", "scale", "zp_neg"),
        ("fc1._linear", "fc1._weight_quantizer", "scale", "zp_neg"),
        ("fc1", "fc1._weight_quantizer", "scale", "zp_neg"),
    ],
)
def test_the_names_of_older_versions(cell, scales, scale, negated_offset, tmp_path):
    case = Case(np.random.default_rng(7))
    tensors = {
        f"{cell}.weight": case.integers,
        f"{scales}.{scale}": case.scale,
        f"{scales}.{negated_offset}": (-case.offset).astype(np.float16),
        f"{cell.replace('.layer', '')}.bias": case.bias,
        **case.rest,
    }
    network = Network()
    loaded = load_into(model_from_cell(network, [case.x]), network, saved(tmp_path / "old.ckpt", tensors))
    assert_computes(loaded, case.x, case.wanted())


@pytest.mark.parametrize("has_smoothing", [True, False])
def test_the_scale_of_the_products_alone(has_smoothing, eight_bits, tmp_path, rng):
    case = eight_bits
    factor = smoothing(rng) if has_smoothing else np.ones(INPUTS, np.float32)
    case.weight = case.integers * case.scale[:, None]
    tensors = {
        "fc1._layer.weight": case.integers,
        "fc1._layer.matmul.dequant_scale": float_bits(INPUT_SCALE * case.scale),
        "fc1._layer.matmul.quant_bias": -INPUT_OFFSET * case.integers.sum(axis=1, dtype=np.int32),
        "fc1.quant_op.input_scale": INPUT_SCALE / factor,
        "fc1.quant_op.input_zp": np.full(INPUTS, INPUT_OFFSET, np.int8),
    }
    wanted = case.wanted(input_scale=INPUT_SCALE, input_offset=INPUT_OFFSET, smooth=factor)
    assert_computes(case.load(tmp_path, tensors), case.x, wanted)


def test_a_prefix_is_stripped_from_quantized_layers_too(eight_bits, tmp_path):
    case = eight_bits
    tensors = {f"network.{name}": value for name, value in {**weight_of(case), **case.rest}.items()}
    path = saved(tmp_path / "wrapped.safetensors", {**tensors, "network.fc1.bias": case.bias})
    loaded = load_into(model_from_cell(Network(), [case.x]), None, path)
    assert_computes(loaded, case.x, case.wanted())
    assert loaded.notes[0].startswith("wrapped.safetensors: the checkpoint's names begin with 'network.'")


def test_layers_that_share_their_input_share_its_quantization(tmp_path, rng):
    x = rng.standard_normal((5, INPUTS)).astype(np.float32)
    tensors, wanted = {}, 0
    for name in ("query", "key"):
        integers, scale, offset, weight = quantized(rng, HIDDEN, INPUTS)
        bias = rng.standard_normal(HIDDEN).astype(np.float32)
        wanted = wanted + computed(x, weight, bias, input_scale=INPUT_SCALE)
        tensors |= {
            f"{name}.weight": integers,
            f"{name}.weight_scale": scale,
            f"{name}.weight_offset": offset,
            f"{name}.bias": bias,
            f"{name}.input_scale": np.full(1, INPUT_SCALE),
        }
    loaded = load_into(model_from_cell(SharedInput(), [x]), None, saved(tmp_path / "shared.ckpt", tensors))
    assert_computes(loaded, x, wanted)
    assert loaded.recognised == ("PTQ, 8 bit, per channel, 2 layers, activations 8 bit",)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fc1.weight_scale": np.ones(5, np.float32)}, "neither one for the tensor"),
        ({"fc1.weight_scale": np.ones(INPUTS, np.float32)}, "6 output channels"),
        ({"fc1.weight_scale": np.ones((3, HIDDEN), np.float32)}, "neither one for the tensor"),
        ({"fc1.weight_scale": np.full(HIDDEN, np.nan, np.float32)}, "no finite weight_scale"),
        ({"fc1.weight_offset": np.ones(5, np.int32)}, "don't fit"),
        ({"fc1.input_scale": np.zeros(1, np.float32)}, "no positive, finite input_scale"),
        ({"fc1.input_scale": np.ones(1, np.float32), "fc1.input_offset": np.int32([500])}, "out of range"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changed, message, eight_bits, tmp_path):
    tensors = {**weight_of(eight_bits), "fc1.weight_offset": np.zeros(1, np.int32), **changed}
    with pytest.raises(ParameterError, match=message):
        eight_bits.load(tmp_path, tensors)


def test_integers_of_another_shape_are_refused(eight_bits, tmp_path, rng):
    integers, scale, offset, _ = quantized(rng, HIDDEN, 12)
    tensors = {"fc1.weight": integers, "fc1.weight_scale": scale, "fc1.weight_offset": offset}
    with pytest.raises(SourceError, match=r"fc1\.weight: float32 \(6, 8\) here, int8 \(6, 12\) there"):
        eight_bits.load(tmp_path, tensors)


def test_cells_that_are_called_like_golden_sticks_own(rng):
    tensors = {}
    for name in ("block.layer", "block.matmul"):
        integers, scale, offset, _ = quantized(rng, HIDDEN, INPUTS)
        tensors |= {f"{name}.weight": integers, f"{name}.weight_scale": scale, f"{name}.weight_offset": offset}
    layers, rest = ptq_layers(tensors, ["block.layer.weight", "block.matmul.weight"])
    assert list(layers) == ["block.layer.weight", "block.matmul.weight"]
    assert rest == {}


def test_what_was_found_is_told_in_one_line(rng):
    layers = []
    for bits, group in ((4, 4), (4, 4), (8, 0)):
        integers, scale, offset, _ = quantized(rng, HIDDEN, INPUTS, bits, group)
        layers.append(PtqLayer("fc", "fc.weight", integers, scale, offset))
    assert describe(layers) == "PTQ, 4 and 8 bit, per group of 4 and channel, 3 layers"
