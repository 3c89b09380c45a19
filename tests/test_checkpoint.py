import json
import time

import mindspore
import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn

import gsjupyter as gs
from gsjupyter.checkpoint import instance_of, load_into
from gsjupyter.errors import SourceError
from gsjupyter.mindir import Runner, load_model, model_from_cell, save_model
from gsjupyter.parameter_names import match_names
from tests.checkpoints import arrays, saved
from tests.networks import MLP, LeNet, filled, random_input, state

FORMATS = ("ckpt", "safetensors")


def output(network, x):
    network.set_train(False)
    return network(Tensor(x)).asnumpy()


@pytest.fixture
def trained(rng):
    return filled(MLP(), rng)


@pytest.fixture
def x(rng):
    return random_input(MLP, rng)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_network_computes_with_the_values_of_the_file(suffix, trained, x, tmp_path):
    fresh = MLP()
    before = state(fresh)
    path = saved(tmp_path / f"mlp.{suffix}", arrays(trained))
    loaded = load_into(model_from_cell(fresh, [x]), fresh, path)
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), rtol=1e-6)
    assert loaded.notes == loaded.recognised == ()
    assert state(fresh) == before


def test_batch_norm_statistics_come_from_the_file(tmp_path, rng):
    trained, fresh, x = filled(LeNet(), rng), LeNet(), random_input(LeNet, rng)
    path = saved(tmp_path / "lenet.ckpt", arrays(trained))
    loaded = load_into(model_from_cell(fresh, [x]), fresh, path)
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), rtol=1e-4, atol=1e-5)


def test_a_mindir_file_takes_the_values_as_well(trained, x, tmp_path):
    save_model(model_from_cell(MLP(), [x]), tmp_path / "mlp.mindir")
    path = saved(tmp_path / "mlp.ckpt", arrays(trained))
    loaded = load_into(load_model(tmp_path / "mlp.mindir"), None, path)
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), rtol=1e-6)


@pytest.mark.parametrize("kind", [mindspore.float16, mindspore.bfloat16, mindspore.float64])
def test_other_floating_point_numbers_become_float32(kind, trained, x, tmp_path):
    half = {name: Tensor(array).astype(kind) for name, array in arrays(trained).items()}
    loaded = load_into(model_from_cell(MLP(), [x]), None, saved(tmp_path / "mlp.ckpt", half))
    assert {parameter.dtype.name for parameter in loaded.model.graph().parameters()} == {"float32"}
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), atol=0.1)


def test_what_only_training_needs_is_ignored(trained, x, tmp_path):
    cell = nn.TrainOneStepCell(nn.WithLossCell(trained, nn.MSELoss()), nn.Adam(trained.trainable_params()))
    everything = {parameter.name: parameter.asnumpy() for parameter in cell.get_parameters()}
    assert len(everything) > 2 * len(arrays(trained))
    path = saved(tmp_path / "mlp.ckpt", everything, append_dict={"epoch_num": 3, "step_num": 90, "note": "best so far"})
    fresh = MLP()
    assert load_into(model_from_cell(fresh, [x]), fresh, path).notes == ()


@pytest.mark.parametrize(
    "optimizer", [nn.Momentum, nn.SGD, nn.RMSProp, nn.Adagrad, nn.Lamb, nn.AdamWeightDecay, nn.FTRL]
)
def test_the_state_of_an_optimizer_is_known_by_its_name(optimizer, trained):
    settings = {"momentum": 0.9} if optimizer is nn.Momentum else {}
    states = optimizer(trained.trainable_params(), learning_rate=0.1, **settings)
    given = {parameter.name for parameter in (*trained.get_parameters(), *states.get_parameters())}
    assert match_names(arrays(trained), given).unexpected == ()


class Unread(nn.Cell):
    """Keeps a parameter that inference doesn't need."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(8, 4)
        self.history = Parameter(Tensor(np.zeros(3, np.float32)), name="history")

    def construct(self, x):
        return self.fc(x)


def test_parameters_that_inference_does_not_read_may_be_in_the_file(x, tmp_path, rng):
    cell = filled(Unread(), rng)
    path = saved(tmp_path / "unread.ckpt", arrays(cell))
    model = model_from_cell(cell, [x])
    np.testing.assert_allclose(Runner(load_into(model, cell, path).model)(x), output(cell, x), rtol=1e-6)
    with pytest.raises(SourceError, match=r"1 of its tensors are not in the network \(history\)"):
        load_into(model, None, path)


@pytest.mark.parametrize("prefix", ["network.", "_backbone.", "backbone.", "model.network.", "exported."])
def test_a_prefix_that_all_names_share_is_no_obstacle(prefix, trained, x, tmp_path):
    wrapped = {prefix + name: array for name, array in arrays(trained).items()}
    loaded = load_into(model_from_cell(MLP(), [x]), None, saved(tmp_path / "mlp.ckpt", wrapped))
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), rtol=1e-6)
    assert loaded.notes == (
        f"mlp.ckpt: the checkpoint's names begin with {prefix!r}, which the network's don't: matched without.",
    )


class Wrapped(nn.Cell):
    """A network inside another one."""

    def __init__(self, network):
        super().__init__()
        self.backbone = network

    def construct(self, x):
        return self.backbone(x)


@pytest.mark.parametrize("prefix", ["", "network."])
def test_the_network_may_be_wrapped_as_well(prefix, trained, x, tmp_path):
    path = saved(tmp_path / "mlp.ckpt", {prefix + name: array for name, array in arrays(trained).items()})
    loaded = load_into(model_from_cell(Wrapped(MLP()), [x]), None, path)
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), rtol=1e-6)
    assert "begin with 'backbone.'" in loaded.notes[0]


def test_a_prefix_is_kept_where_the_rest_does_not_match(trained, x, tmp_path):
    wrapped = {"network." + name: array for name, array in arrays(trained).items() if name != "fc2.bias"}
    with pytest.raises(SourceError) as caught:
        load_into(model_from_cell(MLP(), [x]), None, saved(tmp_path / "mlp.ckpt", wrapped))
    assert "4 parameters are not in it (" in caught.value.message
    assert "fc1.weight, perhaps network.fc1.weight" in caught.value.message


def test_names_that_do_not_match_are_counted_with_the_nearest(trained, x, tmp_path):
    renamed = {name.replace("fc2", "fc_2"): array for name, array in arrays(trained).items()}
    with pytest.raises(SourceError) as caught:
        load_into(model_from_cell(MLP(), [x]), None, saved(tmp_path / "mlp.ckpt", renamed))
    assert str(caught.value) == (
        "mlp.ckpt doesn't match the network: 2 parameters are not in it (fc2.weight, perhaps fc_2.weight; "
        "fc2.bias, perhaps fc_2.bias), 2 of its tensors are not in the network (fc_2.weight; fc_2.bias).\n"
        "Give the network that the checkpoint was saved from, made with the same arguments."
    )


def test_shapes_in_conflict_are_named(trained, x, tmp_path):
    path = saved(tmp_path / "mlp.ckpt", {**arrays(trained), "fc2.weight": np.zeros((4, 8), np.float32)})
    with pytest.raises(SourceError, match=r"1 don't fit \(fc2\.weight: float32 \(4, 16\) here, .* \(4, 8\) there\)"):
        load_into(model_from_cell(MLP(), [x]), None, path)


def test_a_checkpoint_of_a_pruned_network_is_known_by_what_its_graph_does_not_read(trained, x, tmp_path):
    rest = {name: values for name, values in arrays(trained).items() if name != "fc1.weight"}
    path = saved(tmp_path / "mlp.ckpt", {**rest, "layer.conv.out_index": np.arange(3, dtype=np.int32)})
    with pytest.raises(SourceError, match="checkpoint of a pruned network"):
        load_into(model_from_cell(MLP(), [x]), None, path)


def test_integers_without_a_scale_are_no_weight(trained, x, tmp_path):
    changed = {**arrays(trained), "fc2.weight": np.zeros((4, 16), np.int8)}
    with pytest.raises(SourceError, match=r"fc2\.weight: float32 \(4, 16\) here, int8 \(4, 16\) there"):
        load_into(model_from_cell(MLP(), [x]), None, saved(tmp_path / "mlp.ckpt", changed))


@pytest.mark.parametrize(
    ("extra", "advice"),
    [
        ("fc1._weight_quantizer._float_min", "compressed by SimQAT: apply the algorithm to the network first"),
        ("fc1._weight_quantizer.quant_max", "compressed by LSQ: apply the algorithm"),
        ("fc1.in_mask", "a pruned network: apply the algorithm"),
        ("fc1.weight_scale", "stands in the file beside its weight_scale"),
        ("Conv2d._weight_quantizer.w_list", "compressed by SLB"),
    ],
)
def test_checkpoints_of_compressed_networks_are_known_by_their_names(extra, advice, trained, x, tmp_path):
    path = saved(tmp_path / "mlp.ckpt", {**arrays(trained), extra: np.zeros(3, np.float32)})
    with pytest.raises(SourceError) as caught:
        load_into(model_from_cell(MLP(), [x]), None, path)
    assert advice in caught.value.advice


def test_a_folder_of_files_is_one_checkpoint(trained, x, tmp_path):
    first, second = dict(list(arrays(trained).items())[:2]), dict(list(arrays(trained).items())[2:])
    saved(tmp_path / "quant-model-00001-of-00002.safetensors", first)
    saved(tmp_path / "quant-model-00002-of-00002.safetensors", second)
    loaded = load_into(model_from_cell(MLP(), [x]), None, tmp_path)
    np.testing.assert_allclose(Runner(loaded.model)(x), output(trained, x), rtol=1e-6)
    saved(tmp_path / "leftover.safetensors", {"fc1.bias": np.full(16, 9, np.float32)})
    names = dict.fromkeys(first, "quant-model-00001-of-00002.safetensors")
    names |= dict.fromkeys(second, "quant-model-00002-of-00002.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    np.testing.assert_allclose(
        Runner(load_into(model_from_cell(MLP(), [x]), None, tmp_path).model)(x), output(trained, x)
    )


class NeedsArguments(nn.Cell):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Dense(width, 4)


def test_a_class_is_made_into_an_instance_or_told_how():
    assert isinstance(instance_of(MLP), MLP)
    with pytest.raises(SourceError) as caught:
        instance_of(NeedsArguments)
    assert caught.value.message.startswith("can't make an instance of NeedsArguments without arguments: ")
    assert "net = NeedsArguments(...)" in caught.value.advice


def test_thousands_of_names_are_matched_in_no_time():
    wanted = [f"layers.{index}.attention.weight" for index in range(5000)]
    given = [f"layers.{index}.attn.weight" for index in range(5000)]
    start = time.monotonic()
    match = match_names(wanted, given)
    assert (len(match.missing), len(match.unexpected)) == (5000, 5000)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize("name", ["net.ckpt", "net.safetensors"])
def test_a_checkpoint_in_place_of_the_network_is_told_apart(name):
    with pytest.raises(SourceError, match=r"holds a network's values, and not the network\.\n.*--ckpt"):
        gs.convert(name)


def test_a_class_and_a_checkpoint_are_a_network(rng, tmp_path):
    network = filled(LeNet(), rng).set_train(False)
    x = random_input(network, rng)
    saved(tmp_path / "net.ckpt", arrays(network))
    conversion = gs.convert(LeNet, x, ckpt=tmp_path / "net.ckpt", weights="int8")
    np.testing.assert_array_equal(conversion(x), gs.convert(network, x, weights="int8")(x))
    assert conversion.name == "LeNet"
