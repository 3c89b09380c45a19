from __future__ import annotations

import pytest

from gsjupyter.mindir import Scope


@pytest.mark.parametrize(
    ("domain", "layer", "cell_class"),
    [
        ("Default/Conv2D-op0", "", ""),
        ("Default/conv1-Conv2d/Conv2D-op0", "conv1", "Conv2d"),
        ("Default/blocks-SequentialCell/0-Dense/MatMul-op12", "blocks.0", "Dense"),
        ("Default/exported_network-LeNet/conv1-Conv2d/Conv2D-op0", "conv1", "Conv2d"),
        ("Default/exported_network-LeNet/ReLU-op0", "", ""),
        ("Default/a-b-Dense/MatMul-op0", "a-b", "Dense"),
        ("Default/body-Dense/exported_network-Dense/MatMul-op0", "body.exported_network", "Dense"),
    ],
)
def test_a_domain_names_the_layer_and_its_class(domain, layer, cell_class):
    scope = Scope.parse(domain)
    assert (scope.layer, scope.cell_class) == (layer, cell_class)


@pytest.mark.parametrize("domain", ["", "/", "////", "Gradients/x-Dense/MatMul-op0", "Default", "\0", "-/-/-"])
def test_foreign_text_is_the_scope_of_the_network_itself(domain):
    assert Scope.parse(domain) == Scope("", "", "Default")


def test_a_scope_writes_the_domain_that_it_reads():
    domain = "Default/blocks-SequentialCell/0-Dense/MatMul-op3"
    assert Scope.parse(domain).domain("MatMul", 3) == domain
