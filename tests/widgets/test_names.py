from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gsjupyter.widgets.names import Names, names_of


@pytest.fixture
def namespace():
    """Give what a user's notebook may hold."""
    net, x, mask = object(), np.zeros(3), np.zeros(3)
    return {"_": net, "In": [], "_3": x, "__builtins__": mask, "net": net, "same": net, "x": x, "mask": mask}


def test_names_are_those_of_the_very_objects(namespace):
    names = names_of({"source": namespace["net"], "inputs": namespace["x"], "labels": namespace["mask"]}, namespace)
    assert names == Names("net", "x", labels="mask")


def test_an_equal_object_is_another(namespace):
    names = names_of({"source": namespace["net"], "inputs": namespace["x"].copy()}, namespace)
    assert (names.source, names.inputs, names.unnamed) == ("net", "your_input", {"inputs"})


def test_several_inputs_have_a_name_each(namespace):
    given = (namespace["x"], namespace["mask"])
    assert names_of({"source": namespace["net"], "inputs": given}, namespace).inputs == "x mask"
    assert names_of({"source": namespace["net"], "inputs": given}, {**namespace, "both": given}).inputs == "both"
    mixed = names_of({"source": namespace["net"], "inputs": (np.ones(2), namespace["x"], np.ones(2))}, namespace)
    assert (mixed.inputs, mixed.unnamed) == ("your_input x your_input_3", {"inputs"})


def test_what_python_keeps_for_itself_is_no_name(namespace):
    hidden = dict.fromkeys(("_", "_12", "In", "class", "a b", "exit"), namespace["net"])
    assert names_of({"source": namespace["net"]}, hidden).unnamed == {"source"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("lenet.mindir", "lenet.mindir"),
        (Path("nets/lenet"), "nets/lenet"),
        (Path("lenet"), "./lenet"),
        ("~/a.mindir", "~/a.mindir"),
    ],
)
def test_a_file_is_called_by_its_path(given, text):
    names = names_of({"source": given, "inputs": None}, {})
    assert (names.source, names.inputs, names.unnamed) == (text, None, frozenset())


def test_a_checkpoint_without_a_path_has_no_name():
    assert names_of({"source": "a.mindir", "ckpt": {"weight": 1}}, {}).unnamed == {"ckpt"}


def test_the_json_has_only_what_the_user_knows(namespace):
    given = {"source": namespace["net"], "inputs": np.ones(2), "ckpt": "a.ckpt", "output": "qnet"}
    assert names_of(given, namespace).to_json() == {
        "source": "net",
        "inputs": None,
        "ckpt": "a.ckpt",
        "calibration": None,
        "labels": None,
        "output": "qnet",
    }
