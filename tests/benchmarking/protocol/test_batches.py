import numpy as np
import pytest

import gsjupyter as gs
from gsjupyter.benchmarking.protocol.batches import Inputs, arrays_of, is_fixed, resized, written_batch
from gsjupyter.errors import InputError
from gsjupyter.signature import InputSpec, sample_count
from tests.engines.onnx_files import OnnxFile

FREE = (InputSpec("x", (-1, 3), "float32"),)
FIXED = (InputSpec("x", (2, 3), "float32"),)
SCALAR = InputSpec("scale", (), "float32")
TABLE = InputSpec("table", (5,), "float32")
EMPTY = (InputSpec("x", (0, 3), "float32"),)


@pytest.fixture
def samples():
    return np.arange(6, dtype=np.float32).reshape(2, 3)


def test_samples_are_repeated_in_turn(samples):
    repeated = resized(samples, 2, 5)
    np.testing.assert_array_equal(repeated[:, 0], [0, 3, 0, 3, 0])
    assert repeated.flags.c_contiguous


def test_samples_are_cut(samples):
    np.testing.assert_array_equal(resized(samples, 2, 1), samples[:1])


def test_what_has_no_axis_of_samples_stays():
    single, other = np.float32(3.0), np.zeros((7, 2))
    assert resized(np.asarray(single), 2, 4) == 3.0
    assert resized(other, 2, 4) is other


def test_what_was_given_is_fed_in_the_batch_that_is_wanted(samples):
    fed = Inputs((samples,)).fit("net", FREE, 4)
    assert fed.batch == 4
    assert fed.origin[0] is samples
    np.testing.assert_array_equal(fed.arrays[0], np.concatenate([samples, samples]))


def test_without_a_batch_size_what_was_given_is_fed_as_it_is(samples):
    fed = Inputs((samples,)).fit("net", FREE, None)
    assert fed.batch == 2
    np.testing.assert_array_equal(fed.arrays[0], samples)


def test_what_was_given_and_does_not_fit_is_refused(samples):
    with pytest.raises(InputError, match="input x of net is float64, float32 given"):
        Inputs((samples,)).fit("net", (InputSpec("x", (-1, 3), "float64"),), None)


def test_an_input_that_all_samples_share_is_not_repeated(samples):
    table = np.ones((2, 5), np.float32)
    specs = (*FREE, InputSpec("table", (2, 5), "float32"))
    fed = Inputs((samples, table)).fit("net", specs, 6)
    assert [array.shape for array in fed.arrays] == [(6, 3), (2, 5)]


@pytest.mark.parametrize(
    ("first", "given"), [(SCALAR, np.array(2, np.float32)), (TABLE, np.ones(5, np.float32))], ids=["scalar", "table"]
)
@pytest.mark.parametrize(("batch", "fed_batch"), [(None, 2), (1, 1), (8, 8)])
def test_samples_are_counted_along_the_first_axis_that_is_free(samples, first, given, batch, fed_batch):
    specs = (first, *FREE)
    for fed in (Inputs((given, samples)).fit("net", specs, batch), Inputs(free_batch=2).fit("net", specs, batch)):
        assert fed.batch == fed_batch
        assert [array.shape for array in fed.arrays] == [given.shape, (fed_batch, 3)]
    assert not is_fixed(specs, fed_batch)


@pytest.mark.parametrize("batch", [1, 8])
def test_where_no_axis_is_free_samples_are_counted_along_the_first_there_is(samples, batch):
    specs = (SCALAR, *FIXED, TABLE)
    given = (np.array(2, np.float32), samples, np.ones(5, np.float32))
    for inputs in (Inputs(given), Inputs()):
        fed = inputs.fit("net", specs, batch)
        assert fed.batch == batch
        assert [array.shape for array in fed.arrays] == [(), (batch, 3), (5,)]
    assert [is_fixed(specs, size) for size in (2, 5)] == [False, True]


@pytest.mark.parametrize("inputs", [Inputs((np.array(2, np.float32),)), Inputs()], ids=["given", "random"])
def test_single_numbers_have_no_batch_but_1(inputs):
    assert [inputs.fit("net", (SCALAR,), batch).batch for batch in (None, 1)] == [1, 1]
    with pytest.raises(InputError, match="net has no input with an axis of samples"):
        inputs.fit("net", (SCALAR,), 8)


def test_no_samples_are_refused_wherever_they_are_counted():
    given = (np.array(2, np.float32), np.ones((0, 3), np.float32))
    with pytest.raises(InputError, match=r"input x of net holds no samples: it has shape \(0, 3\)"):
        Inputs(given).fit("net", (SCALAR, *FREE), 4)


@pytest.mark.parametrize(
    ("shapes", "known"), [([(4, 2)], 4), ([(), (4, 2)], 4), ([(4,), (4, 2)], 4), ([(64,), (4, 2)], None), ([()], 1)]
)
def test_a_batch_is_known_without_a_model_only_where_first_axes_agree(shapes, known):
    assert Inputs(tuple(np.zeros(shape) for shape in shapes)).batch_known() == known


def test_a_file_for_no_samples_counts_as_one_for_one():
    fed = Inputs().fit("net", EMPTY, None)
    assert fed.batch == 1
    assert fed.arrays[0].shape == (1, 3)
    assert written_batch(EMPTY) == 1


def test_onnx_runtime_reads_the_axes_that_samples_are_counted_along(tmp_path, samples):
    file = OnnxFile(scale=[], table=[3], x=["batch", 3])
    file.node("Add", [file.node("Mul", ["x", "scale"], "scaled"), "table"], "y")
    path = file.save(tmp_path / "net.onnx", "y")
    given = (np.array(2, np.float32), np.ones(3, np.float32), samples)
    with gs.load(path) as model:
        fed = Inputs(given).fit("net", model.inputs, 8)
        np.testing.assert_array_equal(model(*fed.arrays), 2 * np.tile(samples, (4, 1)) + 1)


def test_a_model_gets_the_first_example_that_fits_it(samples):
    wide = np.ones((1, 9), np.float32)
    inputs = Inputs(examples=((wide,), (samples,)))
    assert inputs.fit("net", FREE, None).origin[0] is samples
    assert inputs.batch_known() == 1


def test_a_model_gets_the_example_of_its_own_first(samples):
    own = 2 * samples
    assert Inputs(examples=((samples,),)).fit("net", FREE, None, (own,)).origin[0] is own


def test_an_input_that_no_memory_holds_is_not_made_up():
    with pytest.raises(InputError, match=r"net takes .* TB of input at batch 1, and there is no memory"):
        Inputs().fit("net", (InputSpec("x", (1, 10**12), "float32"),), None)


def test_what_is_no_array_is_refused():
    with pytest.raises(InputError, match="an input is no array"):
        arrays_of(([[1, 2], [3]],))


def test_without_any_example_input_is_random_and_repeats():
    first, second = (Inputs(seed=3).fit("net", FREE, 4) for _ in range(2))
    assert first.origin is None
    np.testing.assert_array_equal(first.arrays[0], second.arrays[0])
    assert not np.array_equal(first.arrays[0], Inputs(seed=4).fit("net", FREE, 4).arrays[0])
    assert 0.3 < first.arrays[0].std() < 3


def test_a_small_random_batch_is_the_beginning_of_a_large_one():
    small, large = (Inputs().fit("net", FREE, batch).arrays[0] for batch in (2, 8))
    np.testing.assert_array_equal(small, large[:2])


def test_random_input_has_the_batch_size_of_the_file():
    assert Inputs().fit("net", FIXED, None).batch == 2
    assert Inputs().fit("net", FREE, None).batch == 1


def test_a_file_that_takes_any_batch_gets_the_one_that_others_are_written_for():
    inputs = Inputs(free_batch=5)
    assert [inputs.fit("net", specs, None).batch for specs in (FREE, FIXED)] == [5, 2]
    assert inputs.fit("net", FREE, 3).batch == 3


def test_several_random_inputs_differ_and_shared_ones_keep_their_shape():
    specs = (*FREE, InputSpec("y", (-1, 3), "float16"), InputSpec("table", (1, 5), "int64"))
    fed = Inputs().fit("net", specs, 4)
    assert [(array.shape, array.dtype.name) for array in fed.arrays] == [
        ((4, 3), "float32"),
        ((4, 3), "float16"),
        ((1, 5), "int64"),
    ]
    assert not np.allclose(fed.arrays[0], fed.arrays[1], atol=0.1)
    assert not fed.arrays[2].any()


def test_what_is_no_tensor_can_not_be_made_up():
    with pytest.raises(InputError, match="input x of net is no tensor"):
        Inputs().fit("net", (InputSpec("x", None, ""),), 1)


@pytest.mark.parametrize(
    ("specs", "batch", "fixed"), [(FIXED, 2, False), (FIXED, 3, True), (FREE, 3, False), ((), 3, False)]
)
def test_a_file_may_take_one_batch_size_only(specs, batch, fixed):
    assert is_fixed(specs, batch) is fixed


def test_one_array_or_several_are_given(samples):
    assert [array.shape for array in arrays_of(samples)] == [(2, 3)]
    assert [array.shape for array in arrays_of((samples, 3.0))] == [(2, 3), ()]


@pytest.mark.parametrize(("arrays", "count"), [((np.zeros((4, 2)),), 4), ((np.array(1.0),), 1), ((), 1)])
def test_samples_are_counted_by_the_first_input(arrays, count):
    assert sample_count(arrays) == count
