from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pytest

from gsjupyter.report.assets import asset, is_built
from gsjupyter.report.inline_script import interactive, json_in_html, script_hashes
from tests.report.samples import ATTACK

HOSTILE = [
    ATTACK,
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]>",
    "\u2028\u2029",
    "\ud800",
    "\x00",
    "\u5377",
]
MODULE = 'const o=(h,d)=>{h.shown=d,h.end="</script><!--"};function n(){}export{n as default,o as showIt};'

# A document with the places that a script looks for, as little of one as it takes.
PAGE = """
const place = () => {
  const fallback = { remove() { this.removed = true; } };
  const host = { remove() { this.removed = true; } };
  return { dataset: {}, host, fallback, children: [fallback, { textContent: TEXT }], append() {} };
};
const places = [place(), place()];
globalThis.document = {
  querySelectorAll: selector => places.filter(one => selector.includes('KEY') && one.dataset.gsShown === undefined),
  createElement: () => places.find(one => one.dataset.gsShown === '' && !one.used && (one.used = true)).host
};
"""


def parts(html):
    """Return the data's text, the script and the key of a fragment."""
    data = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL).group(1)
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL).group(1)
    return data, script, re.search(r'data-gs-saved="(\w+)"', html).group(1)


def run(program):
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    command = [node, "--input-type=module"]
    return subprocess.run(command, input=program, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_the_data_ends_its_element(name):
    data = {"name": name, name: [1, None, 0.5]}
    html = interactive("<p>static</p>", data, "showIt", MODULE, "")
    assert html.count("<script") == html.count("</script>") == 2
    assert "<img" not in html
    assert json.loads(parts(html)[0]) == data
    assert parts(html)[0].isascii()


def test_only_finite_numbers_are_json():
    with pytest.raises(ValueError, match="JSON"):
        json_in_html({"x": float("nan")})


def test_the_script_shows_the_data_in_all_its_places_once():
    html = interactive("<p>static</p>", {"x": [1, "</script>"]}, "showIt", MODULE, "")
    data, script, key = parts(html)
    page = PAGE.replace("TEXT", json.dumps(data)).replace("KEY", key)
    # A module may run once for each output that holds it.
    program = f"{page}{{{script}}}{{{script}}}\nconsole.log(JSON.stringify(places));"
    first, second = json.loads(run(program))
    for place in (first, second):
        assert place["host"] == {"shown": {"x": [1, "</script>"]}, "end": "</script><!--"}
        assert place["fallback"] == {"removed": True}


def test_what_the_script_can_not_show_leaves_the_static_part():
    broken = 'const o=()=>{throw new Error("no")};export{o as showIt};'
    data, script, key = parts(interactive("<p>static</p>", {}, "showIt", broken, ""))
    page = PAGE.replace("TEXT", json.dumps(data)).replace("KEY", key)
    place, _ = json.loads(run(f"{page}console.error = () => {{}};{script}\nconsole.log(JSON.stringify(places));"))
    assert (place["host"], place["fallback"]) == ({"removed": True}, {})


def test_outputs_with_other_data_have_other_keys():
    keys = {parts(interactive("", {"x": x}, "showIt", MODULE, ""))[2] for x in (1, 2, 1)}
    assert len(keys) == 2


def test_hashes_are_those_of_the_scripts_that_run():
    html = interactive("", {"x": 1}, "showIt", MODULE, "")
    digest = base64.b64encode(hashlib.sha256(parts(html)[1].encode()).digest()).decode()
    assert script_hashes(html) == [f"'sha256-{digest}'"]


@pytest.mark.skipif(not is_built("report.js"), reason="the front end was not built (pip install -e .)")
@pytest.mark.parametrize(("name", "function"), [("report", "showReport"), ("panel", "showSaved")])
def test_what_was_built_can_stand_in_a_page(name, function):
    html = interactive("", {}, function, asset(f"{name}.js"), asset(f"{name}.css"))
    assert html.count("<script") == html.count("</script>") == 2
    assert html.count("</style>") == 1
    assert not re.search(r"\bexport\s*[{*]|\bimport\s*[{*\"']", parts(html)[1])
    # Nothing is fetched.
    assert not re.search(r"https?://(?!www\.w3\.org/)|@import|url\((?!['\"]?data:)", html)
