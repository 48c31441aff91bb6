"""Check the links of a built site: `python docs/links.py build/site` names each that leads nowhere, and exits with 1.

Every address is looked up in the folder: the file must be there, and where the address names a part of a page, an
element with that id. Other sites are not asked for theirs; what a browser would fetch from one is named.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ATTRIBUTES = ("href", "src", "srcset")
FETCHED = ("img", "link", "script", "source")
"""Tags whose address a browser asks for by itself; of a link, unless it only names the page's own address."""


class Page(HTMLParser):
    """A page: the addresses in it, and the ids that an address may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag has."""
        for name, value in attrs:
            if name in ATTRIBUTES and value:
                self.addresses.append(value.split()[0])  # what follows in a srcset is a width
                if tag in FETCHED and ("rel", "canonical") not in attrs:
                    self.fetched.append(self.addresses[-1])
            elif name == "id" and value:
                self.ids.add(value)


def dead(folder: Path) -> Iterator[str]:
    """Yield each address that leads nowhere, with the page that it stands in."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        for address in dict.fromkeys(page.addresses):
            parts = urlsplit(address)
            if parts.netloc and address in page.fetched:
                yield f"{path.relative_to(folder)}: {address} would be fetched from another site"
            if parts.scheme or parts.netloc or path.name == "404.html":  # whose links are of wherever it is shown
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{path.relative_to(folder)}: {address} is not there"
            elif parts.fragment and target.suffix == ".html" and target != (folder / "gpt2calc.html").resolve():
                known = pages.get(folder / target.relative_to(folder.resolve()))
                if known is None or unquote(parts.fragment) not in known.ids:
                    yield f"{path.relative_to(folder)}: {address} names no part of that page"


def main(words: Sequence[str]) -> int:
    """Print what leads nowhere."""
    folder = Path(words[0])
    found = list(dead(folder))
    number = len(list(folder.rglob("*.html")))
    print(*found, f"{number} pages, {len(found)} dead links", sep="\n")
    return int(bool(found) or not number)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
