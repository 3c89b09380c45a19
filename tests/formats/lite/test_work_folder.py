import os
import signal
import tempfile
import threading

import pytest

from gsjupyter.formats.lite.work_folder import work_folder
from gsjupyter.interrupts import interruptible


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Let temporary files lie where only this test's are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def fill(folder, files=1):
    (folder / "calibration").mkdir()
    for number in range(files):
        (folder / "calibration" / str(number)).touch()


def test_it_is_ones_own_and_gone_in_the_end(temporary):
    with work_folder() as folder:
        assert list(temporary.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o077 == 0
        fill(folder)
    assert list(temporary.iterdir()) == []


def test_an_error_leaves_nothing(temporary):
    def use():
        with work_folder() as folder:
            fill(folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert list(temporary.iterdir()) == []


def test_an_interrupt_while_it_is_removed_leaves_nothing(temporary):
    def interrupt(place):
        while (place / "calibration" / "0").exists() and (place / "calibration" / "1999").exists():
            pass
        os.kill(os.getpid(), signal.SIGINT)

    def use():
        with work_folder() as folder:
            fill(folder, 2000)
            watching.append(threading.Thread(target=interrupt, args=(folder,)))
            watching[0].start()
        watching[0].join()

    watching = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        use()
    assert list(temporary.iterdir()) == []
