"""A report as a page of its own: to send to somebody who has neither a kernel nor gsjupyter, and to keep for years."""

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from gsjupyter.report.document import Document
from gsjupyter.report.html import to_html

_STYLE = """
:root { color-scheme: light dark }
body { margin: 1.5em auto; padding: 0 1.5em; max-width: 1400px; background: Canvas; color: CanvasText }
figure { margin: 1.5em 0; overflow-x: auto }
figure svg { max-width: 100%; height: auto }
figcaption { font: 600 13px system-ui, sans-serif; padding: .2em 0 }
"""

_TEMPLATE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
{{ report }}
{% for picture in pictures %}
<figure role="group" aria-label="{{ picture.caption }}">
<figcaption>{{ picture.caption }}</figcaption>
<div role="img" aria-label="{{ picture.alternative }}">{{ picture.svg }}</div>
</figure>
{% endfor %}
</main>
</body>
</html>
""")


@dataclass(frozen=True)
class Picture:
    """A figure of a page.

    Parameters
    ----------
    svg : str
        The figure, as `inline_svg` gives it: markup that is put into the page as it is.
    caption : str
        What it shows.
    alternative : str
        The same in words, for who can't see it.
    """

    svg: str
    caption: str
    alternative: str


def to_page(document: Document, pictures: Sequence[Picture] = ()) -> str:
    """Return a document as an HTML page that needs no script and no network, for light and dark screens.

    Parameters
    ----------
    document : Document
        What to show.
    pictures : sequence of Picture
        Figures to put below it.
    """
    # Both are markup that was made by escaping.
    figures = [{**vars(picture), "svg": Markup(picture.svg)} for picture in pictures]  # noqa: S704
    report = Markup(to_html(document))  # noqa: S704
    return _TEMPLATE.render(title=document.title, style=_STYLE, report=report, pictures=figures)
