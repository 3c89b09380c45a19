"""Networks that a panel is opened on, opened and measured once for all tests."""

from __future__ import annotations

import pytest

from tests.widgets import opened_lenet


@pytest.fixture(scope="session")
def lenet():
    """Give LeNet as opened by a panel, with its sketches and what was measured of it."""
    return opened_lenet.opened()
