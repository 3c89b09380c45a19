"""Progress of long work in steps: one line that appears only after a while and is gone at the end."""

from threading import Timer
from types import TracebackType

from tqdm.auto import tqdm

PROGRESS_DELAY_S = 1.5
"""Shorter work shows no progress."""


class Steps:
    """A progress line that names the step under way. A context manager, so that it goes away on errors too."""

    def __init__(self) -> None:
        self._bar = tqdm(bar_format="{desc} ({elapsed})", delay=PROGRESS_DELAY_S, leave=False)
        # A single step may take longer than the delay, and says nothing while it runs.
        self._appearance = Timer(PROGRESS_DELAY_S + 0.1, self._appear)
        self._appearance.daemon = True

    def __enter__(self) -> "Steps":
        self._appearance.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._appearance.cancel()
        self._appearance.join()
        self._bar.close()

    def _appear(self) -> None:
        self._bar.refresh()
        # tqdm removes at the end only what is older than its delay.
        self._bar.delay = 0

    def begin(self, step: str) -> None:
        """Name the step that begins."""
        self._bar.set_description_str(step, refresh=False)
        self._bar.update()
