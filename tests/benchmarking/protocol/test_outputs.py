import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.outputs import check_outputs, compare_outputs
from gsjupyter.benchmarking.protocol.plan import Cost, Planned
from gsjupyter.benchmarking.protocol.rows import Row
from gsjupyter.benchmarking.protocol.subjects import Expected, Subject

X = np.random.default_rng(1).standard_normal((2, 5)).astype(np.float32)
Y = np.random.default_rng(2).standard_normal((2, 4)).astype(np.float32)


def with_noise(array, sqnr_db):
    """Return an array with an error of a given power."""
    noise = np.random.default_rng(3).standard_normal(array.shape)
    noise *= 10 ** (-sqnr_db / 20) * np.sqrt(np.mean(array.astype(np.float64) ** 2) / np.mean(noise**2))
    return (array + noise).astype(np.float32)


@dataclass(frozen=True)
class File(ModelFile):
    """A file that nobody needs to read to know its digest."""

    digest: str = ""


def row(label, outputs, *, batch=2, x=X, subject=None, digest="", target="cpu", written=None):
    subject = subject or Subject(label, {"onnxruntime": File(Path(label), digest=digest)})
    planned = Planned(subject, target, "onnxruntime", target, batch, 1)
    return Row(planned, batch, Cost(1.0, 1.0), arrays=(x,), origin=(x,), outputs=outputs, written_batch=written)


def of_network(promised_db=math.inf):
    return Subject("net", {}, expected=Expected((X,), (Y,)), promised_db={"onnxruntime": promised_db})


def test_the_lowest_ratio_and_the_largest_difference_of_all_outputs_count():
    worse = Y + np.float32(0.5)
    check = compare_outputs("it", [Y, Y], 2, [Y, worse], 2)
    assert check.sqnr_db == pytest.approx(10 * np.log10(np.mean(Y.astype(np.float64) ** 2) / 0.25), abs=1e-3)
    assert check.max_abs_error == pytest.approx(0.5, rel=1e-6)
    assert (check.reference, check.samples, check.argmax_agreement) == ("it", 2, 1.0)


def test_equal_outputs_have_an_infinite_ratio():
    assert compare_outputs("it", [Y], 2, [Y.copy()], 2).sqnr_db == math.inf


def test_only_the_samples_that_both_have_are_compared():
    check = compare_outputs("it", [Y], 2, [Y[:1]], 1)
    assert (check.samples, check.sqnr_db) == (1, math.inf)


@pytest.mark.parametrize("outputs", [[], [Y, Y], [Y[:, :3]]])
def test_outputs_of_other_shapes_can_not_be_compared(outputs):
    assert compare_outputs("it", [Y], 2, outputs, 2) is None


def test_what_is_no_number_on_both_sides_agrees_and_on_one_side_is_the_worst():
    holes = np.where(np.arange(4) == 1, np.nan, Y).astype(np.float32)
    infinite = np.where(np.arange(4) == 2, -np.inf, holes).astype(np.float32)
    assert compare_outputs("it", [infinite], 2, [infinite.copy()], 2).sqnr_db == math.inf
    found = compare_outputs("it", [Y], 2, [holes], 2)
    assert (found.sqnr_db, found.max_abs_error) == (-math.inf, math.inf)


def test_a_file_is_held_against_its_source_on_the_input_that_this_was_run_on():
    measured = row("net", (with_noise(Y, 30),), subject=of_network(30.0))
    check_outputs([row("other", (Y + 1,)), measured])
    assert measured.check.reference == "its source"
    assert measured.check.sqnr_db == pytest.approx(30, abs=0.5)
    assert measured.findings == ()


def test_in_another_batch_the_source_gives_the_same_for_the_same_samples():
    measured = row("net", (np.concatenate([Y, Y, Y[:1]]),), batch=5, x=X, subject=of_network())
    check_outputs([measured])
    assert (measured.check.samples, measured.check.sqnr_db) == (5, math.inf)


def test_on_another_input_it_is_held_against_the_first_row():
    measured = row("net", (Y,), x=X + 1, subject=of_network())
    check_outputs([row("first", (Y,), x=X + 1), measured])
    assert measured.check.reference == "first on ONNX Runtime, CPU"


def test_rows_on_other_samples_are_not_compared():
    measured = row("net", (Y,), x=X + 1)
    check_outputs([row("first", (Y,)), measured])
    assert measured.check is None


def test_the_reference_is_the_first_row_that_ran_of_the_same_batch_if_there_is_one():
    rows = [row("broken", None), row("a", (Y[:1],), batch=1, x=X[:1]), row("b", (Y,)), row("c", (Y,))]
    check_outputs(rows)
    assert [item.check and (item.check.reference.split()[0], item.check.samples) for item in rows] == [
        None,
        None,
        ("a", 1),
        ("b", 2),
    ]


@pytest.mark.parametrize(
    ("promised_db", "found_db", "is_wrong"),
    [
        (math.inf, 35, False),
        (math.inf, 25, True),
        (35.0, 27, False),
        (35.0, 20, True),
        (12.0, 9, False),
        (12.0, 3, True),
    ],
)
def test_outputs_far_from_what_the_conversion_promised_are_told(promised_db, found_db, is_wrong):
    measured = row("net", (with_noise(Y, found_db),), subject=of_network(promised_db))
    check_outputs([measured])
    assert [finding.rule for finding in measured.findings] == ["wrong-output"] * is_wrong


def test_what_was_promised_and_what_was_found_is_told():
    measured = row("net", (with_noise(Y, 20),), subject=of_network(35.0))
    check_outputs([measured])
    assert f"an SQNR of {measured.check.sqnr_db:.1f} dB against its source" in measured.findings[0].symptom
    assert "35.0 dB" in measured.findings[0].symptom


def test_another_network_is_told_by_what_it_gives():
    measured = row("b", (with_noise(Y, 5),))
    check_outputs([row("a", (Y,)), measured])
    assert "nowhere near those of a on ONNX Runtime, CPU" in measured.findings[0].symptom
    assert measured.findings[0].remedy.startswith("If both are to be the same network")


def test_no_numbers_are_told():
    measured = row("b", (Y * np.float32(np.nan),))
    check_outputs([row("a", (Y,)), measured])
    assert measured.findings[0].symptom == "Its outputs are no numbers where those of a on ONNX Runtime, CPU are."


def test_no_numbers_are_told_of_a_row_alone_too():
    alone = row("a", (Y * np.float32(np.nan),))
    check_outputs([alone])
    assert alone.findings[0].symptom == "Its outputs hold NaN."


def test_inputs_that_hold_no_numbers_are_the_same_all_the_same():
    x = np.where(X > 0, X, np.float32(np.nan))
    measured = row("b", (with_noise(Y, 5),), x=x)
    check_outputs([row("a", (Y,), x=x.copy()), measured])
    assert measured.check.sqnr_db == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize(("samples", "is_told"), [(8, True), (2, False)])
def test_samples_that_are_classified_otherwise_are_told(samples, is_told):
    x = np.zeros((samples, 5), np.float32)
    sound = 100 + np.random.default_rng(4).standard_normal((samples, 4)).astype(np.float32)
    rows = [row("a", (sound,), x=x, batch=samples), row("b", (sound[:, ::-1].copy(),), x=x, batch=samples)]
    check_outputs(rows)
    assert rows[1].check.sqnr_db > 30
    assert bool(rows[1].findings) == is_told
    assert not is_told or "of its samples are classified as by a" in rows[1].findings[0].symptom


def test_numbers_of_classes_agree_or_not():
    check = compare_outputs("it", [np.arange(8)], 8, [np.array([0, 1, 2, 3, 7, 7, 7, 7])], 8)
    assert check.argmax_agreement == 5 / 8


def test_a_reference_without_numbers_is_not_held_against_a_row_that_has_them():
    measured = row("b", (Y,))
    check_outputs([row("a", (Y * np.float32(np.inf),)), measured])
    (finding,) = measured.findings
    assert finding.symptom == "Its outputs are numbers where those of a on ONNX Runtime, CPU are none."
    assert finding.remedy.startswith("Look at what it was held against first")


def test_the_same_file_must_give_the_same_everywhere():
    near, far = row("a", (with_noise(Y, 30),), digest="1", target="gpu"), row("a", (with_noise(Y, 15),), digest="1")
    check_outputs([row("a", (Y,), digest="1"), near, far])
    assert near.findings == ()
    assert "The same file gives other outputs here than on a on ONNX Runtime, CPU" in far.findings[0].symptom


@pytest.mark.parametrize(
    ("outputs", "symptom"),
    [
        ((Y[:, :3],), "Its outputs have shape (2, 3), those of a on ONNX Runtime, CPU (2, 4)."),
        ((Y, Y), "It gives 2 outputs, and a on ONNX Runtime, CPU gives 1."),
        ((), "It gives 0 outputs, and a on ONNX Runtime, CPU gives 1."),
    ],
)
def test_outputs_of_other_shapes_are_told_and_accuse_nobody(outputs, symptom):
    measured = row("b", outputs)
    check_outputs([row("a", (Y,)), measured])
    (finding,) = measured.findings
    assert (finding.rule, finding.symptom) == ("wrong-output", symptom)
    assert finding.remedy.startswith("If both are to be the same network")


def test_the_output_that_has_another_shape_is_named():
    measured = row("b", (Y, Y[:1]))
    check_outputs([row("a", (Y, Y)), measured])
    assert measured.findings[0].symptom.startswith("Its output 2 of 2 has shape (1, 4), that of a on ONNX Runtime")


def test_outputs_of_other_shapes_than_the_source_gives_are_wrong():
    measured = row("net", (Y.T,), subject=of_network())
    check_outputs([row("other", (Y.T,)), measured])
    assert measured.findings[0].symptom == "Its outputs have shape (4, 2), those of its source (2, 4)."
    assert measured.findings[0].remedy.startswith("Don't trust its speed")


def test_outputs_of_other_shapes_than_the_same_file_gives_elsewhere_are_wrong():
    measured = row("a", (Y.T,), digest="1", target="gpu")
    check_outputs([row("a", (Y,), digest="1"), measured])
    assert measured.findings[0].remedy.startswith("One of the two")


def test_shapes_that_differ_by_the_batch_only_and_other_inputs_are_nothing_to_tell():
    rows = [row("a", (Y,)), row("a", (Y[:1],), batch=1, x=X[:1]), row("wide", (Y.T,), x=np.ones((2, 9)))]
    check_outputs(rows)
    assert [item.findings for item in rows] == [(), (), ()]


def test_outputs_that_do_not_follow_the_batch_are_told_in_the_first_row_too_and_are_no_reference():
    frozen = row("a", (Y,), batch=1, x=X[:1], written=2)
    others = [row("a", (Y,)), row("b", (Y[:1],), batch=1, x=X[:1])]
    check_outputs([frozen, *others])
    assert "Run at batch 1, it gives an output of shape (2, 4), as for the batch of 2" in frozen.findings[0].symptom
    assert [item.findings for item in others] == [(), ()]
    assert others[1].check.reference == "a on ONNX Runtime, CPU"


@pytest.mark.parametrize("outputs", [(Y[:1],), (Y, Y[:1]), (np.float32(1),), (Y.T,)])
def test_outputs_that_follow_the_batch_or_do_not_count_it_are_nothing_to_tell(outputs):
    measured = row("a", outputs, batch=1, x=X[:1], written=2)
    check_outputs([measured])
    assert measured.findings == ()


def test_checking_again_finds_the_same_once():
    rows = [row("a", (Y,)), row("b", (-Y,))]
    for _ in range(2):
        check_outputs(rows)
    assert len(rows[1].findings) == 1
