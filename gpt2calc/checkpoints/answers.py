"""What the hub's answers mean: a part of a file, a whole file, a list of files, or a refusal. Pure: it asks nobody.

Sources: RFC 9110, section 14, for ranges; huggingface_hub 2.4, utils/_http.py, `hf_raise_for_status`, for refusals, and
hf_api.py, `ModelInfo` and `RepoSibling`, for the list of files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints.transport import NEAR_BYTES, host
from gpt2calc.errors import NetworkError, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.checkpoints.transport import Answer

WITH_TOKEN = "a token that may read it, in HF_TOKEN or by `hf auth login`"  # noqa: S105 - advice, and no token
REFUSALS = {
    "RepoNotFound": f"there is no such repository, or it is private and needs {WITH_TOKEN}",
    "GatedRepo": f"it is gated: its conditions must be accepted on the hub, and it needs {WITH_TOKEN}",
    "EntryNotFound": "the repository has no such file",
    "Access to this resource is disabled.": "the hub has disabled the repository",
    "Invalid credentials in Authorization header": "the hub does not know the token that it was sent",
}
"""What the hub means by an x-error-code, or by an x-error-message where there is no code."""

MOST_FILES = 10_000
"""How many files a repository has at most, of whatever kind."""


class ByteRange(NamedTuple):
    """Bytes of a file, and how many the whole file has."""

    content: bytes
    size: int


def byte_range(name: str, answer: Answer, start: int, count: int) -> ByteRange:
    """Return the bytes that a range request asked for.

    Args:
        name: what errors call the file.
        answer: an answer with status 206, or 200 from a server that gives no ranges.
        start: the offset of the first byte.
        count: how many bytes were asked for; a file that ends before has fewer.

    Raises:
        NetworkError: it is another range, or has more or fewer bytes than it says.
    """
    _refuse_encoded(name, answer)
    server, content = host(answer.url), answer.content
    asked = f"expected bytes {start:,} to {start + count - 1:,} from {server}"
    if answer.status == 200:
        size = _content_length(name, answer)
        if start > NEAR_BYTES:
            raise NetworkError(name, f"{asked}, got all {size:,} from the first on, which are not read that far")
        expected = max(0, min(count, size - start))
        content = content[:expected]
    else:
        said = answer.headers[0].get("content-range", "")
        found = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", said, re.ASCII)
        first, last, size = map(int, found.groups()) if found else (-1, -1, -1)
        if first != start or last != min(start + count, size) - 1:
            raise NetworkError(name, f"{asked}, got a content-range of {shown(said)}")
        expected = last - first + 1
    if len(content) != expected:
        got = f"{len(content):,}" if len(content) < expected else "more"
        raise NetworkError(name, f"expected {expected:,} bytes from {server}, got {got}")
    return ByteRange(content, size)


def whole(name: str, answer: Answer, most: int) -> bytes:
    """Return the content of a file that was asked for whole.

    Args:
        name: what errors call the file.
        answer: an answer with status 200, or another in which all was to be.
        most: how many bytes it may have.

    Raises:
        NetworkError: it has more, or is a part.
    """
    if answer.status != 200:
        raise NetworkError(name, f"expected status 200 from {host(answer.url)}, got {answer.status}")
    _refuse_encoded(name, answer)
    if len(answer.content) > most:
        raise NetworkError(name, f"expected at most {most:,} bytes from {host(answer.url)}, got more")
    return answer.content


def files(name: str, content: bytes) -> tuple[str | None, Mapping[str, int | None]]:
    """Return the commit and the files of a repository, as the hub lists them in JSON.

    Args:
        name: what errors call the repository.
        content: the JSON.

    Returns:
        The commit, and each file's name with its size in bytes; None where they are not given.

    Raises:
        NetworkError: it is no such list.
    """
    import json  # files on disk do without

    try:
        document = json.loads(content)
        commit, siblings = document.get("sha"), document["siblings"]
        found = {file["rfilename"]: _size(file) for file in siblings}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        found, commit = {0: None}, None
    if not all(isinstance(file, str) for file in found):
        raise NetworkError(name, "expected the list of its files from the hub, got something else")
    if len(found) > MOST_FILES:
        raise NetworkError(name, f"expected a repository of at most {MOST_FILES:,} files, got {len(found):,}")
    return commit if isinstance(commit, str) else None, found


def _size(file: Mapping[str, object]) -> int | None:
    size = file.get("size")
    return size if type(size) is int and 0 <= size < 2**63 else None


def refusal(repository: str, name: str, answer: Answer, revision: str | None) -> NetworkError:
    """Return what the hub means by a status that is no success, in words and with what helps.

    Args:
        repository: what errors call the repository; most refusals are of all of it.
        name: what errors call the file.
        answer: the answer.
        revision: the branch, tag or commit that was asked for.

    >>> from gpt2calc.checkpoints.transport import Answer
    >>> answer = Answer(404, "", ({"x-error-code": "RevisionNotFound"},))
    >>> print(refusal("me/model", "me/model/config.json", answer, "v2"))
    me/model: the repository has no branch, tag or commit 'v2'
    """
    code, message = answer.header("x-error-code") or "", answer.header("x-error-message") or ""
    if code == "RevisionNotFound":
        problem = f"the repository has no branch, tag or commit {shown(revision or 'main')}"
        return NetworkError(repository, problem)
    known = REFUSALS.get(code) or REFUSALS.get(message)
    if known is None and answer.status == 401 and len(answer.headers) == 1:  # a 401 of the store is no word of the hub
        known = REFUSALS["RepoNotFound"]
    if known is not None:
        return NetworkError(name if code == "EntryNotFound" else repository, known)
    if answer.status in {401, 403}:
        return NetworkError(name, f"{host(answer.url)} gives no access: it needs {WITH_TOKEN}")
    got = f"{answer.status} {shortened(message)}".rstrip()
    return NetworkError(name, f"expected status 200 or 206 from {host(answer.url)}, got {got}")


def _refuse_encoded(name: str, answer: Answer) -> None:
    """Raise where the bytes were compressed on the way: they would not lie where the file has them."""
    encoding = answer.headers[0].get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise NetworkError(name, f"expected plain bytes from {host(answer.url)}, got them encoded as {shown(encoding)}")


def _content_length(name: str, answer: Answer) -> int:
    said = answer.headers[0].get("content-length", "")
    if not re.fullmatch(r"\d{1,18}", said, re.ASCII):
        raise NetworkError(name, f"{host(answer.url)} does not say how many bytes the file has")
    return int(said)
