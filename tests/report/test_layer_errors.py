from __future__ import annotations

import json
import math

from gsjupyter.report import MIME_TYPE
from gsjupyter.report.layer_errors import LayerError, LayerErrors
from tests.report.samples import ERRORS


def test_errors_are_a_sequence():
    assert [error.name for error in ERRORS] == ["conv1", "fc3"]
    assert ERRORS[1] == LayerError("fc3", None, 35.5)
    assert isinstance(ERRORS[:1], LayerErrors)
    assert len(ERRORS[1:]) == 1


def test_the_text_says_what_was_measured_on_what():
    text = repr(ERRORS)
    assert "2 samples" in text
    assert "only this layer" in text
    assert text.splitlines()[-1].split() == ["fc3", "\u2013", "35.5"]
    assert "1 sample\n" in repr(LayerErrors([], samples=1))


def test_a_notebook_gets_json_without_what_json_lacks():
    errors = LayerErrors([LayerError("conv1", math.inf, math.nan), LayerError("fc", -math.inf, 3.0)], samples=1)
    document = errors._repr_mimebundle_()[MIME_TYPE]
    json.dumps(document, allow_nan=False)
    assert document["blocks"][1]["rows"][0] == {
        "name": "conv1",
        "isolated_sqnr_db": "inf",
        "accumulated_sqnr_db": None,
    }


def test_the_data_frame_has_a_row_for_each_layer():
    frame = ERRORS.to_pandas()
    assert frame.loc["fc3", "accumulated_sqnr_db"] == 35.5
    assert list(LayerErrors([], samples=0).to_pandas().columns) == list(frame.columns)
