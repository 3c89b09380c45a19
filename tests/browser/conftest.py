"""One JupyterLab server and one Chromium for the browser tests of a process, with settings of their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.lab import LIGHT, Lab

HERE = Path(__file__).parent
START_TIMEOUT_S = 60
# Nothing is fetched, asked or announced while a test looks at the page.
SETTINGS = {"apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}


def pytest_collection_modifyitems(items):
    """Mark what is here."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium():
    """Give a browser, no longer than needed: while it runs, nothing else in the process can start an event loop."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        message = "no Chromium on the PATH. On Debian: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    # A container has no user namespaces for the sandbox, little /dev/shm and no GPU.
    args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=args)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory):
    """Give the folder that JupyterLab shows."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab_environment(tmp_path_factory):
    """Give an environment in which Jupyter neither reads nor writes the settings of whoever runs the tests."""
    home = tmp_path_factory.mktemp("jupyter")
    for name, content in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
    return {
        **os.environ,
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }


@pytest.fixture(scope="session")
def lab_url(lab_folder, lab_environment, tmp_path_factory):
    """Run a server for the session. Open to whoever can reach this machine's loopback: for tests only."""
    port = _free_port()
    log_path = tmp_path_factory.mktemp("log") / "lab.log"
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
    ]
    with log_path.open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=lab_folder,
            env=lab_environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_it_answers(url, server, log_path)
            yield url
        finally:
            # The server ends its kernels on the way out.
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture
def lab(chromium, lab_url, lab_folder):
    """Give a new tab with JupyterLab in its light theme, and nothing open in it."""
    screenshots = HERE / "screenshots"
    screenshots.mkdir(exist_ok=True)
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=2)
    page = context.new_page()
    page.goto(f"{lab_url}/lab?reset")
    page.wait_for_function("() => window.jupyterapp?.restored")
    page.evaluate("async () => { await window.jupyterapp.restored; }")
    lab = Lab(page, lab_folder, screenshots)
    lab.set_theme(LIGHT)
    yield lab
    # A notebook of the same name in the next test gets a kernel of its own.
    page.evaluate("async () => { await window.jupyterapp.serviceManager.sessions.shutdownAll(); }")
    context.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(url, server, log_path):
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/api", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log_path.read_text()}")
