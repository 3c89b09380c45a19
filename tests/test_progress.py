import io
import sys
import time

import nbformat
import pytest
from nbclient import NotebookClient

from gsjupyter import progress


@pytest.fixture
def soon(monkeypatch):
    """Let progress appear after a moment instead of a second."""
    monkeypatch.setattr(progress, "PROGRESS_DELAY_S", 0.02)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Give a terminal that is written to in place of standard error."""
    opened = Terminal()
    monkeypatch.setattr(progress, "_stream", lambda: opened)
    return opened


def test_short_work_shows_nothing(capsys):
    with progress.Steps() as steps:
        steps.begin("export to MindIR")
        steps.begin("verify")
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("soon")
def test_long_work_names_its_step_and_takes_the_line_away(terminal):
    with progress.Steps() as steps:
        steps.begin("export to MindIR")
        time.sleep(0.3)
    text = terminal.getvalue()
    assert "export to MindIR (00:00)" in text
    assert text.endswith("\r")
    assert text.split("\r")[-2].strip() == ""


@pytest.mark.usefixtures("soon")
def test_the_line_goes_away_on_errors_too(terminal):
    steps = progress.Steps()
    steps.__enter__()
    steps.begin("calibrate")
    time.sleep(0.3)
    steps.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert terminal.getvalue().split("\r")[-2].strip() == ""


@pytest.mark.usefixtures("soon")
def test_a_log_keeps_nothing_of_it(capsys):
    with progress.Steps() as steps:
        for number in range(30):
            steps.begin(f"round {number}")
            time.sleep(0.01)
    assert list(progress.counted((time.sleep(0.01) for _ in range(30)), "calibrating", "batch")) == [None] * 30
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("soon")
def test_a_listener_is_told_instead(terminal):
    told = []
    with progress.reported_to(lambda *news: told.append(news)), progress.Steps() as steps:
        steps.begin("calibrate")
        assert list(progress.counted("ab", "calibrating", "batch")) == ["a", "b"]
        assert list(progress.counted(iter("a"), "verifying", "batch")) == ["a"]
        time.sleep(0.3)
    assert told == [("calibrate", 0, None), ("calibrating", 0, 2), ("calibrating", 1, 2), ("verifying", 0, None)]
    assert terminal.getvalue() == ""
    with progress.Steps() as steps:
        steps.begin("pack")
    assert len(told) == 4


def test_nothing_of_it_stays_in_a_saved_notebook(tmp_path):
    work = "import time\nfrom gsjupyter.progress import Steps\nwith Steps() as steps:\n"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(work + "    steps.begin('export to MindIR')\n    time.sleep(2.5)")]
    )
    seen = []
    client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    client.on_cell_executed = lambda cell, cell_index, execute_reply: seen.extend(cell.outputs)
    client.execute()
    assert [output.output_type for output in seen] == ["display_data"]
    assert seen[0].data == {"text/plain": ""}


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_without_a_stream_there_is_no_line(monkeypatch, stream):
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "PROGRESS_DELAY_S", 0.0)
    with progress.Steps() as steps:
        steps.begin("work")
        steps.begin("more")
