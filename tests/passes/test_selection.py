import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.passes import LayerFormats

NAMES = st.text(st.sampled_from("ab.1"), min_size=1, max_size=6)


@given(name=NAMES, others=st.dictionaries(st.sampled_from(["*", "a*", "?.1", "[ab]*"]), st.sampled_from(["int8"])))
def test_a_name_goes_before_any_glob(name, others):
    assert LayerFormats("int8", {**others, name: "float32"}).of(name) == "float32"


@given(name=NAMES)
def test_a_layer_that_nothing_means_has_the_default(name):
    formats = LayerFormats("int8", {"zz*": "float32"})
    assert formats.of(name) == "int8"
    assert formats.override_of(name) is None
    assert not formats.is_kept(name)


@pytest.mark.parametrize(("default", "chosen", "kept"), [("int8", "float16", True), ("float32", "int8", False)])
def test_only_a_layer_that_was_asked_to_stay_in_float_counts_as_kept(default, chosen, kept):
    formats = LayerFormats(default, {"a": chosen})
    assert formats.is_kept("a") == kept
    assert not formats.is_kept("b")


@pytest.mark.parametrize("name", ["block[0].conv", "a.b"])
def test_a_name_with_brackets_is_a_name_first(name):
    assert LayerFormats("int8", {name: "float32"}).of(name) == "float32"
