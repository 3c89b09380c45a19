"""Objects that show themselves: every result is a Python object first, and rich output second."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

from gsjupyter.report.document import MIME_TYPE, Document
from gsjupyter.report.html import to_html, to_live_html
from gsjupyter.report.text import to_text


class Shown(ABC):
    """Base of results that notebooks show."""

    @abstractmethod
    def document(self) -> Document:
        """Return what to show."""

    def __repr__(self) -> str:
        return to_text(self.document())

    def to_html(self) -> str:
        """Return the result as a fragment of HTML that needs neither script nor network."""
        return to_html(self.document())

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        document = self.document()
        return {
            "text/plain": to_text(document),
            "text/html": to_live_html(document),
            MIME_TYPE: document.to_json(),
        }
