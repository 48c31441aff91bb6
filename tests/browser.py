"""Headless Chromium for the tests of the page: found, started, and watched for whatever leaves the page."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = os.environ.get("GPT2CALC_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
"""Where Chromium is, if anywhere."""

IS_REQUIRED = os.environ.get("GPT2CALC_BROWSER") == "required"
"""Whether a machine without Chromium fails these tests. Elsewhere it skips them."""

ARGUMENTS = (
    *("--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium, and stop it at the end; skip where there is none."""
    if CHROMIUM is None:
        said = "there is no chromium on the path, and $GPT2CALC_CHROMIUM names none"
        pytest.fail(said) if IS_REQUIRED else pytest.skip(said)
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Watched:
    """A page that is open, with all that it said and asked for.

    Args:
        browser: where it is opened.
        path: the file.
        settings: of its context: the size of the window, the theme.
    """

    def __init__(self, browser: Browser, path: Path, **settings: Any) -> None:
        self.address = path.absolute().as_uri()
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        self.context.set_offline(offline=True)  # a file is read all the same
        self.asked: list[str] = []
        self.said: list[str] = []
        self.times_opened = 0
        self.page: Page = self.context.new_page()
        self.page.add_init_script(WATCH)
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(f"{error}"))
        self.page.set_default_timeout(15_000)

    def _request(self, request: Request) -> None:
        """Note whatever is asked for beside the page itself."""
        if re.split("[?#]", request.url)[0] != self.address and not request.url.startswith("blob:"):
            self.asked.append(request.url)

    def _failed(self, request: Request) -> None:
        """Leave out what the page's policy refused, which left nothing; `violations` has it."""
        if request.failure == "csp":
            self.asked.remove(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        self.said.append(f"{message.type}: {message.text}")

    def open(self, fragment: str = "") -> Page:
        """Go to the page with a fragment, as if for the first time, with nothing said or asked for yet.

        Each time by another address of the same file: by the same one, another fragment would load nothing.
        """
        self.said.clear()
        self.asked.clear()
        self.times_opened += 1
        self.page.goto(f"{self.address}?{self.times_opened}{fragment}")
        self.started()
        return self.page

    def started(self) -> None:
        """Wait until the page has unpacked its tables, and listens; not where its script does not run."""
        self.page.evaluate("typeof started === 'undefined' ? null : started")

    @property
    def complaints(self) -> list[str]:
        """What the console said, what was asked for beside the page, and what its policy refused."""
        return [*self.said, *self.asked, *self.page.evaluate("window.violations")]

    def text(self, selector: str) -> str:
        """Return what an element says."""
        return (self.page.text_content(selector) or "").strip()

    def until(self, expression: str) -> None:
        """Wait until an expression is true; Playwright's own waiting needs what the page's policy forbids."""
        for _ in range(200):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"it never came to be: {expression}")

    def close(self) -> None:
        """Close the page and its context."""
        self.context.close()
