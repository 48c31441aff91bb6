"""What the hub's answers mean, read without a server: parts of files, whole files, lists of files, and refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc import NetworkError
from gpt2calc.checkpoints import answers
from gpt2calc.checkpoints.transport import NEAR_BYTES, Answer
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "https://user:secret@hub.example/me/model/resolve/main/x?signature=secret"
FILE = bytes(range(100))


def ranged(first: int, last: int, size: int, content: bytes) -> Answer:
    """Return an answer with a part of a file."""
    return Answer(206, URL, ({"content-range": f"bytes {first}-{last}/{size}"},), content)


def test_every_part_of_a_file_is_read() -> None:
    """Law: the bytes from the offset on, as many as were asked for or as there are, and the size of the whole file."""
    for start in range(100):
        for count in (1, 2, 99, 100, 101):
            last = min(start + count, 100) - 1
            answer = ranged(start, last, 100, FILE[start : last + 1])
            assert answers.byte_range("x", answer, start, count) == (FILE[start : last + 1], 100)


WRONG = {
    "one byte before": ranged(9, 18, 100, FILE[9:19]),
    "one byte behind": ranged(11, 20, 100, FILE[11:21]),
    "one byte less": ranged(10, 18, 100, FILE[10:19]),
    "one byte more": ranged(10, 20, 100, FILE[10:21]),
    "an end before its start": ranged(10, 9, 100, b""),
    "less content than it says": ranged(10, 19, 100, FILE[10:19]),
    "more content than it says": ranged(10, 19, 100, FILE[10:21]),
    "no content": ranged(10, 19, 100, b""),
    "a file that ends before it begins": ranged(10, 19, 10, FILE[10:20]),
    "a file of no bytes": ranged(10, 19, 0, FILE[10:20]),
    "a file of unknown size": Answer(206, URL, ({"content-range": "bytes 10-19/*"},), FILE[10:20]),
    "digits of another script": Answer(206, URL, ({"content-range": "bytes ١٠-19/100"},), FILE[10:20]),
    "more digits than 64 bits have": Answer(206, URL, ({"content-range": f"bytes 10-19/{10**18}"},), FILE[10:20]),
    "two ranges": Answer(206, URL, ({"content-range": "bytes 10-19/100, bytes 20-29/100"},), FILE[10:20]),
    "no range": Answer(206, URL, ({},), FILE[10:20]),
    "another unit": Answer(206, URL, ({"content-range": "rows 10-19/100"},), FILE[10:20]),
    "compressed": Answer(206, URL, ({"content-range": "bytes 10-19/100", "content-encoding": "gzip"},), FILE[10:20]),
}


@of_each("answer", WRONG.values(), ids=WRONG)
def test_a_part_that_is_not_what_was_asked_for_is_refused(answer: Answer) -> None:
    """Bytes 10 to 19 were; the sentence names the host and nothing that signs the address."""
    with pytest.raises(NetworkError) as caught:
        answers.byte_range("me/model/x", answer, 10, 10)
    message = str(caught.value)
    assert message.startswith("me/model/x: expected ")
    assert "hub.example" in message
    assert "secret" not in message
    assert caught.value.exit_code == 4


@given(st.text(max_size=40) | st.from_regex(r"bytes \d{1,3}-\d{1,3}/\d{1,3}", fullmatch=True), st.binary(max_size=12))
def test_whatever_a_range_says_the_right_bytes_or_an_error_come_of_it(said: str, content: bytes) -> None:
    """Law: as many bytes as were asked for, or as there are from there on to the end that it tells; never others."""
    answer = Answer(206, URL, ({"content-range": said},), content)
    try:
        found = answers.byte_range("x", answer, 10, 10)
    except NetworkError:
        return
    assert found.content == content
    assert len(content) == min(10, found.size - 10) > 0
    assert said == f"bytes 10-{9 + len(content)}/{found.size}"


@pytest.mark.parametrize("start", [0, 1, NEAR_BYTES - 1, NEAR_BYTES])
def test_a_whole_file_stands_for_its_part_where_that_is_near(start: int) -> None:
    """The transport has dropped what is before the part, and read one byte more than it."""
    size = start + 12
    answer = Answer(200, URL, ({"content-length": str(size)},), FILE[:11])
    assert answers.byte_range("x", answer, start, 10) == (FILE[:10], size)
    short = Answer(200, URL, ({"content-length": str(start + 4)},), FILE[:4])
    assert answers.byte_range("x", short, start, 10) == (FILE[:4], start + 4)


def test_a_whole_file_does_not_stand_for_a_part_that_is_far() -> None:
    """One byte farther than is read."""
    answer = Answer(200, URL, ({"content-length": str(2 * NEAR_BYTES)},))
    with pytest.raises(NetworkError, match="got all 2,097,152 from the first on, which are not read that far"):
        answers.byte_range("x", answer, NEAR_BYTES + 1, 10)


@pytest.mark.parametrize("length", [None, "", "-1", "1e3", "1 000", "٣", "9" * 19])
def test_a_whole_file_of_unknown_length_does_not_stand_for_a_part(length: str | None) -> None:
    """Nothing says where it ends."""
    answer = Answer(200, URL, ({} if length is None else {"content-length": length},), FILE)
    with pytest.raises(NetworkError, match=r"^x: hub\.example does not say how many bytes the file has$"):
        answers.byte_range("x", answer, 0, 10)


@pytest.mark.parametrize(("length", "taken"), [(9, True), (10, True), (11, False)])
def test_a_whole_file_has_a_bound(length: int, taken: bool) -> None:  # noqa: FBT001 - a case
    """One byte over the most is too many."""
    answer = Answer(200, URL, ({},), FILE[:length])
    if taken:
        assert answers.whole("x", answer, 10) == FILE[:length]
        return
    with pytest.raises(NetworkError, match=r"^x: expected at most 10 bytes from hub\.example, got more$"):
        answers.whole("x", answer, 10)


def test_a_part_is_not_taken_for_the_whole() -> None:
    """A server that sends a range that nobody asked for, as a confused cache does."""
    with pytest.raises(NetworkError, match=r"^x: expected status 200 from hub\.example, got 206$"):
        answers.whole("x", ranged(0, 9, 100, FILE[:10]), 100)


def test_a_list_of_files_is_read() -> None:
    """Names, sizes where they are given as whole numbers of bytes, and the commit where there is one."""
    siblings: list[Mapping[str, Any]] = [
        {"rfilename": "a", "size": 0},
        {"rfilename": "b", "size": 2**63 - 1, "blobId": "x"},
        {"rfilename": "c", "size": 2**63},
        {"rfilename": "d", "size": -1},
        {"rfilename": "e", "size": 1.0},
        {"rfilename": "f", "size": True},
        {"rfilename": "g"},
    ]
    sizes = {"a": 0, "b": 2**63 - 1, "c": None, "d": None, "e": None, "f": None, "g": None}
    said = json.dumps({"sha": "abc", "siblings": siblings}).encode()
    assert answers.files("me/model", said) == ("abc", sizes)
    assert answers.files("me/model", b'{"siblings": []}') == (None, {})
    assert answers.files("me/model", b'{"siblings": [], "sha": 7}') == (None, {})


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(("siblings", "rfilename", "size", "sha")), inner, max_size=4)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_a_list_of_files_is_names_or_one_error_come_of_it(content: bytes) -> None:
    """Law: text to whole numbers or None, or a sentence."""
    try:
        commit, found = answers.files("me/model", content)
    except NetworkError as error:
        assert str(error) == "me/model: expected the list of its files from the hub, got something else"  # noqa: PT017 - either may happen
        return
    assert commit is None or isinstance(commit, str)
    assert all(isinstance(name, str) and (size is None or type(size) is int) for name, size in found.items())


REFUSED: list[tuple[int, dict[str, str], str]] = [
    (404, {"x-error-code": "RepoNotFound"}, "me/model: there is no such repository, or it is private"),
    (401, {"x-error-code": "RepoNotFound"}, "me/model: there is no such repository, or it is private"),
    (401, {}, "me/model: there is no such repository, or it is private"),
    (403, {"x-error-code": "GatedRepo"}, "me/model: it is gated: its conditions must be accepted on the hub"),
    (404, {"x-error-code": "RevisionNotFound"}, "me/model: the repository has no branch, tag or commit 'v1'"),
    (404, {"x-error-code": "EntryNotFound"}, "me/model/x: the repository has no such file"),
    (403, {"x-error-message": "Access to this resource is disabled."}, "me/model: the hub has disabled the repository"),
    (
        401,
        {"x-error-message": "Invalid credentials in Authorization header"},
        "me/model: the hub does not know the token that it was sent",
    ),
    (403, {}, "me/model/x: hub.example gives no access: it needs a token"),
    (404, {}, "me/model/x: expected status 200 or 206 from hub.example, got 404"),
    (
        418,
        {"x-error-message": "a\nb\x1b[31m"},
        r"me/model/x: expected status 200 or 206 from hub.example, got 418 a\nb",
    ),
    (404, {"x-error-code": "Other", "x-error-message": "z" * 500}, "me/model/x: expected status 200 or 206"),
]


@of_each("status, headers, start", REFUSED)
def test_a_refusal_names_what_is_refused_and_what_helps(status: int, headers: dict[str, str], start: str) -> None:
    """The repository, or the file alone; in one line of bounded length."""
    error = answers.refusal("me/model", "me/model/x", Answer(status, URL, (headers,)), "v1")
    assert str(error).startswith(start)
    assert str(error).isprintable()
    assert len(str(error)) < 200


def test_a_refusal_of_the_store_is_not_one_of_the_hub() -> None:
    """The hub had redirected, and so has the repository."""
    answer = Answer(401, "https://store.example/x", ({}, {"location": "https://store.example/x"}))
    error = answers.refusal("me/model", "me/model/x", answer, None)
    assert str(error).startswith("me/model/x: store.example gives no access")


def test_a_repository_has_a_bounded_number_of_files() -> None:
    """A list of names that never ends is no repository."""
    for count in (answers.MOST_FILES, answers.MOST_FILES + 1):
        content = json.dumps({"siblings": [{"rfilename": f"{place:x}"} for place in range(count)]}).encode()
        if count == answers.MOST_FILES:
            assert len(answers.files("me/model", content)[1]) == count
        else:
            with pytest.raises(NetworkError, match="expected a repository of at most 10,000 files, got 10,001"):
                answers.files("me/model", content)
