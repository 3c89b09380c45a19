"""What tests of benchmarks watch: what is said, which workers run, and what is left in the end."""

from __future__ import annotations

import tempfile

import psutil


class Saying:
    """Listens to what is said, and does something when some words are first said."""

    def __init__(self, words="", action=lambda: None):
        self.said = []
        self._words = words
        self._action = action

    def begin(self, text):
        self.said.append(text)
        if self._words and self._words in text:
            self._words = ""
            self._action()


class Workers:
    """The worker processes that were started since this was made; other tests may have left some."""

    def __init__(self):
        self._before = {process.pid for process in _workers()}

    def __call__(self):
        """Return those that run."""
        return [process for process in _workers() if process.pid not in self._before]


def _workers():
    return [child for child in psutil.Process().children() if "gsjupyter.engines." in " ".join(child.cmdline())]


def watched(folder, monkeypatch):
    """Have temporary files go to an empty folder, and check in the end that neither these nor processes are left."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    workers = Workers()
    yield workers
    assert workers() == []
    assert list(folder.iterdir()) == []
