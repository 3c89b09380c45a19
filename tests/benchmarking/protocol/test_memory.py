from pathlib import Path

import numpy as np
import psutil
import pytest

from gsjupyter.benchmarking.protocol.memory import available_bytes, needed_bytes
from gsjupyter.benchmarking.protocol.model_files import ModelFile
from gsjupyter.benchmarking.protocol.plan import Planned
from gsjupyter.benchmarking.protocol.rows import rows_of
from gsjupyter.benchmarking.protocol.subjects import Subject
from gsjupyter.benchmarking.records import Launch


def test_what_this_process_takes_is_no_longer_available():
    before = available_bytes()
    assert 0 < before < psutil.virtual_memory().total
    held = np.ones(1 << 28, np.uint8)
    assert available_bytes() < before + held.nbytes


def test_a_row_needs_what_it_held_before_or_several_times_its_file(tmp_path):
    path = Path(tmp_path / "net.onnx")
    path.write_bytes(bytes(1000))
    planned = Planned(Subject("net", {"onnxruntime": ModelFile(path)}), "cpu", "onnxruntime", "cpu", 1, 1)
    (row,) = rows_of([planned])
    engine = needed_bytes(row) - 4000
    assert engine > 1e8
    row.launches = [Launch("session", number, 1.0, 1.0, 1, True, held) for number, held in enumerate((7000, 9000))]
    assert needed_bytes(row) == pytest.approx(engine + 9000)
