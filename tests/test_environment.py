import numpy as np
import pytest

from gsjupyter.environment import check_numpy
from gsjupyter.errors import UnsupportedError


def test_the_numpy_of_this_environment_is_accepted():
    check_numpy(np.__version__)


def test_numpy_2_is_refused_with_the_command_that_mends_it():
    with pytest.raises(UnsupportedError, match=r"numpy 2\.4\.0 is installed") as caught:
        check_numpy("2.4.0")
    assert 'pip install "numpy>=1.26,<2"' in caught.value.advice
