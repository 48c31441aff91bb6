"""What the tests of the page share: the page as it is built now, a browser, and a page that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import Watched, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start Chromium, once for this folder and for no longer: while it runs, no other loop of asyncio can."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def path(built: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page to disk."""
    file = tmp_path_factory.mktemp("page") / "gpt2calc.html"
    file.write_text(built, encoding="utf-8")
    return file


@pytest.fixture(scope="package")
def watched(browser: Browser, path: Path) -> Iterator[Watched]:
    """Open one window for all: a second costs as much as to open the page ten times anew."""
    found = Watched(browser, path)
    yield found
    found.close()


@pytest.fixture
def window(watched: Watched) -> Iterator[Watched]:
    """Give a window in which a test opens the page, and see at the end that nothing left it and nobody complained."""
    watched.look()
    yield watched
    assert watched.complaints == []


@pytest.fixture
def opened(window: Watched) -> Watched:
    """Open the page anew, and see at the end what `window` sees."""
    window.open()
    return window


@pytest.fixture
def loaded(window: Watched) -> Watched:
    """Give the page to a test that calls its functions, or goes to an address, and does nothing that none undoes.

    It is the one that the last such test had: opened anew only after a test that may have done more.
    """
    if not window.is_clean:
        window.open()
        window.is_clean = True
    return window


@pytest.fixture
def restored(loaded: Watched) -> Watched:
    """Give gpt2 by its address, in the page that is loaded."""
    loaded.go()
    return loaded
