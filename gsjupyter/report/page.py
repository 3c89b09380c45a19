"""A report as a page of its own: to send to somebody who has neither a kernel nor gsjupyter, and to keep for years."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from gsjupyter.atomic import staging
from gsjupyter.errors import OptionError, WriteError
from gsjupyter.report.assets import asset
from gsjupyter.report.document import Document
from gsjupyter.report.existing_file import check_free
from gsjupyter.report.html import to_live_html
from gsjupyter.report.inline_script import script_hashes

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
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
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
    """Return a document as an HTML page that needs no network, for light and dark screens.

    Of scripts it allows the one of its own chart, if it has one.

    Parameters
    ----------
    document : Document
        What to show.
    pictures : sequence of Picture
        Figures to put below it.
    """
    # All of these are markup of ours, or were made by escaping.
    figures = [{**vars(picture), "svg": Markup(picture.svg)} for picture in pictures]  # noqa: S704
    report = Markup(to_live_html(document))  # noqa: S704
    policy = "; ".join(["default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", *_allowed(report)])
    allowed = Markup(policy)  # noqa: S704
    return _TEMPLATE.render(title=document.title, style=_STYLE, policy=allowed, report=report, pictures=figures)


def write_page(document: Document, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a document as a page; return where it is.

    Parameters
    ----------
    document : Document
        What to show.
    path : str or Path
        Where, a file that ends in ``.html``. Nothing is left there if it can't be written.
    overwrite : bool
        Whether to replace a file that is there.

    Raises
    ------
    OptionError
        If the path doesn't end in ``.html``.
    WriteError
        If the file exists, or is a folder, or can't be written.
    UnsupportedError
        If the page's script was not built.
    """
    target = Path(path).expanduser()
    _check_target(target, overwrite=overwrite)
    asset("report.js")  # A page without its chart would not be noticed before it was sent around.
    data = to_page(document).encode("utf-8", "replace")
    with staging(target.parent) as stage:
        (stage / target.name).write_bytes(data)
    return target


def _check_target(target: Path, *, overwrite: bool) -> None:
    if target.is_dir():
        raise WriteError(f"{target} is a folder.", advice="Give the name of a file in it.")
    if target.suffix.lower() not in (".html", ".htm"):
        raise OptionError(
            f"{target.name or target} doesn't end in .html.",
            advice=f"Try {target.with_suffix('.html').name}." if target.name else "Give the name of a file.",
        )
    if not overwrite:
        check_free(target, flag="overwrite=True")


def _allowed(report: str) -> list[str]:
    hashes = script_hashes(report)
    return [f"script-src {' '.join(hashes)}"] if hashes else []
