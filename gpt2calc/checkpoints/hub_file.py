"""A file of a repository, read by range requests. What asks the hub is the repository, in `hub`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gpt2calc.checkpoints import answers
from gpt2calc.checkpoints.files import check_range
from gpt2calc.checkpoints.transport import origin
from gpt2calc.errors import UnreadableInputError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from gpt2calc.checkpoints.transport import Answer


class Repository(Protocol):
    """What asks the hub for a file, and knows what it may answer."""

    name: str

    def ask(self, name: str, count: int, start: int | None = None, url: str | None = None) -> Answer:
        """Ask for a part of a file; at `url` where the last part came from."""

    def check(self, name: str, answer: Answer) -> None:
        """Raise where an answer is a refusal, or is of another commit."""


class HubFile:
    """A file of a repository, read by range requests: one for each read.

    The hub redirects to where the bytes lie, and that address is used for the next read too, as long as it holds.

    Args:
        repository: the repository.
        name: the file's name in it.
        size: how many bytes it has; None where the hub did not say.
    """

    def __init__(self, repository: Repository, name: str, size: int | None) -> None:
        self.name = f"{repository.name}/{name}"
        self._repository = repository
        self._name = name
        self._url: str | None = None
        self._marks: dict[object, str] = {}
        self._beginning = b""
        self.size = self._ask(0, 1).size if size is None else size

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        check_range(self, offset, count)
        if not count:
            return b""
        if offset + count <= len(self._beginning):
            return self._beginning[offset : offset + count]
        found = self._ask(offset, count)
        if found.size != self.size:
            raise UnreadableInputError(self.name, f"expected a file of {self.size:,} bytes, got one of {found.size:,}")
        if not offset:
            self._beginning = found.content  # what a format is recognised by is read again by its reader
        return found.content

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close nothing, as a file on disk would: connections are huggingface_hub's."""

    def _ask(self, offset: int, count: int) -> answers.ByteRange:
        answer = None
        if self._url is not None:
            answer = self._repository.ask(self._name, count, offset, self._url)
        if answer is None or answer.status not in {200, 206}:  # the address held for a time, or for one range
            answer = self._repository.ask(self._name, count, offset)
            self._repository.check(self.name, answer)
            self._url = answer.url
        found = answers.byte_range(self.name, answer, offset, count)
        self._compare(answer)
        return found

    def _compare(self, answer: Answer) -> None:
        """Raise where an answer is not of the file that the one before was of."""
        marks = {"x-linked-etag": answer.header("x-linked-etag"), origin(answer.url): answer.headers[0].get("etag")}
        for mark, value in marks.items():
            if value is not None:
                plain = value.removeprefix("W/")
                if self._marks.setdefault(mark, plain) != plain:
                    raise UnreadableInputError(self.name, "it changed while it was read")
