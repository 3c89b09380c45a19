from __future__ import annotations

import json
import math
import os
import random
import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsjupyter.benchmarking.records import Block, OutputCheck
from gsjupyter.benchmarking.results import storage
from gsjupyter.benchmarking.results.result import Benchmark, check_saved
from gsjupyter.benchmarking.results.storage import from_json, to_json
from gsjupyter.errors import OptionError, ResultFileError, WriteError
from tests.benchmarking.known_results import ATTACK, FULL, benchmark, blocks, check, missing, row

DATA = to_json(FULL).encode()
SMALL = to_json(benchmark(row(blocks=blocks(0.01, launches=1, rounds=2, runs=2)), missing("b"))).encode()

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
durations = st.floats(1e-9, 1e9)
numbers = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([math.inf, -math.inf]))


@st.composite
def any_benchmarks(draw):
    rounds = [
        Block(draw(texts), 0, number, tuple(draw(st.lists(durations, min_size=1, max_size=3)))) for number in range(2)
    ]
    compared = OutputCheck(draw(texts), draw(numbers), draw(numbers), draw(st.none() | st.floats(0, 1)), 3)
    options = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e9, 1e9) | texts
    return benchmark(
        row(draw(texts), blocks=tuple(rounds), check=compared, digest=draw(texts)),
        missing(draw(texts), draw(texts), threads=3),
        options=draw(st.dictionaries(texts, options | st.lists(options, max_size=2).map(tuple), max_size=3)),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        is_complete=draw(st.booleans()),
    )


@settings(max_examples=100, deadline=None)
@given(any_benchmarks())
def test_what_was_saved_is_loaded(original):
    assert from_json(to_json(original).encode()) == original


def test_a_file_is_loaded_as_it_was_saved(tmp_path):
    path = FULL.save(tmp_path / "网络.json")
    loaded = Benchmark.load(path)
    assert loaded == FULL
    assert loaded.to_pandas().equals(FULL.to_pandas())
    assert [item.name for item in tmp_path.iterdir()] == ["网络.json"]


def test_another_baseline_is_kept(tmp_path):
    other = FULL.compared_with(2)
    assert Benchmark.load(other.save(tmp_path / "b.json")).baseline_place == 2


def test_equal_outputs_have_an_infinite_ratio_that_json_can_hold():
    text = to_json(FULL)
    assert '"sqnr_db":"inf"' in text
    json.loads(text, parse_constant=pytest.fail)
    nan = from_json(to_json(benchmark(row(check=check(math.nan, max_abs_error=math.nan)))).encode())
    assert math.isnan(nan.rows[0].check.sqnr_db)


def test_numbers_of_numpy_are_numbers():
    odd = benchmark(
        row(blocks=(Block("day1", np.int64(0), 0, tuple(np.array([0.1, 0.2]))),)), options={"n": np.int64(3)}
    )
    assert from_json(to_json(odd).encode()).options == {"n": 3}


def test_each_row_has_a_line_of_its_own():
    lines = to_json(FULL).splitlines()
    assert sum(line.startswith('{"setting"') for line in lines) == len(FULL)


def test_half_a_letter_in_a_name_spoils_no_file(tmp_path):
    loaded = Benchmark.load(benchmark(row("net\udcff")).save(tmp_path / "b.json"))
    assert loaded.rows[0].setting.subject == "net?"


def test_a_file_that_is_there_is_kept(tmp_path):
    path = FULL.save(tmp_path / "b.json")
    before = path.read_bytes()
    with pytest.raises(WriteError, match=r"b\.json exists \(.*, written 20") as caught:
        benchmark().save(path)
    assert "overwrite=True" in caught.value.advice
    assert path.read_bytes() == before
    benchmark().save(path, overwrite=True)
    assert len(Benchmark.load(path)) == 0


@pytest.mark.parametrize("name", ["b.txt", "b", "b.json.gz"])
def test_another_suffix_is_refused(tmp_path, name):
    with pytest.raises(OptionError, match=r"neither \.json .* nor \.html"):
        FULL.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "nowhere/b.json", "file/b.json", "folder.json"])
def test_where_nothing_can_be_saved_is_told_before_the_measuring(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(WriteError, match=r"is a folder|there is no folder .* to write in"):
        check_saved(tmp_path / name, overwrite=True)


def test_a_folder_is_no_place_to_save(tmp_path):
    with pytest.raises(WriteError, match="is a folder"):
        FULL.save(tmp_path)
    with pytest.raises(WriteError, match="no folder"):
        FULL.save(tmp_path / "nowhere" / "b.json")


def test_a_result_too_large_to_be_read_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MAX_BYTES", 1000)
    with pytest.raises(WriteError, match=r"no more than 1\.0 kB are read"):
        FULL.save(tmp_path / "b.json")
    (tmp_path / "b.json").write_bytes(DATA)
    with pytest.raises(ResultFileError, match=r"a benchmark has no more than 1\.0 kB"):
        Benchmark.load(tmp_path / "b.json")


def test_a_file_that_is_not_there_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "b.json", tmp_path, "a\0b.json", tmp_path / "pipe.json"):
        with pytest.raises(ResultFileError, match="can't read"):
            Benchmark.load(path)


def test_a_file_of_more_values_than_memory_holds_is_not_taken_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_MOST_VALUES", 100)
    with pytest.raises(ResultFileError, match="holds more values than a benchmark has"):
        from_json(b'{"rows":[' + b"{}," * 100 + b"{}]}")
    with pytest.raises(WriteError, match="no more than 100 are read"):
        FULL.save(tmp_path / "b.json")
    assert list(tmp_path.iterdir()) == []


def test_a_later_version_is_told_as_such():
    text = json.dumps({"format": "gsjupyter benchmark", "version": 2, "colour": "red"})
    with pytest.raises(ResultFileError, match="has version 2, this gsjupyter reads 1"):
        from_json(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", b"\xff\xfe", b"null", b"[]", b"{}", b"1", b'"text"', b'{"format": 1}', b"not json"),
        *(
            b"[" * 100_000,
            b'{"a":' * 100_000,
            DATA[:-20],
            DATA[: len(DATA) // 2],
            DATA + b"x",
            DATA.decode().encode("utf-16"),
        ),
        *(
            b'{"format": "gsjupyter benchmark", "version": %s}' % word
            for word in (b"1", b"true", b'"1"', b"null", b"1e400")
        ),
        *(
            DATA.replace(b'"version": 1', b'"version": 1, "x": %s' % word, 1)
            for word in (b"NaN", b"-Infinity", b"9" * 5000)
        ),
        DATA.replace(b'"notes": [', b'"notes": [], "notes": [', 1),
    ],
    ids=range(25),
)
def test_garbage_is_refused(data):
    assert data != DATA
    with pytest.raises(ResultFileError):
        from_json(data)


def changed(path, value, data=SMALL):
    """Give the file with another value somewhere, or without it."""
    content = json.loads(data)
    *way, last = path
    place = content
    for step in way:
        place = place[step]
    if value is KeyError:
        del place[last]
    else:
        place[last] = value
    return json.dumps(content).encode()


ROW = ("rows", 0)
BLOCK = (*ROW, "blocks", 0)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("colour",), "red", "it has fields that are unknown ('colour')"),
        ((*BLOCK, "colour"), "red", "rows[0].blocks[0] has fields that are unknown ('colour')"),
        (("created",), KeyError, "created is missing"),
        ((*ROW, "setting"), KeyError, "rows[0].setting is missing"),
        ((*ROW, "setting"), [], "rows[0].setting must be an object, not list of 0"),
        (
            (*ROW, "setting", "engine"),
            "tensorflow",
            "setting.engine must be one of mindspore, onnxruntime, lite, not 'tens",
        ),
        ((*ROW, "setting", "engine"), {}, "setting.engine must be one of"),
        ((*ROW, "setting", "batch"), 0, "rows[0].setting.batch must be a whole number from 1 to"),
        ((*ROW, "setting", "batch"), 2**63, "rows[0].setting.batch must be a whole number"),
        ((*ROW, "setting", "threads"), "2", "rows[0].setting.threads must be a whole number from 0 to"),
        ((*ROW, "setting", "threads"), True, "rows[0].setting.threads must be a whole number"),
        ((*ROW, "setting", "subject"), 3, "rows[0].setting.subject must be text, not 3"),
        ((*ROW, "setting", "subject"), "\ud800", "rows[0].setting.subject holds half a character"),
        ((*ROW, "size_bytes"), -1, "rows[0].size_bytes must be a whole number from 0"),
        ((*ROW, "blocks"), "abc", "rows[0].blocks must be a list, not 'abc'"),
        ((*ROW, "blocks"), {"a": 1}, "rows[0].blocks must be a list, not dict of 1"),
        ((*BLOCK, "durations_s"), [], "rows[0].blocks[0].durations_s is empty"),
        ((*BLOCK, "durations_s", 1), -1.0, "durations_s has at 1 what must be a number from 1e-09 to 1e+09, not -1.0"),
        ((*BLOCK, "durations_s", 1), 0, "durations_s has at 1 what must be a number"),
        ((*BLOCK, "durations_s", 1), 1e300, "durations_s has at 1 what must be a number"),
        ((*BLOCK, "durations_s", 1), 10**400, "durations_s has at 1 what must be a number"),
        ((*BLOCK, "durations_s", 1), "1", "durations_s has at 1 what must be a number"),
        ((*BLOCK, "durations_s", 1), None, "durations_s has at 1 what must be a number"),
        ((*BLOCK, "durations_s", 1), True, "durations_s has at 1 what must be a number"),
        ((*BLOCK, "durations_s", 1), [1.0], "durations_s has at 1 what must be a number"),
        ((*ROW, "launches", 0, "load_s"), -0.1, "rows[0].launches[0].load_s must be a number from 0 to"),
        ((*ROW, "launches", 0, "is_stable"), 1, "rows[0].launches[0].is_stable must be true or false, not 1"),
        ((*ROW, "launches", 0, "energy_j"), "inf", "rows[0].launches[0].energy_j must be a number"),
        ((*ROW, "check"), {"sqnr_db": 1}, "rows[0].check.reference is missing"),
        ((*ROW, "operators"), [{}], "rows[0].operators[0].name is missing"),
        ((*ROW, "findings"), [None], "rows[0].findings[0] must be an object, not None"),
        (("rows",), {}, "rows must be a list"),
        (("rows", 1), None, "rows[1] must be an object"),
        (("notes",), "abc", "notes must be a list"),
        (("notes",), [1], "notes[0] must be text"),
        (("machines",), [], "machines must be an object"),
        (("machines", "host-a", "memory_bytes"), 1e10, "machines['host-a'].memory_bytes must be a whole number"),
        (("machines", "host-a", "host"), "other", "machines['host-a'] calls itself 'other'"),
        (("machines", "host-a", "versions"), {"a": 1}, "machines['host-a'].versions['a'] must be text"),
        (("machines", "host-a", "devices", 0, "target"), "npu", "devices[0].target must be one of cpu, gpu, ascend"),
        (("options",), [], "options must be an object"),
        (("options",), {"runs": {}}, "options has 'runs', which must be a flag, a number, text, or a list of them"),
        (("options",), {"runs": [[1]]}, "options has 'runs'"),
        (("options",), {"runs": 10**30}, "options has 'runs'"),
        (("is_complete",), 0, "is_complete must be true or false"),
        (("baseline",), "net", "baseline must be an object"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(path, value, words):
    with pytest.raises(ResultFileError) as caught:
        from_json(changed(path, value), "b.json")
    assert words in caught.value.message
    assert caught.value.message.startswith("b.json is damaged or was changed: ")
    assert len(caught.value.message) < 400


def test_what_is_there_twice_is_refused():
    small = from_json(SMALL)
    (first, second), (launch, *_) = small.rows, small.rows[0].launches
    for rows, words in (
        ((first, first), "rows has the same setting 2 times"),
        ((replace(first, blocks=first.blocks * 2), second), "rows[0].blocks has the same round 2 times"),
        ((replace(first, launches=(launch, launch)), second), "rows[0].launches has the same number 2 times"),
    ):
        with pytest.raises(ResultFileError) as caught:
            from_json(to_json(replace(small, rows=rows)).encode())
        assert words in caught.value.message


def test_many_faults_are_told_by_the_first_ones():
    content = json.loads(SMALL)
    content["notes"] = list(range(1000))
    with pytest.raises(ResultFileError, match=r"notes\[2\] must be text, not 2; and 997 more like that") as caught:
        from_json(json.dumps(content).encode())
    assert len(caught.value.message) < 200


def test_a_crowd_of_rows_is_refused_before_it_is_read():
    content = {**json.loads(SMALL), "rows": [0] * 100_001}
    with pytest.raises(ResultFileError, match="rows has 100,001 items, more than 100,000"):
        from_json(json.dumps(content).encode())


def test_names_in_a_message_are_short():
    with pytest.raises(ResultFileError) as caught:
        from_json(changed((*ROW, "setting", ATTACK * 1000), 1))
    assert len(caught.value.message) < 300


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 4))
def test_damaged_bytes_are_refused_or_still_a_benchmark_that_shows(seed, count):
    chance = random.Random(seed)  # noqa: S311 - damage is no secret
    data = bytearray(SMALL)
    for _ in range(count):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randrange(1, 40)]
            case 2:
                data[place:place] = chance.choice(string.printable).encode() * chance.randrange(1, 4)
            case _:
                data[place:place] = data[chance.randrange(len(data)) :][: chance.randrange(1, 60)]
    _refused_or_shown(bytes(data))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), value=values)
def test_any_value_anywhere_is_refused_or_still_a_benchmark_that_shows(data, value):
    way, place = [], json.loads(SMALL)
    while isinstance(place, dict | list) and place and (not way or data.draw(st.booleans())):
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        way.append(step)
        place = place[step]
    _refused_or_shown(changed(way, value))


def _refused_or_shown(data):
    try:
        loaded = from_json(data)
    except ResultFileError:
        return
    assert repr(loaded)
    assert loaded.to_html()
    assert from_json(to_json(loaded + loaded).encode()).rows == loaded.rows
