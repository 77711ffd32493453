"""A real browser for the tests of pages, where there is one."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = os.environ.get("STEPCONV_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SECONDS = 60


@contextmanager
def chromium() -> Iterator[Any]:
    """Give a running Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Opened:
    """A page that is open: what it asked for, and what went wrong in it."""

    def __init__(self, browser: Any, file: Path, **how: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **how)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda told: self.errors.append(told.text))
        self.page.goto(file.as_uri())

    def text(self, where: str) -> str:
        found: str = self.page.inner_text(where)
        return found

    def wait(self, where: str, wanted: str) -> str:
        """Wait until an element's text holds what is wanted; return all of it.

        A page's policy lets nobody evaluate text, so that Playwright cannot wait for this itself.
        """
        until = time.monotonic() + SECONDS
        while wanted not in (found := self.page.text_content(where) or ""):
            assert time.monotonic() < until, f"{where} says {found!r}, not {wanted!r}"
            self.page.wait_for_timeout(50)
        return found
