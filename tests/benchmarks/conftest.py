"""The browser of the browser tests, for what is measured in it."""

from tests.browser.conftest import chromium, lab, lab_environment, lab_folder, lab_url  # noqa: F401 - fixtures
