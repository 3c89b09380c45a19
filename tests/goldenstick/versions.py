"""Which tests run on one version of MindSpore: without this, each would be repeated on the oldest and find nothing."""

import mindspore
import pytest

ON_ONE_VERSION = pytest.mark.skipif(mindspore.__version__ != "2.10.0", reason="one version of MindSpore is enough")
