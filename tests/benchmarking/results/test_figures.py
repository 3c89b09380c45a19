from __future__ import annotations

import io
from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from gsjupyter.benchmarking.results.figure_style import shortened
from gsjupyter.benchmarking.results.figures import KINDS
from gsjupyter.errors import OptionError
from gsjupyter.report.figures.style import BLUE, ORANGE
from tests.benchmarking.known_results import ATTACK, FULL, Block, benchmark, check, missing, row

BATCHES = benchmark(
    *(
        row("net", 0.01 * batch**0.8, batch=batch, engine=engine)
        for engine in ("mindspore", "onnxruntime")
        for batch in (8, 1)
    )
)


@pytest.fixture(autouse=True)
def closed_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


def drawn(axes):
    """Draw a figure to a file, as a paper would have it."""
    stream = io.BytesIO()
    axes.figure.savefig(stream)
    assert len(stream.getvalue()) > 1000
    return axes


def points(axes):
    """Give the coordinates of all markers."""
    return [
        point for line in axes.lines if line.get_marker() in ("o", "s", "D") for point in line.get_xydata().tolist()
    ]


def test_each_row_has_its_median_at_its_place():
    axes = drawn(FULL.plot())
    assert [label.get_text() for label in axes.get_yticklabels()] == list(FULL.names)
    found = {place: x for x, place in points(axes)}
    assert found == pytest.approx({0: 100.0, 1: 20.0, 2: 10.1, 3: 40.0, 4: 1.0})
    assert axes.get_ylim() == (5.5, -0.5)
    assert "(ms)" in axes.get_xlabel()


def test_intervals_are_drawn_as_long_as_they_are():
    axes = FULL.plot()
    row = FULL.to_pandas().iloc[0]
    ends = [segment[:, 0].tolist() for bar in axes.collections for segment in bar.get_segments()]
    assert [row.median_low_s * 1e3, row.median_high_s * 1e3] == pytest.approx(ends[0])


def test_an_interval_without_bounds_has_no_bar():
    axes = drawn(benchmark(row(blocks=(Block("day1", 0, 0, (0.01,)),))).plot())
    [[segment]] = [bar.get_segments() for bar in axes.collections]
    assert segment[:, 0].tolist() == [10.0, 10.0]


def test_a_row_without_figures_keeps_its_place_and_says_so():
    axes = FULL.plot()
    assert [(text.get_text(), text.get_position()[1]) for text in axes.texts] == [("not measured", 5)]


def test_engines_and_targets_are_told_apart():
    axes = FULL.plot()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["MindSpore, CPU", "ONNX Runtime, CPU", "ONNX Runtime, GPU", "95th percentile"]
    looks = {(to_hex(line.get_color()).upper(), line.get_marker()) for line in axes.lines}
    assert {(BLUE, "o"), (ORANGE, "o"), (ORANGE, "s")} <= looks


def test_decades_have_a_logarithmic_axis_and_others_one_from_zero():
    assert FULL.plot().get_xscale() == "log"
    axes = benchmark(row("a", 0.01), row("b", 0.02)).plot()
    assert axes.get_xscale() == "linear"
    assert axes.get_xlim()[0] == 0


def test_throughput_has_a_line_for_each_engine_in_order_of_the_batch():
    axes = drawn(BATCHES.plot("throughput"))
    lines = [container.lines[0] for container in axes.containers]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["net, MindSpore", "net, ONNX Runtime"]
    assert lines[0].get_xdata().tolist() == [1, 8]
    assert lines[0].get_ydata().tolist() == pytest.approx([100.0, 8 / (0.01 * 8**0.8)], rel=1e-6)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "8"]


def test_the_legend_of_many_lines_leaves_room_for_them():
    rows = [row(f"net{index}", 0.01, batch=batch) for index in range(9) for batch in (1, 8)]
    axes = drawn(benchmark(*rows).plot("throughput"))
    legend, inside = axes.get_legend().get_window_extent(), axes.get_window_extent()
    assert legend.height < inside.height / 3
    assert legend.x0 >= 0
    assert legend.x1 <= axes.figure.bbox.x1


def test_the_tradeoff_tells_batches_and_threads_apart():
    rows = [row(batch=batch, threads=threads) for threads in (1, 4) for batch in (1, 8)]
    axes = drawn(benchmark(*rows).plot("tradeoff"))
    assert sorted(text.get_text() for text in axes.texts) == [
        *("1 thread, batch 1", "4 threads, batch 1", "net, 1 thread, batch 8", "net, 4 threads, batch 8")
    ]
    axes = drawn(benchmark(row("a", batch=1), row("b", batch=8)).plot("tradeoff"))
    assert [text.get_text() for text in axes.texts] == ["a, batch 1", "b, batch 8"]


def test_the_tradeoff_has_size_and_latency_of_a_sample():
    axes = drawn(FULL.plot("tradeoff"))
    assert sorted(points(axes)) == [
        pytest.approx(place) for place in [[12, 5], [12, 10.1], [45, 1], [45, 20], [45, 100]]
    ]
    assert axes.get_xlabel() == "size (MB)"
    assert axes.get_ylabel() == "median latency of a sample (ms)"


def test_better_outputs_have_another_colour_and_unknown_ones_none():
    rows = [row(str(db), 0.01 * (1 + db / 10), check=check(float(db))) for db in (0, 30, 60, 200)]
    axes = drawn(benchmark(*rows, row("unchecked")).plot("tradeoff"))
    faces = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    assert faces[-1] == "none"
    assert len({to_hex(face) for face in faces[:3]}) == 3
    assert to_hex(faces[2]) == to_hex(faces[3])


def test_no_scale_of_colours_without_checks():
    assert len(benchmark(row("a"), row("b", 0.02)).plot("tradeoff").figure.axes) == 1


def test_names_do_not_lie_over_each_other_or_outside():
    rows = [row(f"network number {index}", 0.01 * 1.7**index, size_bytes=10**7 * (1 + index % 3)) for index in range(9)]
    axes = drawn(benchmark(*rows).plot("tradeoff"))
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 9
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    inside = axes.get_window_extent()
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)


def test_the_names_of_twenty_rows_can_be_read():
    axes = drawn(benchmark(*(row(f"net{index}", 0.01 + index / 1000) for index in range(20))).plot())
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert axes.get_window_extent().width > 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [ATTACK, "$", r"\frac", "a$b$c_d^e", "网络", "_hidden", "long " * 50])
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font:UserWarning")
def test_any_name_is_drawn(kind, name):
    axes = drawn(benchmark(row(name, check=check()), row("other", 0.02, check=check())).plot(kind))
    written = [*axes.get_yticklabels(), *axes.texts, *(axes.get_legend().get_texts() if axes.get_legend() else [])]
    shown = [text for text in written if text.get_text() == shortened(name, 40 if kind == "tradeoff" else 60)]
    assert shown
    assert not any(text.get_parse_math() for text in shown)


@pytest.mark.parametrize("kind", KINDS)
def test_the_users_own_axes_are_drawn_on(kind):
    _, axes = plt.subplots()
    assert FULL.plot(kind, axes) is axes
    assert len(plt.get_fignums()) == 1


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(OptionError, match="kind must be one of latency, throughput, tradeoff, not 'speed'"):
        FULL.plot("speed")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_measured_is_nothing_to_draw(kind):
    with pytest.raises(OptionError, match="nothing was timed"):
        benchmark(missing()).plot(kind)


def test_models_without_files_have_no_tradeoff():
    with pytest.raises(OptionError, match="no row has both"):
        benchmark(row(size_bytes=0)).plot("tradeoff")


def test_wrong_outputs_are_drawn_as_the_worst():
    worst = [row("a", check=check(float("nan"))), row("b", check=check(float("-inf"))), row("c", check=check(-3.0))]
    axes = drawn(benchmark(*worst).plot("tradeoff"))
    faces = {to_hex(line.get_markerfacecolor()) for line in axes.lines if line.get_marker() == "o"}
    assert len(faces) == 1


def test_a_benchmark_is_left_as_it_was():
    before = replace(FULL)
    FULL.plot("throughput")
    assert before == FULL
