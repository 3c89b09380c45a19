"""A .mindir file in the file browser: recognized at sight, opened without fetching or touching its content."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from tests.browser.lab import DARK, LIGHT

CONTENT = os.urandom(78_964)


@pytest.fixture
def item(lab):
    """Give the file's line in the file browser."""
    (lab.folder / "lenet.mindir").write_bytes(CONTENT)
    lab.command("filebrowser:refresh")
    item = lab.page.locator(".jp-DirListing-item", has_text="lenet.mindir")
    expect(item).to_be_visible()
    return item


def test_it_has_its_icon(lab, item):
    expect(item.locator('svg[data-icon="gsjupyter:mindir"]')).to_be_visible()
    for theme in (LIGHT, DARK):
        lab.set_theme(theme)
        lab.screenshot(f"mindir-icon-{theme.split()[-1].lower()}", item)


def test_a_double_click_describes_it_and_fetches_nothing_of_it(lab, item):
    requests = []
    lab.page.on("request", lambda request: requests.append(request.url))
    item.dblclick()
    view = lab.page.locator(".gs-Mindir")
    expect(view).to_contain_text("79 kB")
    expect(view).to_contain_text('gs.load("lenet.mindir")')
    lab.screenshot("mindir-view")
    file_requests = [url for url in requests if "/api/contents/lenet.mindir?" in url]
    assert file_requests
    assert [url for url in file_requests if "content=0" not in url] == []


def test_saving_says_that_it_is_read_only_and_leaves_it_as_it_is(lab, item):
    item.dblclick()
    expect(lab.page.locator(".gs-Mindir")).to_be_visible()
    lab.page.keyboard.press("Control+s")
    expect(lab.page.locator(".Toastify__toast")).to_contain_text("read-only")
    expect(lab.page.locator(".jp-Dialog")).to_have_count(0)
    assert (lab.folder / "lenet.mindir").read_bytes() == CONTENT
