"""Headless Chromium for the tests of the page: found, started, and watched for whatever leaves the page."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

    Theme = Literal["light", "dark"]

CHROMIUM = os.environ.get("GPT2CALC_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
"""Where Chromium is, if anywhere."""

IS_REQUIRED = os.environ.get("GPT2CALC_BROWSER") == "required"
"""Whether a machine without Chromium fails these tests. Elsewhere it skips them."""

ARGUMENTS = (
    *("--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Most scripts run once: to optimise them costs more than it saves.
    "--js-flags=--no-opt --single-threaded-gc",
    # Of two such lists the last counts: what of Playwright's matters here, and pages of the address bar, unseen, which
    # cost as much to start as the window.
    "--disable-features=AimEnabled,PaintHolding,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
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
    """A window with a page, and all that this said and asked for.

    Args:
        browser: where it is opened.
        path: the file.

    Attributes:
        is_clean: whether nothing was done to the page that an address does not undo; for who opens it to say.
    """

    def __init__(self, browser: Browser, path: Path) -> None:
        self.path = path
        self.address = ""
        self.context = browser.new_context()
        self.context.set_offline(offline=True)  # a file is read all the same
        self.asked: list[str] = []
        self.said: list[str] = []
        self.times_opened = 0
        self.is_clean = False
        self.seen: tuple[object, ...] = ()
        self.page: Page = self.context.new_page()
        self.page.add_init_script(WATCH)
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(f"{error}"))
        self.page.set_default_timeout(15_000)
        self.look()

    def look(self, width: int = 1280, height: int = 900, theme: Theme = "light", *, is_still: bool = False) -> None:
        """Look at the page in a window of a size, in a theme of the system's, with or without its reduced motion."""
        if self.seen == (seen := (width, height, theme, is_still)):
            return
        self.seen = seen
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=theme, reduced_motion="reduce" if is_still else "no-preference")

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

    def open(self, fragment: str = "", path: Path | None = None) -> Page:
        """Go to the page with a fragment, as if for the first time, with nothing said or asked for yet.

        Each time by another address of the same file: by the same one, another fragment would load nothing.

        Args:
            fragment: with its #.
            path: another file than this window's.
        """
        self.is_clean = False
        self.address = (path or self.path).absolute().as_uri()
        self.said.clear()
        self.asked.clear()
        self.times_opened += 1
        self.page.goto(f"{self.address}?{self.times_opened}{fragment}")
        self.started()
        return self.page

    def go(self, fragment: str = "#model=gpt2") -> Page:
        """Type another fragment into the address of the page that is open, which loads nothing anew.

        What was pasted or given is taken away.
        """
        script = """(fragment) => new Promise((then) => {
          document.activeElement.blur(); // what was typed is taken now, and not later
          rest();
          byId("paste").value = byId("file").value = "";
          byId("against").checked = false;
          byId("verified").replaceChildren();
          sayOfConfig(null);
          byId("band").hidden = true;
          const before = location.href;
          addEventListener("hashchange", then, {once: true});
          location.hash = fragment;
          if (location.href === before) then(restoreFromAddress());
        }).then(() => null)"""
        self.page.evaluate(script, fragment)
        return self.page

    @contextmanager
    def before(self, script: str) -> Iterator[None]:
        """Run a script before the page's own, whenever the page is opened, while this lasts."""
        session = self.context.new_cdp_session(self.page)
        session.send("Page.enable")
        added = session.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        yield
        session.send("Page.removeScriptToEvaluateOnNewDocument", added)
        session.detach()

    def started(self) -> None:
        """Wait until the page has unpacked its tables, and listens; not where its script does not run."""
        self.page.evaluate("typeof started === 'undefined' ? null : started")

    def drawn(self) -> None:
        """Wait until the page has drawn all that depends on its state; not where its script does not run."""
        self.until("typeof isDue === 'undefined' || !isDue")

    @property
    def complaints(self) -> list[str]:
        """What the console said, what was asked for beside the page, and what its policy refused."""
        return [*self.said, *self.asked, *self.page.evaluate("window.violations")]

    def text(self, selector: str) -> str:
        """Return what an element says, once all is drawn."""
        self.drawn()
        return (self.page.text_content(selector) or "").strip()

    def until(self, expression: str) -> None:
        """Wait until an expression is true; Playwright's own waiting needs what the page's policy forbids."""
        asked = f"""async () => {{
          for (let n = 0; n < 600; n++) {{
            if ({expression}) return true;
            await new Promise((then) => setTimeout(then, 25));
          }}
          return false;
        }}"""
        assert self.page.evaluate(asked), f"it never came to be: {expression}"

    def close(self) -> None:
        """Close the page and its context."""
        self.context.close()
