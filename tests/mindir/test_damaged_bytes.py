"""Whatever happened to a file on its way, only an error of ours comes out, and soon."""

from __future__ import annotations

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
