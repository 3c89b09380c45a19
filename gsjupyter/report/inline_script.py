"""Outputs that go on working in a saved page: static HTML, the data as JSON, and the script that shows them live.

Nothing is fetched, so it works in ``nbconvert --to html``, in VS Code, and in a page opened from a disk. Where no
script may run the static part is what is seen.
"""

import base64
import hashlib
import json
import re
from functools import lru_cache
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

_EXPORTS: Final = re.compile(r"export\s*\{([^{}]*)\};?")
_ENDS_A_SCRIPT: Final = re.compile(r"<(?=/script|script|!--)", re.IGNORECASE)

# A module doesn't know where in the page it stands, and an output may be shown twice: so all places with its data are
# found by their key, and each is taken once.
_SHOW: Final = """
;(show => {
  for (const place of document.querySelectorAll('[data-gs-saved="KEY"]:not([data-gs-shown])')) {
    place.dataset.gsShown = '';
    const [fallback, data] = place.children;
    const host = document.createElement('div');
    place.append(host);
    try {
      show(host, JSON.parse(data.textContent));
      fallback.remove();
    } catch (error) {
      host.remove();
      console.error(error);
    }
  }
})(FUNCTION);
"""

_TEMPLATE: Final = Environment(autoescape=True).from_string("""\
<div class="gs-saved" data-gs-saved="{{ key }}">
<div>{{ static }}</div>
<script type="application/json">{{ data }}</script>
</div>
<style>{{ style }}</style>
<script type="module">{{ script }}</script>
""")


def interactive(static: str, data: object, function: str, script: str, style: str) -> str:
    """Return a fragment of HTML that is static where no script runs, and live elsewhere.

    Parameters
    ----------
    static : str
        The static part: markup that was made by escaping.
    data : object
        What to show, as JSON has it.
    function : str
        The function of `script` that takes a host element and the data.
    script : str
        An ES module in one piece.
    style : str
        The style sheet that it needs.
    """
    text = json_in_html(data)
    key = hashlib.sha256(f"{function}\n{text}\n{script}".encode()).hexdigest()[:16]
    return _TEMPLATE.render(
        key=key,
        static=Markup(static),  # noqa: S704 - see above
        data=Markup(text),  # noqa: S704 - JSON without "<"
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(_script(script, function, key)),  # noqa: S704 - ours
    )


def json_in_html(data: object) -> str:
    """Return data as JSON that can stand in a ``<script>``: nothing in it ends the element, or a line of JavaScript.

    Parameters
    ----------
    data : object
        Mappings, lists, texts and finite numbers.
    """
    return json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def script_hashes(html: str) -> list[str]:
    """Return the sources of a Content-Security-Policy that allow the scripts of a page, and no others.

    Parameters
    ----------
    html : str
        What `interactive` has made.
    """
    scripts = re.findall(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def _script(module: str, function: str, key: str) -> str:
    """Return a module that calls one of its functions itself: nobody can import what stands in a page."""
    body, names = _without_exports(module)
    return body + _SHOW.replace("KEY", key).replace("FUNCTION", names[function])


@lru_cache(maxsize=4)
def _without_exports(module: str) -> tuple[str, dict[str, str]]:
    """Return a module's text without its exports, and what it calls each of these itself."""
    *_, exports = _EXPORTS.finditer(module)
    # "a" or "a as b": what is exported, and under which name.
    words = [pair.split() for pair in exports[1].split(",")]
    body = module[: exports.start()] + module[exports.end() :]
    return _ENDS_A_SCRIPT.sub(r"\\x3c", body), {pair[-1]: pair[0] for pair in words if pair}
