from __future__ import annotations

import json

import pytest

from gsjupyter import export
from gsjupyter.engines.mindspore_profile import profiled, records
from gsjupyter.engines.mindspore_runner import BoundRunner
from gsjupyter.errors import EngineError
from tests.engines.lopsided import EXPENSIVE, LAYERS, conversion, example

RUNS = 10


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    path = tmp_path_factory.mktemp("mindir") / "net.mindir"
    export(conversion("int8"), path)
    return BoundRunner.of_file(path)


@pytest.fixture(scope="module")
def found(runner, tmp_path_factory):
    return profiled(runner.bound([example()]), RUNS, tmp_path_factory.mktemp("profile"), runner.model)


def test_each_operator_has_a_duration_for_each_run_that_counts(found):
    assert {len(record["durations_s"]) for record in found} == {RUNS}
    assert all(duration >= 0 for record in found for duration in record["durations_s"])
    json.dumps(found)


def test_each_layer_is_found_again(found):
    kernels = [record for record in found if record["operator"] in ("Conv2D", "MatMul")]
    assert [record["scope"] for record in kernels] == LAYERS
    # A weight that was stored in integers has become a constant of the same cell.
    assert [record["weights"][0].rpartition(".")[0] for record in kernels] == LAYERS


def test_the_expensive_layer_takes_most(found):
    # The shortest run: on a machine that is busy, any operator may have to wait now and then.
    assert max(found, key=lambda record: min(record["durations_s"]))["scope"] == EXPENSIVE


def test_it_can_be_profiled_again(found, runner, tmp_path):
    again = profiled(runner.bound([example()]), 1, tmp_path, runner.model)
    assert [record["name"] for record in again] == [record["name"] for record in found]


def line(name, *spans):
    """Return a line as MindSpore writes it: begin in nanoseconds, duration in milliseconds, thread."""
    return f"{name};HostCpuOps;" + " ".join(f"{begin},{duration},0" for begin, duration in spans) + " \n"


def written(folder, *lines, name="cpu_op_execute_timestamp_0.txt"):
    place = folder / "vm_1_ascend_ms" / "FRAMEWORK"
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text("".join(lines))
    return folder


def microseconds(found):
    return {record["name"]: [round(value * 1e6) for value in record["durations_s"]] for record in found}


def test_lines_are_read_in_their_units_and_ordered_by_time(tmp_path, runner):
    folder = written(
        tmp_path,
        line("Default/ReLU-op0", (2000, 0.004), (4000, 0.005), (6000, 0.006)),
        line("Default/Conv2D-op7", (5000, 0.3), (1000, 0.1), (3000, 0.2)),
    )
    found = records(folder, runner.model, 3, skip_runs=1)
    assert microseconds(found) == {"Default/Conv2D-op7": [200, 300], "Default/ReLU-op0": [5, 6]}
    assert [record["operator"] for record in found] == ["Conv2D", "ReLU"]


def test_operators_are_numbered_by_kind_wherever_the_numbers_begin(tmp_path, runner):
    # In a process that has compiled another network before; the tenth comes after the ninth.
    numbers = [8, 11, 9, 10]
    names = [f"Default/Conv2D-op{number}" for number in numbers]
    found = records(written(tmp_path, *(line(name, (1, 0.1)) for name in names)), runner.model, 1, skip_runs=0)
    scopes = {record["name"]: record["scope"] for record in found}
    assert [scopes[name] for name in sorted(names, key=lambda name: int(name[17:]))] == LAYERS[:4]


def test_a_kind_that_has_more_operators_than_the_file_is_of_no_layer(tmp_path, runner):
    lines = [line(f"Default/Conv2D-op{number}", (number, 0.1)) for number in range(5)]
    found = records(written(tmp_path, *lines, line("Default/MatMul-op0", (9, 0.1))), runner.model, 1, skip_runs=0)
    assert [record["scope"] for record in found] == [""] * 5 + ["head"]


def test_a_name_that_holds_its_cells_tells_its_layer(tmp_path, runner):
    folder = written(tmp_path, line("Default/conv1-Conv2d/Conv2D-op0", (1, 0.1)))
    (record,) = records(folder, runner.model, 1, skip_runs=0)
    assert record["scope"] == "conv1"


def test_what_runs_twice_in_a_run_is_added_up(tmp_path, runner):
    folder = written(tmp_path, line("Default/Add-op0", (1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)))
    assert microseconds(records(folder, runner.model, 2, skip_runs=0)) == {"Default/Add-op0": [300, 700]}


def test_the_times_of_a_device_go_before_those_of_the_host(tmp_path, runner):
    written(tmp_path, line("Default/Cast-op0", (1, 9.0)))
    written(tmp_path, line("Default/MatMul-op0", (1, 0.2)), name="op_execute_timestamp_0.txt")
    assert microseconds(records(tmp_path, runner.model, 1, skip_runs=0)) == {"Default/MatMul-op0": [200]}


def test_kernels_of_ascend_are_read_as_its_documentation_has_them(tmp_path, runner):
    written(tmp_path, line("Default/Cast-op0", (1, 9.0)))
    (tmp_path / "kernel_details.csv").write_text(
        "Step Id,Name,Type,Accelerator Core,Start Time(us),Duration(us),Wait Time(us)\n"
        "0,Default/head-Dense/MatMul-op0,MatMulV2,AI_CORE,1727428800000010.5,12.5,0.2\n"
        "1,Default/head-Dense/MatMul-op0,MatMulV2,AI_CORE,1727428800000900.5,13.0,0.2\n"
    )
    (record,) = records(tmp_path, runner.model, 2, skip_runs=0)
    assert (record["operator"], record["scope"]) == ("MatMulV2", "head")
    assert record["durations_s"] == pytest.approx([12.5e-6, 13e-6])


def test_nothing_written_is_an_error(tmp_path, runner):
    with pytest.raises(EngineError, match="nothing"):
        records(tmp_path, runner.model, 1)


@pytest.mark.parametrize("text", ["no line\n", "a;b;c\n", "a;b;1\n", "a;b;1,x,0\n", "\0;\0;\0\n"])
def test_a_damaged_file_is_an_error(tmp_path, runner, text):
    with pytest.raises(EngineError, match="can't be read"):
        records(written(tmp_path, text), runner.model, 1)
    (tmp_path / "kernel_details.csv").write_text("Name,Type\na,b\n")
    with pytest.raises(EngineError, match="can't be read"):
        records(tmp_path, runner.model, 1)
