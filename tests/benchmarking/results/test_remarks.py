from __future__ import annotations

from dataclasses import replace

from gsjupyter.benchmarking.records import Block, Finding
from gsjupyter.benchmarking.results.remarks import joined, remarks_on
from tests.benchmarking.known_results import FINDING, benchmark, blocks, launches, missing, on_host, row


def test_a_benchmark_without_trouble_has_nothing_to_say():
    assert remarks_on(benchmark(row("a"), row("b"))) == []


def test_ten_rows_with_one_finding_are_told_of_it_once():
    rows = [row(f"net{index}", findings=(FINDING,)) for index in range(10)]
    (level, text), *others = remarks_on(benchmark(*rows))
    assert others == []
    assert level == "note"
    assert text == (
        "net0; net1; net2; net3; and 6 more: s8 activations take 51 % of the time. Export it again. Expect up to 2.1x."
    )


def test_the_same_remedy_for_other_symptoms_is_one_message():
    other = replace(FINDING, symptom="s8 activations take 12 % of the time", gain="up to 1.1x")
    [(_, text)] = remarks_on(benchmark(row("a", findings=(FINDING,)), row("b", findings=(other,))))
    assert text.startswith("a: s8 activations take 51 % of the time. Likewise b. Export it again.")
    assert text.endswith("Expect up to 2.1x (a); up to 1.1x (b).")


def test_a_gain_is_of_the_rows_that_have_it():
    unknown = replace(FINDING, gain="")
    found = [FINDING, unknown, FINDING]
    [(_, text)] = remarks_on(benchmark(*(row(name, findings=(item,)) for name, item in zip("abc", found, strict=True))))
    assert text.endswith("Export it again. Expect up to 2.1x (a; c).")
    [(_, text)] = remarks_on(benchmark(row("a", findings=(unknown,)), row("b", findings=(unknown,))))
    assert text.endswith("Export it again.")


def test_other_rules_are_other_messages():
    other = Finding("threads", "8 threads on 2 processors", "Use 2 threads.")
    texts = [text for _, text in remarks_on(benchmark(row("a", findings=(FINDING, other))))]
    assert texts[1] == "a: 8 threads on 2 processors. Use 2 threads."


def test_wrong_outputs_are_errors_and_come_first():
    wrong = Finding("wrong-output", "Its outputs are nowhere near.", "Don't trust its speed.")
    remarks = remarks_on(benchmark(missing("a"), row("b", findings=(FINDING, wrong))))
    assert remarks[0] == ("error", "b: Its outputs are nowhere near. Don't trust its speed.")
    assert [level for level, _ in remarks] == ["error", "warning", "note"]


def test_rows_that_are_missing_say_why_and_what_to_do_together():
    [(level, text)] = remarks_on(benchmark(row("a"), missing("b"), missing("c")))
    assert (level, text) == ("warning", "b; c: no such device. Buy one.")


def test_a_row_that_broke_off_says_so():
    [(level, text)] = remarks_on(benchmark(row("a", obstacle="the process was killed.", advice="Free memory.")))
    assert (level, text) == ("warning", "a: not all runs were made: the process was killed. Free memory.")


def test_an_interrupt_is_told():
    [(level, text)] = remarks_on(benchmark(row(), is_complete=False))
    assert level == "warning"
    assert text == "It was interrupted: rows hold what had been measured by then."


def test_durations_that_had_not_settled_are_told():
    rows = [row(name, launches=launches(is_stable=False)) for name in "abc"]
    [(level, text)] = remarks_on(benchmark(*rows))
    assert level == "warning"
    assert text.startswith("all 3 rows: durations had not settled")


def test_noise_is_told_with_its_size():
    restless = tuple(Block("day1", 0, number, (0.009 + 0.002 * (number % 2),)) for number in range(40))
    [(level, text)] = remarks_on(benchmark(row("a", blocks=restless)))
    assert level == "warning"
    assert text.startswith("a: noisy, block medians vary by up to 15 % (above 5 %")


def test_what_can_not_be_compared_says_why():
    other_time = row("b", blocks=blocks(0.01, session="day2"), launches=launches(session="day2"))
    [(level, text)] = remarks_on(benchmark(row("a"), other_time))
    assert level == "note"
    assert text == "b: not compared: measured at other times; one benchmark of both would tell."
    assert remarks_on(benchmark(row("a")) + on_host(benchmark(row("a")), "host-b")) == []


def test_notes_are_shown():
    assert remarks_on(benchmark(row(), notes=("It ran on random input.",))) == [("note", "It ran on random input.")]


def test_names_are_joined_up_to_a_few():
    assert joined(["a"]) == "a"
    assert joined(list("abcde")) == "a; b; c; d; e"
    assert joined(list("abcdef")) == "a; b; c; d; and 2 more"
