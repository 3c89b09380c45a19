"""The text of classes that were defined in cells, in a shell without a kernel and without Golden Stick."""

from __future__ import annotations

import ast
import inspect
import sys
from types import ModuleType

import pytest
from IPython.core.interactiveshell import InteractiveShell

from gsjupyter.errors import UnsupportedError
from gsjupyter.goldenstick.notebook_classes import NotebookClasses
from gsjupyter.goldenstick.notebook_source import class_source, has_source


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Give a shell whose namespace is ``__main__``, as in a kernel, and the real one back afterwards."""
    main = sys.modules["__main__"]
    patch = pytest.MonkeyPatch()
    patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
    shell = InteractiveShell(user_module=ModuleType("__main__"))
    shell.history_manager.enabled = False
    yield shell
    shell.history_manager.end_session()
    sys.modules["__main__"] = main
    patch.undo()


@pytest.fixture
def run(shell):
    def execute(*cells):
        for cell in cells:
            shell.run_cell(cell, store_history=False).raise_error()
        return shell.user_ns

    sys.modules["__main__"] = shell.user_module
    yield execute
    shell.reset(new_session=False)


def text(cls):
    return class_source(cls).text("own", "shared")


def test_methods_are_written_without_annotations_decorated_bodies_and_constructor(run):
    names = run(
        "class Net:\n"
        "    size: int = 3\n"
        "    print('side effect')\n"
        "    def __init__(self, x: int):\n"
        "        self.x = x\n"
        "    def construct(self, x: list) -> int:\n"
        "        'What it does.'\n"
        "        return x\n"
    )
    head, _, body = text(names["Net"]).partition("\n\n\n")
    assert head == "from own import Net"
    assert body == 'class Net:\n\n    def construct(self, x):\n        """What it does."""\n        return x\n'


def test_the_definition_that_the_class_was_made_from_is_found(run):
    cell = "class Net:\n    def construct(self, x):\n        return x * {}\n"
    older = run(cell.format(1))["Net"]
    newer = run(cell.format(2))["Net"]
    assert "x * 1" in text(older)
    assert "x * 2" in text(newer)


def test_names_of_the_notebook_are_imported_as_they_are_looked_up(run):
    names = run(
        "import json\nimport os.path as p\nSCALE = 2\nx = 1",
        "def activation(x): return x",
        "class Net:\n"
        "    def construct(self, x):\n"
        "        values = [activation(item) for item in x]\n"
        "        return len(values) * SCALE + later + x.SCALE + p.sep + json.x\n",
    )
    source = class_source(names["Net"])
    assert set(source.shared) == {"activation", "SCALE", "p", "json"}
    assert source.missing == {"later"}
    lines = source.text("own", "shared").splitlines()
    assert lines[:5] == [
        "from own import Net",
        "from shared import SCALE",
        "from shared import activation",
        "import json as json",
        "import posixpath as p",
    ]


def test_bases_and_the_variables_of_a_function_belong_to_the_class(run):
    names = run(
        "class Base: pass\n"
        "def made(factor):\n"
        "    class Net(Base):\n"
        "        def construct(self, x):\n"
        "            return x * factor\n"
        "    return Net\n"
    )
    cls = names["made"](3)
    source = class_source(cls)
    assert source.own == {"Net": cls, "Base": names["Base"], "factor": 3}
    assert "class Net(Base):" in source.text("own", "shared")


def test_default_values_are_those_that_the_function_has(run):
    names = run(
        "calls = []\n"
        "def noted(value):\n    calls.append(value)\n    return value\n"
        "class Net:\n"
        "    def construct(self, x, a=noted(3), b=noted([1]), *, c=noted('d'), d):\n"
        "        return x\n"
    )
    source = class_source(names["Net"])
    assert "def construct(self, x, a=3, b=default_of_construct_1, *, c='d', d):" in source.text("own", "shared")
    assert source.own["default_of_construct_1"] is names["Net"].construct.__defaults__[1]
    assert names["calls"] == [3, [1], "d"]


def test_a_replaced_method_is_written_as_it_is_now_under_its_name(run):
    names = run("class Net:\n    def construct(self, x):\n        return x\n")
    run("def forward(self, x):\n    return x + 1\nNet.construct = forward")
    assert "def construct(self, x):\n        return x + 1" in text(names["Net"])


def test_a_class_without_methods_has_a_text_too(run):
    assert ast.parse(text(run("class Empty: size = 3")["Empty"])).body[-1].name == "Empty"


def test_a_method_made_by_exec_has_no_source(run):
    names = run("exec('class Net:\\n    def construct(self, x):\\n        return x\\n')")
    assert not has_source(names["Net"], "construct")
    assert has_source(names["Net"], "other")


def test_super_and_private_names_say_which_class_they_speak_of(run):
    names = run(
        "class Base:\n    def construct(self, x):\n        return x\n"
        "class Net(Base):\n"
        "    def construct(self, x):\n"
        "        y: int = super().construct(x) + super(Net, self).construct(x)\n"
        "        return y + self.__private + self.__class__.size\n"
    )
    source = class_source(names["Net"])
    assert "super(owner_of_construct.Net, self).construct(x) + super(owner_of_construct.Net, self)" in text(
        names["Net"]
    )
    assert "        y = super" in text(names["Net"])
    assert "self._Net__private + self.__class__.size" in text(names["Net"])
    assert source.own["owner_of_construct"].Net is names["Net"]


def test_an_inherited_construct_is_written_with_what_it_means_in_its_own_class(run):
    names = run("class Base:\n    def construct(self, x):\n        return x + self.__bias\nclass Net(Base): pass\n")
    assert "def construct(self, x):\n        return x + self._Base__bias" in text(names["Net"])


class TestNotebookClasses:
    def test_a_class_is_sourceable_for_a_while(self, run, tmp_path):
        names = run("class Base: pass\nclass Net(Base):\n    def construct(self, x):\n        return x\n")
        cls, path, modules = names["Net"], list(sys.path), set(sys.modules)
        with NotebookClasses(tmp_path, names).sourceable(cls):
            assert inspect.getsource(cls) == "class Net(Base):\n\n    def construct(self, x):\n        return x\n"
            assert inspect.getfile(cls).startswith(str(tmp_path))
            assert inspect.getsource(names["Base"]) == "class Base:\n    pass\n"
        assert (cls.__module__, names["Base"].__module__, cls.__qualname__) == ("__main__", "__main__", "Net")
        assert sys.path == path
        assert set(sys.modules) == modules

    def test_it_is_put_back_after_an_error(self, run, tmp_path):
        cls = run("def made():\n    class Net:\n        def construct(self, x): return x\n    return Net\n")["made"]()
        with pytest.raises(ZeroDivisionError), NotebookClasses(tmp_path, {}).sourceable(cls):
            1 / 0  # noqa: B018 - the error is what is tested
        assert (cls.__module__, cls.__qualname__) == ("__main__", "made.<locals>.Net")

    def test_classes_of_one_name_are_told_apart(self, run, tmp_path):
        older = run("class Net:\n    def construct(self, x): return 1\n")["Net"]
        newer = run("class Net(Net):\n    def construct(self, x): return 2\n")["Net"]
        with NotebookClasses(tmp_path, {}).sourceable(newer):
            assert inspect.getsource(newer).startswith("class Net(Net_before_1):")
            assert inspect.getsource(older).startswith("class Net_before_1:")
        assert (newer.__name__, older.__name__) == ("Net", "Net")

    def test_reading_the_file_runs_nothing_of_the_cell(self, run, tmp_path):
        names = run("count = []\nclass Net:\n    count.append(1)\n    def construct(self, x):\n        return count\n")
        with NotebookClasses(tmp_path, names).sourceable(names["Net"]):
            text = next(tmp_path.glob("*.py")).read_text()
        assert "append" not in text
        assert names["count"] == [1]

    def test_a_class_of_a_file_is_left_alone(self, tmp_path):
        with NotebookClasses(tmp_path, {}).sourceable(UnsupportedError):
            assert UnsupportedError.__module__ == "gsjupyter.errors"
        assert list(tmp_path.iterdir()) == []

    def test_a_construct_without_source_is_refused(self, run, tmp_path):
        names = run("exec('class Net:\\n    def construct(self, x):\\n        return x\\n')")
        with (
            pytest.raises(UnsupportedError, match=r"the source of Net\.construct isn't known"),
            NotebookClasses(tmp_path, names).sourceable(names["Net"]),
        ):
            pass
        assert names["Net"].__module__ == "__main__"
