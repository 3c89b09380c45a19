"""Whatever happened to a file on its way, only an error of ours comes out, and soon."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsjupyter.errors import GsError
from gsjupyter.mindir import Constant, Model

LIMIT_S = 1.0
PLACE = st.floats(0, 1, exclude_max=True)
FLIPPED = st.tuples(st.just("flip"), PLACE, st.integers(1, 255))
CUT = st.tuples(st.just("cut"), PLACE, st.integers(1, 40))
INSERTED = st.tuples(st.just("insert"), PLACE, st.binary(min_size=1, max_size=9))
DAMAGE = st.lists(FLIPPED | CUT | INSERTED, min_size=1, max_size=4)


def damaged(data, damage):
    content = bytearray(data)
    for kind, share, what in damage:
        place = int(share * len(content))
        if kind == "flip":
            content[place] ^= what
        elif kind == "cut":
            del content[place : place + what]
        else:
            content[place:place] = what
    return bytes(content)


def look_at_everything(data):
    model = Model.from_bytes(data, "damaged")
    graph = model.graph()
    seen = [model.inputs]
    for value in graph.values():
        seen += [value.shape, value.dtype, repr(value)]
        if isinstance(value, Constant):
            seen += [value.value, value.is_monad]
    for node in graph.nodes():
        seen += [node.layer, node.attributes, node.annotations]
    seen.append(model.with_graph(graph).to_bytes())
    return seen


def survives(data):
    started = time.process_time()
    with suppress(GsError):
        look_at_everything(data)
    assert time.process_time() - started < LIMIT_S


@settings(max_examples=1500)
@given(damage=DAMAGE)
def test_a_damaged_model_gives_nothing_but_our_errors(mlp_bytes, damage):
    survives(damaged(mlp_bytes, damage))


@given(data=st.binary(max_size=400))
def test_random_bytes_give_nothing_but_our_errors(data):
    survives(data)


@pytest.mark.parametrize("length", range(0, 600, 7))
def test_any_beginning_of_a_model_gives_nothing_but_our_errors(mlp_bytes, length):
    survives(mlp_bytes[:length])
    survives(mlp_bytes[: len(mlp_bytes) - length])


@pytest.mark.parametrize("first", ["mindspore", "google.protobuf.descriptor_pb2"])
def test_a_name_that_is_no_text_is_refused_by_both_implementations_of_protobuf(mlp_bytes, first, tmp_path):
    # What is imported first decides whether protobuf runs in Python, as MindSpore sets it, or in C.
    (tmp_path / "model.mindir").write_bytes(mlp_bytes.replace(b"_Wrapper", b"\xdfWrapper"))
    code = (
        f"import {first}, pathlib, sys\n"
        "from gsjupyter.errors import ModelFileError\n"
        "from gsjupyter.mindir import load_model\n"
        "try:\n"
        "    load_model(pathlib.Path(sys.argv[1]))\n"
        "except ModelFileError as error:\n"
        "    print(error.message)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.mindir")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("model.mindir is")
