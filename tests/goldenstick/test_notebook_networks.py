"""Golden Stick's algorithms on networks whose classes are defined in cells of a notebook, in a real kernel."""

from __future__ import annotations

import pytest

from tests.goldenstick.kernel import HELPERS, notebook

NETWORK = """
import mindspore.ops as operations
SCALE = 2.0
executed = []

def activation(x):
    return ops.relu(x) * SCALE

class Base(nn.Cell):
    executed.append("Base")

    def helper(self, x, factor=0.5):
        return activation(x) * factor

class Block(Base):
    executed.append("Block")

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def construct(self, x: mindspore.Tensor) -> mindspore.Tensor:
        return self.helper(F.relu(self.norm(self.conv(x))))

class Net(nn.Cell):
    executed.append("Net")

    def __init__(self):
        super().__init__()
        self.block1 = Block(1)
        self.block2 = Block(4)
        self.rest = nn.SequentialCell(nn.Conv2d(4, 4, 3), nn.ReLU(), Block(4))
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(4 * 8 * 8, 10)

    def construct(self, x):
        x = self.rest(self.block2(self.block1(x)))
        if SCALE > 1:
            x = x + OFFSET
        return self.fc(self.flatten(operations.abs(activation(x))))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with notebook(tmp_path_factory.mktemp("kernel"), NETWORK, "OFFSET = 1.0") as kernel:
        yield kernel


@pytest.fixture
def kernel(started):
    """Give a kernel; check afterwards that the working directory is empty and the classes are as before."""
    yield started
    assert sorted(started.folder.iterdir()) == []
    left = "[name for name in sys.modules if name.startswith('gsjupyter_')]"
    assert started.run(f"print({left}, Net.__module__, Block.__qualname__)") == "[] __main__ Block"


@pytest.mark.parametrize("algorithm", ["SimQAT", "LSQ"])
def test_a_network_of_several_classes_functions_and_constants_is_transformed(kernel, algorithm):
    assert float(kernel.run(f"print(difference(Net(), {algorithm}))")) < 1e-5
    assert kernel.run("print(executed)") == "['Base', 'Block', 'Net']"


def test_slb_trains_and_exports_a_network_of_the_notebook(kernel):
    said = kernel.run(
        "result = SLB().apply(Net())\n"
        "result.set_train()\n"
        "loss = nn.WithLossCell(result, nn.MSELoss())\n"
        "step = nn.TrainOneStepCell(loss, nn.SGD(result.trainable_params(), 1e-6))\n"
        "print(float(step(x, mindspore.ops.zeros((2, 10), mindspore.float32))) >= 0)\n"
        "result.set_train(False)\n"
        "mindspore.export(result, x, file_name='slb', file_format='MINDIR')\n"
        "os.remove('slb.mindir')"
    )
    assert said == "True"


def test_the_import_path_is_as_before(kernel):
    assert kernel.run("path = list(sys.path)\nresult = SimQAT().apply(Net())\nprint(sys.path == path)") == "True"


@pytest.mark.parametrize("algorithm", ["SimQAT", "LSQ"])
def test_a_transformed_network_exports(kernel, algorithm):
    kernel.run(
        f"result = {algorithm}().apply(Net())\n"
        "result.set_train(False)\n"
        "mindspore.export(result, x, file_name='net', file_format='MINDIR')\n"
        "os.remove('net.mindir')"
    )


def test_a_class_that_is_defined_again_is_read_as_the_network_has_it(kernel):
    kernel.run("class Again(nn.Cell):\n def __init__(self):\n  super().__init__()\n  self.conv = conv(1)")
    first = "\n def construct(self, x):\n  return self.conv(x) * {}"
    body = "class Again(nn.Cell):\n def __init__(self):\n  super().__init__()\n  self.conv = conv(1)"
    kernel.run(body + first.format(2) + "\nolder = Again()")
    kernel.run(body + first.format(5) + "\nnewer = Again()")
    assert kernel.run("print(difference(older) == difference(newer) == 0.0)") == "True"


def test_two_definitions_in_one_cell_are_told_apart(kernel):
    kernel.run(
        "if SCALE > 1:\n"
        "    class Chosen(nn.Cell):\n"
        "        def __init__(self):\n"
        "            super().__init__()\n"
        "            self.conv = conv(1)\n"
        "        def construct(self, x):\n"
        "            return self.conv(x) + 1\n"
        "else:\n"
        "    class Chosen(nn.Cell):\n"
        "        def construct(self, x):\n"
        "            return x\n"
    )
    assert kernel.run("print(difference(Chosen()))") == "0.0"


def test_a_class_made_in_a_function_keeps_the_function_s_variables(kernel):
    kernel.run(
        "def made(factor, inner):\n"
        "    class Made(nn.Cell):\n"
        "        def __init__(self):\n"
        "            super().__init__()\n"
        "            self.inner = inner\n"
        "            self.conv = conv(4)\n"
        "        def construct(self, x):\n"
        "            return self.conv(self.inner(x)) * factor\n"
        "    return Made()\n"
    )
    assert kernel.run("print(difference(made(3.0, made(2.0, conv(1)))))") == "0.0"


def test_a_method_that_was_replaced_is_read_as_it_is_now(kernel):
    kernel.run(
        "class Patched(nn.Cell):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv = conv(1)\n"
        "    def construct(self, x):\n"
        "        return x\n"
    )
    kernel.run("def forward(self, x):\n    return self.conv(x) * SCALE\nPatched.construct = forward")
    assert kernel.run("print(difference(Patched()))") == "0.0"


def test_names_that_are_defined_or_changed_later_are_seen(kernel):
    kernel.run(
        "class Late(nn.Cell):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv = conv(1)\n"
        "    def construct(self, x):\n"
        "        return self.conv(x) * FACTOR + later(x).sum()\n"
        "network = Late()\n"
        "result = without_simulation(SimQAT().apply(network))"
    )
    kernel.run("FACTOR = 2.0\ndef later(x):\n    return x * 0.0")
    assert kernel.run("print(np.abs((network.conv(x) * 2 - result(x)).asnumpy()).max() < 1e-6)") == "True"
    kernel.run("FACTOR = 7.0; result.compile_cache.clear()")
    assert kernel.run("print(np.abs((network.conv(x) * 7 - result(x)).asnumpy()).max() < 1e-5)") == "True"


def test_nothing_of_a_cell_runs_again(kernel):
    kernel.run(
        "count = []\n"
        "def noted(value):\n"
        "    count.append(value)\n"
        "    return value\n"
        "class Noted(nn.Cell):\n"
        "    noted('body')\n"
        "    size = noted(4)\n"
        "    class Inner: noted('inner')\n"
        "    def __init__(self, scale=noted(3.0)):\n"
        "        super().__init__()\n"
        "        self.conv = conv(1)\n"
        "    def construct(self, x):\n"
        "        return self.conv(x) * self.size\n"
        "print(difference(Noted()))\n"
    )
    assert kernel.run("print(count)") == "['body', 4, 'inner', 3.0]"


def test_the_user_s_classes_and_tracebacks_stay_as_they_are(kernel):
    kernel.run(
        "class Broken(nn.Cell):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.conv = conv(1)\n"
        "    def construct(self, x):\n"
        "        return self.conv(x)\n"
        "    def fail(self):\n"
        "        raise ValueError('here')\n"
        "network = Broken()\n"
        "result = SimQAT().apply(network)\n"
    )
    kernel.run("assert pickle.loads(pickle.dumps(Broken)) is Broken")
    assert kernel.run("print(type(network) is Broken, isinstance(result, Broken))") == "True True"
    assert "raise ValueError" in kernel.run("print(inspect.getsource(Broken.fail))")
    where = kernel.run(
        "try:\n    network.fail()\nexcept ValueError as error:\n"
        "    frame = traceback.extract_tb(error.__traceback__)[-1]\n    print(frame.line)"
    )
    assert where == "raise ValueError('here')"


def test_a_class_without_source_is_refused_in_words(kernel):
    kernel.run(
        "text = 'class Made(nn.Cell):\\n def construct(self, x):\\n  return x\\n'\n"
        "import types\n"
        "exec(compile(text, '<made>', 'exec'))"
    )
    said = kernel.fails("SimQAT().apply(Made())")
    assert said.startswith("UnsupportedError: the source of Made.construct isn't known")
    assert said.endswith("Define the class in a cell of its own, or in a .py file.")


def test_what_golden_stick_can_t_transform_is_told_in_words(kernel):
    said = kernel.fails("SimQAT().apply(3)")
    assert said.startswith("UnsupportedError: SimulatedQuantizationAwareTraining can't transform int: ")


def test_a_network_from_a_file_finds_its_constants_and_leaves_nothing_behind(kernel):
    (kernel.temporary / "helpers.py").write_text(HELPERS)
    kernel.run(f"sys.dont_write_bytecode = True; sys.path.insert(0, {str(kernel.temporary)!r})")
    assert kernel.run("from helpers import FileBlock\nprint(difference(FileBlock()))") == "0.0"
    kernel.run(f"sys.path.remove({str(kernel.temporary)!r})")
    (kernel.temporary / "helpers.py").unlink()


def test_unloading_gives_golden_stick_back(kernel):
    kernel.run("result = without_simulation(SimQAT().apply(Net()))\n%unload_ext gsjupyter")
    assert "analysis input network fail" in kernel.fails("SimQAT().apply(Net())")
    assert kernel.run("print(result(x).shape)") == "(2, 10)"
    kernel.run("%load_ext gsjupyter\nassert quantized(SimQAT().apply(Net()))")
    assert kernel.run("mindspore.set_context(mode=mindspore.GRAPH_MODE)\nprint(result(x).shape)") == "(2, 10)"
    kernel.run("mindspore.set_context(mode=mindspore.PYNATIVE_MODE)")


def test_golden_stick_s_own_export_at_the_end_of_training_is_right(kernel):
    kernel.run(
        "import gsjupyter as gs\n"
        "from mindspore.dataset import NumpySlicesDataset\n"
        "from mindspore.train import Model\n"
        "rows = np.asarray(x.asnumpy()), np.asarray([1, 2], np.int32)\n"
        "algorithm = SLB({'epoch_size': 1, 'has_trained_epoch': 0, 't_end_epoch': 1})\n"
        "algorithm.set_save_mindir(True)\n"
        f"algorithm.set_save_mindir_path({str(kernel.temporary / 'trained')!r})\n"
        "network = algorithm.apply(Net())\n"
        "loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction='mean')\n"
        "model = Model(network, loss, nn.SGD(network.trainable_params(), 1e-6))\n"
        "dataset = NumpySlicesDataset(rows, ['pixels', 'digit'], shuffle=False).batch(2)\n"
    )
    said = kernel.run("model.train(1, dataset, callbacks=algorithm.callbacks(model, dataset), dataset_sink_mode=False)")
    assert "Exporting NetOpt" in said
    kernel.run("network.set_train(False); expected = network(x).asnumpy()")
    kernel.run(f"loaded = gs.load({str(kernel.temporary / 'trained.mindir')!r})(x.asnumpy())")
    assert kernel.run("print(np.allclose(loaded, expected, rtol=1e-3, atol=1e-3))") == "True"
    for file in ("trained.mindir", "trained.mindir.manifest.json"):
        (kernel.temporary / file).unlink()
