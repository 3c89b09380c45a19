import time

import pytest

from gsjupyter import progress


@pytest.fixture
def soon(monkeypatch):
    """Let progress appear after a moment instead of a second."""
    monkeypatch.setattr(progress, "PROGRESS_DELAY_S", 0.02)


def test_short_work_shows_nothing(capsys):
    with progress.Steps() as steps:
        steps.begin("export to MindIR")
        steps.begin("verify")
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("soon")
def test_long_work_names_its_step_and_takes_the_line_away(capsys):
    with progress.Steps() as steps:
        steps.begin("export to MindIR")
        time.sleep(0.3)
    text = capsys.readouterr().err
    assert "export to MindIR (00:00)" in text
    assert text.endswith("\r")
    assert text.split("\r")[-2].strip() == ""


@pytest.mark.usefixtures("soon")
def test_the_line_goes_away_on_errors_too(capsys):
    steps = progress.Steps()
    steps.__enter__()
    steps.begin("calibrate")
    time.sleep(0.3)
    steps.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err.split("\r")[-2].strip() == ""
