"""The ways to write a class in a notebook, and to hold cells in it: each computes the same after the transformation."""

from __future__ import annotations

import pytest

from tests.goldenstick.kernel import HELPERS, notebook

WITH_CONV = "(nn.Cell):\n    def __init__(self):\n        super().__init__()\n        self.conv = conv(1)\n"
WITH_EXTRA = "(Simple):\n    def __init__(self):\n        super().__init__()\n        self.extra = conv(4)\n"
CONSTRUCT = "    def construct(self, x):\n        return "

FORMS = {
    "construct of a base": "class Form(Simple):\n    pass",
    "super": f"class Form{WITH_EXTRA}{CONSTRUCT}self.extra(super().construct(x))",
    "super with arguments": f"class Form{WITH_EXTRA}{CONSTRUCT}self.extra(super(Form, self).construct(x))",
    "base of the same name": f"class Form{WITH_CONV}\n"
    + f"class Form{WITH_EXTRA}{CONSTRUCT}self.extra(self.conv(x))".replace("Simple", "Form"),
    "function of a file": f"from helpers import activation as act\nclass Form{WITH_CONV}{CONSTRUCT}act(self.conv(x))",
    "module of a file": (
        "import helpers\nGAIN = 7.0\n"
        f"class Form{WITH_CONV}{CONSTRUCT}helpers.activation(self.conv(x)) + helpers.GAIN + GAIN"
    ),
    "class of a file inside": (
        "from helpers import FileBlock\nclass Form(nn.Cell):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.block = FileBlock()\n        self.conv = conv(4)\n{CONSTRUCT}self.conv(self.block(x))"
    ),
    "base of a file": "from helpers import FileBase\n"
    + f"class Form{WITH_CONV}{CONSTRUCT}self.tail(self.conv(x))".replace("nn.Cell", "FileBase"),
    "mixin": "class Mixin:\n    def twice(self, x):\n        return x * 2\n"
    + f"class Form{WITH_CONV}{CONSTRUCT}self.twice(self.conv(x))".replace("nn.Cell", "Mixin, nn.Cell"),
    "kinds of members": (
        f"class Form{WITH_CONV}        self.__private = 2.0\n    size = 3\n    act = lambda self, x: x * 2\n"
        "    @property\n    def factor(self):\n        return self.size\n"
        "    @staticmethod\n    def fixed(x):\n        return x * 3\n"
        f"{CONSTRUCT}self.act(self.fixed(self.conv(x))) * self.factor * self.__private"
    ),
    "jit": f"class Form{WITH_CONV}    @mindspore.jit\n{CONSTRUCT}self.conv(x) + 1",
    "primitives": f"relu = ops.ReLU()\nP = ops\nclass Form{WITH_CONV}{CONSTRUCT}P.Add()(relu(self.conv(x)), 1.0)",
    "names that rewrite has, with another meaning": (
        f"from mindspore.nn import Cell as C\nCell = C\nclass Form{WITH_CONV}{CONSTRUCT}self.conv(x) * sys".replace(
            "nn.Cell", "Cell"
        ).replace("* sys", "* float(len(os.sep))")
    ),
    "decorated": f"def same(cls):\n    return cls\n@same\nclass Form{WITH_CONV}{CONSTRUCT}self.conv(x)",
    "annotations": (
        f"from __future__ import annotations\nclass Form{WITH_CONV}    def construct(self, x: Unknown) -> Unknown:\n"
        "        y: Unknown = self.conv(x)\n        return y"
    ),
    "magics and await in the cell": (
        f"%time weight = 3\n!true\nasync def wait():\n    return 2\nother = await wait()\n"
        f"class Form{WITH_CONV}{CONSTRUCT}self.conv(x) * weight * other"
    ),
    "a file name in the notebook": (
        "__file__ = 'notebook.ipynb'\ndef twice(x):\n    return x * 2\n"
        f"class Form{WITH_CONV}{CONSTRUCT}twice(self.conv(x))"
    ),
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with notebook(tmp_path_factory.mktemp("kernel")) as kernel:
        yield kernel
        assert sorted(kernel.folder.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_class_computes_the_same_in_both_modes(kernel, form):
    (kernel.temporary / "helpers.py").write_text(HELPERS)
    kernel.run(f"sys.dont_write_bytecode = True; sys.path.insert(0, {str(kernel.temporary)!r})")
    kernel.run(f"class Simple{WITH_CONV}{CONSTRUCT}self.conv(x)")
    kernel.run(FORMS[form])
    assert float(kernel.run("print(difference(Form()))")) < 1e-5
    kernel.run(
        f"globals().pop('__file__', None); globals().pop('GAIN', None); sys.path.remove({str(kernel.temporary)!r})"
    )
    (kernel.temporary / "helpers.py").unlink()


CONTAINERS = {
    "loop over a CellList": ("nn.CellList([conv(1), conv(), conv()])", "for layer in self.layers:\n   x = layer(x)", 3),
    "loop over a list": ("[conv(1), conv()]", "for layer in self.layers:\n   x = layer(x)", 2),
    "SequentialCells in one": (
        "nn.SequentialCell(nn.SequentialCell(conv(1), nn.BatchNorm2d(4)), nn.SequentialCell(conv(), nn.ReLU()))",
        "x = self.layers(x)",
        3,
    ),
    "SequentialCells in a CellList": (
        "nn.CellList([nn.SequentialCell(conv(1), nn.BatchNorm2d(4)), conv()])",
        "for layer in self.layers:\n   x = layer(x)",
        2,
    ),
    "classes with containers in a CellList": (
        "nn.CellList([Pair(1), Pair(4), conv()])",
        "for layer in self.layers:\n   x = layer(x)",
        5,
    ),
}


@pytest.mark.parametrize("form", CONTAINERS)
def test_containers_of_cells_are_transformed(kernel, form):
    layers, body, count = CONTAINERS[form]
    kernel.run(
        "class Pair(nn.Cell):\n"
        " def __init__(self, channels):\n"
        "  super().__init__()\n"
        "  self.layers = nn.SequentialCell(conv(channels), conv())\n"
        " def construct(self, x):\n"
        "  return self.layers(x)\n"
        "class Contains(nn.Cell):\n"
        " def __init__(self):\n"
        f"  super().__init__()\n  self.layers = {layers}\n"
        f" def construct(self, x):\n  {body}\n  return x\n"
    )
    assert kernel.run("print(len(quantized(SimQAT().apply(Contains()))))") == str(count)
    assert kernel.run("print(difference(Contains()))") == "0.0"


def test_a_top_level_sequential_cell_is_transformed(kernel):
    kernel.run(
        "def top(): return nn.SequentialCell(conv(1), nn.ReLU(), nn.SequentialCell(conv(), nn.BatchNorm2d(4), conv()))"
    )
    assert kernel.run("print(len(quantized(SimQAT().apply(top()))))") == "4"
    assert float(kernel.run("print(difference(top()))")) < 1e-6


def test_a_form_in_which_golden_stick_finds_no_layer_is_told(kernel):
    kernel.run(
        "class Indexed(nn.Cell):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.layers = nn.CellList([conv(1), conv()])\n"
        "    def construct(self, x):\n"
        "        return self.layers[1](self.layers[0](x))\n"
    )
    said = kernel.run(
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    SimQAT().apply(Indexed())\n"
        "print(*[item.message for item in caught])"
    )
    assert "SimulatedQuantizationAwareTraining replaced no layer of Indexed. Golden Stick replaces the layers" in said
