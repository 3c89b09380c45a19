import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsjupyter.errors import OptionError
from gsjupyter.passes import LayerSetting, LayerSettings
from gsjupyter.quantization import Scheme

NAMES = st.text(st.sampled_from("ab.1"), min_size=1, max_size=6)


@given(name=NAMES, others=st.dictionaries(st.sampled_from(["*", "a*", "?.1", "[ab]*"]), st.sampled_from(["int8"])))
def test_a_name_goes_before_any_glob(name, others):
    assert LayerSettings(LayerSetting("int8"), {**others, name: "float32"}).of(name) == "float32"


@given(name=NAMES)
def test_a_layer_that_nothing_means_has_the_default(name):
    default = LayerSetting("int4", "int8", "group:32", observer="mse")
    settings = LayerSettings(default, {"zz*": "float32"})
    assert settings.setting(name) == default
    assert not settings.has_override(name)


@pytest.mark.parametrize(
    ("override", "kept"),
    [
        ("float32", True),
        ("float16", True),
        ("int4", False),
        ({"weights": "float32"}, True),
        ({"weights": "float32", "activations": "int8"}, False),
        ({"weights": "int8", "activations": "float32"}, True),
        ({"granularity": "tensor"}, False),
    ],
)
def test_a_layer_that_goes_back_to_float_keeps_its_input_so_too(override, kept):
    settings = LayerSettings(LayerSetting("int8", "int8"), {"a": override})
    assert settings.is_kept("a") == kept
    assert not settings.is_kept("b")


def test_inputs_stay_in_float_unless_they_are_asked_for():
    assert LayerSettings(LayerSetting("int8")).is_kept("a")
    assert not LayerSettings(LayerSetting("int8"), {"a": {"activations": "int8"}}).is_kept("a")


@pytest.mark.parametrize("name", ["block[0].conv", "a.b"])
def test_a_name_with_brackets_is_a_name_first(name):
    assert LayerSettings(LayerSetting("int8"), {name: "float32"}).of(name) == "float32"


def test_an_override_changes_what_it_names_and_nothing_else():
    settings = LayerSettings(
        LayerSetting("int8", observer="mse"), {"a": {"weights": "int3", "granularity": "group:16"}}
    )
    assert settings.setting("a") == LayerSetting("int3", granularity="group:16", observer="mse")


def test_chosen_bits_go_before_everything_else():
    settings = LayerSettings(LayerSetting("int8", granularity="tensor"), {"a": "int2"}, bits={"a": 5})
    assert settings.of("a") == "int5"
    assert settings.setting("a").scheme == Scheme(5, granularity="tensor")
    assert settings.of("b") == "int8"


@pytest.mark.parametrize(
    ("setting", "scheme"),
    [
        (LayerSetting("float16"), None),
        (LayerSetting("int8"), Scheme()),
        (LayerSetting("int2", granularity="group:8"), Scheme(2, granularity="group:8")),
        (LayerSetting("int4", narrow_range=False), Scheme(4, narrow_range=False)),
        (LayerSetting("int4", symmetric=False), Scheme(4, symmetric=False, narrow_range=False)),
    ],
)
def test_a_setting_has_a_scheme_for_integers(setting, scheme):
    assert setting.scheme == scheme


def test_a_setting_that_means_no_layer_is_refused():
    with pytest.raises(OptionError, match="no layer 'fc'"):
        LayerSettings(LayerSetting("int8"), {"fc": {"weights": "int4"}}).check([])
