"""Whatever a server does, there is an end: the right answer or a sentence, after a number of requests that is known.

Each fault is planted in one place of `hub_server`: the list of files (`api`), the hub's answer on a file (`resolve`), a
small file that it redirects to within itself (`small`), or the store of large files.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, NamedTuple

import pytest
from huggingface_hub import constants

from gpt2calc import Gpt2calcError, NetworkError
from gpt2calc.checkpoints import hub, transport
from tests.hub_server import COMMIT, HubServer, Reply, Repo, refused, serving, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Program

CONFIG = b'{"model_type": "gpt2"}'
WEIGHTS = bytes(range(256)) * 8192
NAME = "model.safetensors"
TRIES = 1 + len(transport.WAITS)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """Give the hub."""
    files = {"config.json": CONFIG, NAME: WEIGHTS}
    with serving({"me/model": Repo(files, frozenset((NAME,)))}, monkeypatch, tmp_path / "home") as found:
        yield found


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note the seconds that would be waited between tries."""
    found: list[float] = []
    monkeypatch.setattr(transport, "sleep", found.append)
    return found


def read() -> bytes:
    """Read twice from the weights: their first eight bytes, and some in their middle."""
    file = hub.open_repo("me/model").open(NAME)
    return file.read(0, 8) + file.read(5000, 12)


READ = WEIGHTS[:8] + WEIGHTS[5000:5012]


def set_to(**changes: object) -> Callable[[Reply], None]:
    """Change attributes of an answer, and headers, whose names have underscores; None takes a header away."""

    def change(reply: Reply) -> None:
        for name, value in changes.items():
            if hasattr(reply, name):
                setattr(reply, name, value)
            else:
                reply.headers[name.replace("_", "-")] = "" if value is None else str(value)

    return change


def another(status: int, code: str = "", message: str = "", **headers: str) -> Callable[[Reply], Reply]:
    """Answer with a refusal."""
    return lambda _: refused(status, code, message, **headers)


def from_the_start(reply: Reply) -> None:
    """Send the whole file, as a server does that knows no ranges."""
    reply.status, reply.start, reply.count = 200, 0, None
    del reply.headers["Content-Range"]


def longer(reply: Reply) -> None:
    """Send more bytes than the content-range says, and be open about their number."""
    reply.count = (reply.count or 0) + 5


def shorter(reply: Reply) -> None:
    """Send fewer bytes than the content-range says, and be open about their number."""
    reply.count = (reply.count or 0) - 5


class Fault(NamedTuple):
    """What a place answers, the sentence that comes of it, and how many requests reach the place.

    `{at}` in the sentence stands for the host that answers, and `{hub}` for the hub's.
    """

    place: str
    change: Callable[[Reply], Reply | None]
    problem: str
    requests: int = 1
    name: str = f"me/model/{NAME}"


TOKEN = "a token that may read it, in HF_TOKEN or by `hf auth login`"
NO_REPOSITORY = f"there is no such repository, or it is private and needs {TOKEN}"
RANGE = "expected bytes 0 to 7 from {at}"
LIST = "expected the list of its files from the hub, got something else"

FAULTS: dict[str, Fault] = {
    "no such repository": Fault("api", another(401, "RepoNotFound"), NO_REPOSITORY, name="me/model"),
    "no such repository, with a token": Fault("api", another(404, "RepoNotFound"), NO_REPOSITORY, name="me/model"),
    "not allowed, without a word": Fault("api", another(401), NO_REPOSITORY, name="me/model"),
    "conditions": Fault(
        "resolve",
        another(403, "GatedRepo", "Access is restricted"),
        f"it is gated: its conditions must be accepted on the hub, and it needs {TOKEN}",
        name="me/model",
    ),
    "a token that is none": Fault(
        "api",
        another(401, "", "Invalid credentials in Authorization header"),
        "the hub does not know the token that it was sent",
        name="me/model",
    ),
    "disabled": Fault(
        "api",
        another(403, "", "Access to this resource is disabled."),
        "the hub has disabled the repository",
        1,
        "me/model",
    ),
    "forbidden": Fault("resolve", another(403), f"{{at}} gives no access: it needs {TOKEN}"),
    "an address that the store does not take": Fault(
        "store", another(401), f"{{at}} gives no access: it needs {TOKEN}"
    ),
    "no such revision": Fault(
        "api", another(404, "RevisionNotFound"), "the repository has no branch, tag or commit 'main'", name="me/model"
    ),
    "a file that is gone": Fault("resolve", another(404, "EntryNotFound"), "the repository has no such file"),
    "not found, without a word": Fault(
        "api", another(404), "expected status 200 or 206 from {at}, got 404", name="me/model"
    ),
    "a status of another kind": Fault(
        "store", another(418, "", "I\tam a teapot"), "expected status 200 or 206 from {at}, got 418 I\\tam a teapot"
    ),
    "nothing, with success": Fault("store", another(204), "expected status 200 or 206 from {at}, got 204"),
    "a range that cannot be": Fault("store", another(416), "expected status 200 or 206 from {at}, got 416"),
    "too many requests": Fault(
        "api", another(429), "{at} answers with status 429, 4 times in a row", TRIES, "me/model"
    ),
    "an hour's wait": Fault(
        "resolve", another(429, Retry_After="3600"), "{at} answers with status 429 and asks to wait 3,600 seconds"
    ),
    "a limit for a minute": Fault(
        "resolve", another(429, ratelimit='"api";r=0;t=55'), "{at} answers with status 429 and asks to wait 55 seconds"
    ),
    "broken": Fault("resolve", another(500), "{at} answers with status 500, 4 times in a row", TRIES),
    "overloaded": Fault("store", another(503), "{at} answers with status 503, 4 times in a row", TRIES),
    "cut before the answer": Fault("api", set_to(sending="cut before"), "no answer from {at} (", TRIES, "me/model"),
    "cut in its head": Fault("store", set_to(sending="cut in the head"), "no answer from {at} (", TRIES),
    "cut in its body": Fault("store", set_to(sending="cut"), "no answer from {at} (", TRIES),
    "cut in a redirect": Fault("resolve", set_to(sending="cut"), "no answer from {at} (", TRIES),
    "cut in the list": Fault("api", set_to(sending="cut"), "no answer from {at} (", TRIES, "me/model"),
    "shorter than its range": Fault("store", shorter, "expected 8 bytes from {at}, got 3"),
    "longer than its range": Fault("store", longer, "expected 8 bytes from {at}, got more"),
    "another range": Fault(
        "store", set_to(Content_Range="bytes 1-8/2097152"), RANGE + ", got a content-range of 'bytes 1-8"
    ),
    "a range of another unit": Fault(
        "store", set_to(Content_Range="items 0-7/9"), RANGE + ", got a content-range of 'items"
    ),
    "no range": Fault("store", set_to(Content_Range=None), RANGE + ", got a content-range of ''"),
    "a range of unknown size": Fault(
        "store", set_to(Content_Range="bytes 0-7/*"), RANGE + ", got a content-range of 'bytes"
    ),
    "a shorter range": Fault(
        "store", set_to(Content_Range="bytes 0-6/2097152"), RANGE + ", got a content-range of 'bytes 0-6"
    ),
    "a range that ends behind the file": Fault(
        "store", set_to(Content_Range="bytes 0-7/7"), RANGE + ", got a content-range"
    ),
    "numbers without end": Fault(
        "store", set_to(Content_Range=f"bytes 0-7/{'9' * 5000}"), RANGE + ", got a content-range of"
    ),
    "another size": Fault(
        "store", set_to(Content_Range="bytes 0-7/99"), "expected a file of 2,097,152 bytes, got one of 99"
    ),
    "compressed": Fault(
        "store", set_to(Content_Encoding="gzip"), "expected plain bytes from {at}, got them encoded as 'gzip'"
    ),
    "a list that is compressed": Fault("api", set_to(Content_Encoding="br"), "expected plain bytes", name="me/model"),
    "redirects in a circle": Fault(
        "resolve", set_to(Location="/me/model/resolve/main/model.safetensors"), "{at} redirects more than 5 times", 6
    ),
    "redirects to a file": Fault(
        "resolve",
        set_to(Location="file:///etc/passwd"),
        "{at} redirects to an address of 'file', which is not followed",
    ),
    "redirects to no address": Fault(
        "resolve", set_to(Location="http://[::1"), "{at} redirects to something that is no address"
    ),
    "redirects to no port": Fault(
        "resolve", set_to(Location="http://127.0.0.1:99999/"), "{at} redirects to something that is no address"
    ),
    "redirects to no host": Fault(
        "resolve", set_to(Location="http:///x"), "expected status 200 or 206 from {at}, got 404"
    ),
    "redirects without an address": Fault(
        "resolve", set_to(Location=None), "expected status 200 or 206 from {at}, got 302"
    ),
    "no commit": Fault(
        "resolve",
        set_to(X_Repo_Commit=None),
        "{store} does not say which commit it gives, as the hub does: is HF_ENDPOINT a hub?",
        name="me/model",
    ),
    "a commit that is none": Fault(
        "resolve", set_to(X_Repo_Commit="../../x"), "{store} does not say which commit it gives", name="me/model"
    ),
    "another commit": Fault(
        "resolve",
        set_to(X_Repo_Commit="f" * 40),
        f"expected commit {COMMIT} from {{store}}, got {'f' * 40}",
        1,
        "me/model",
    ),
    "a list that is no JSON": Fault("api", set_to(source=b"<html>"), LIST, name="me/model"),
    "a list that is no list": Fault("api", set_to(source=b"[]"), LIST, name="me/model"),
    "a list without files": Fault("api", set_to(source=b'{"sha": "x"}'), LIST, name="me/model"),
    "a list of other things": Fault("api", set_to(source=b'{"siblings": [7]}'), LIST, name="me/model"),
    "a list of numbers": Fault("api", set_to(source=b'{"siblings": [{"rfilename": 7}]}'), LIST, name="me/model"),
    "a list that is nested deeply": Fault("api", set_to(source=b"[" * 10**6), LIST, name="me/model"),
    "a list in other letters": Fault("api", set_to(source=b"\xff\xfe{"), LIST, name="me/model"),
    "a list without a commit": Fault(
        "api", set_to(source=b'{"siblings": []}'), "{at} does not say which commit it gives", name="me/model"
    ),
    "a list without an end": Fault(
        "api",
        set_to(source=b" " * (2**22 + 1)),
        "expected at most 4,194,304 bytes from {at}, got more",
        name="me/model",
    ),
}
"""What a server can do wrong, each answered the same however often it is asked."""


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_ends_in_a_sentence(fault: Fault, server: HubServer, waits: list[float]) -> None:
    """The sentence names the file and what answered, the exit code is that of the network, and requests are counted."""
    server.change(fault.place, fault.change)
    with pytest.raises(Gpt2calcError) as caught:
        read()
    hosts = {"store": server.store.removeprefix("http://"), "hub": server.url.removeprefix("http://")}
    problem = fault.problem.format(at=hosts["store" if fault.place == "store" else "hub"], **hosts)
    assert str(caught.value).startswith(f"{fault.name}: {problem}")
    assert caught.value.exit_code == (3 if "expected a file of" in problem else 4)
    assert len(server.asked(fault.place)) == fault.requests
    assert sum(waits) <= transport.MOST_WAIT_SECONDS


TIMES = {
    "once": 1,
    "as often as it is asked again": TRIES - 1,
}
PASSING: dict[str, Callable[[Reply], Reply | None]] = {
    "broken": another(500),
    "overloaded": another(503),
    "a bad gateway": another(502),
    "too slow a gateway": another(504),
    "a timeout of its own": another(408),
    "too many requests": another(429),
    "cut before": set_to(sending="cut before"),
    "cut in the head": set_to(sending="cut in the head"),
    "cut in the body": set_to(sending="cut"),
}


@pytest.mark.parametrize("place", ["api", "resolve", "store"])
@pytest.mark.parametrize("change", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_what_passes_is_waited_for(
    place: str, change: Callable[[Reply], Reply | None], times: int, server: HubServer, waits: list[float]
) -> None:
    """The right bytes come in the end, with one request more for each time, and longer waits."""
    usual = {"api": 1, "resolve": 1, "store": 2}[place]
    server.change(place, change, times)
    assert read() == READ
    assert len(server.asked(place)) == usual + times
    assert waits == list(transport.WAITS[:times])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "2"}, [2, 2]),
        ({"Retry_After": "0"}, [0, 0]),
        ({"Retry_After": "4"}, None),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, [0.5, 1.0]),
        ({"Retry_After": "-1"}, [0.5, 1.0]),
        ({"ratelimit": '"resolvers";r=0;t=1'}, [1, 1]),
        ({"ratelimit": '"resolvers";r=7;t=300'}, [0.5, 1.0]),
        ({"Retry_After": "1", "ratelimit": '"api";r=0;t=300'}, [1, 1]),
    ],
    ids=str,
)
def test_a_server_is_given_the_time_that_it_asks_for(
    headers: dict[str, str], expected: list[float] | None, server: HubServer, waits: list[float]
) -> None:
    """Up to a sum of six seconds; what is no number of seconds, or no limit that was reached, is passed over."""
    server.change("resolve", another(429, **headers), 2)
    if expected is None:
        with pytest.raises(NetworkError, match="asks to wait 4 seconds, 2 times in a row"):
            read()
        assert waits == [4]
        return
    assert read() == READ
    assert waits == expected


def test_a_server_that_knows_no_ranges_is_read_no_further_than_needed(server: HubServer) -> None:
    """What is in front is dropped, and of four megabytes little more than what was asked for is taken."""
    content = WEIGHTS * 2
    server.repos["me/model"].files = {NAME: content}
    server.change("store", from_the_start)
    assert read() == READ
    file = hub.open_repo("me/model").open(NAME)
    assert file.read(transport.NEAR_BYTES, 3) == content[transport.NEAR_BYTES : transport.NEAR_BYTES + 3]
    with pytest.raises(NetworkError) as caught:
        file.read(transport.NEAR_BYTES + 1, 3)
    asked = f"expected bytes 1,048,577 to 1,048,579 from {server.store.removeprefix('http://')}"
    assert caught.value.problem == f"{asked}, got all 4,194,304 from the first on, which are not read that far"


def test_a_server_that_knows_no_ranges_and_gives_no_size_is_refused(server: HubServer) -> None:
    """Nothing then says that it is the file that was listed."""
    server.change("store", from_the_start)
    server.change("store", set_to(Content_Length=None))
    with pytest.raises(NetworkError, match="does not say how many bytes the file has"):
        read()


@pytest.mark.parametrize(
    "change", [set_to(ETag='"b"'), set_to(ETag='W/"b"')], ids=["another mark", "another weak mark"]
)
def test_a_file_that_changes_between_two_reads_is_noticed(
    change: Callable[[Reply], Reply | None], server: HubServer
) -> None:
    """By the mark that the store gives it."""
    file = hub.open_repo("me/model").open(NAME)
    file.read(0, 8)
    server.change("store", change)
    with pytest.raises(Gpt2calcError) as caught:
        file.read(8, 8)
    assert (str(caught.value), caught.value.exit_code) == (f"me/model/{NAME}: it changed while it was read", 3)


def test_a_file_whose_mark_on_the_hub_changes_is_noticed(server: HubServer) -> None:
    """The hub is asked again where the address in the store no longer holds, and then names another content."""
    file = hub.open_repo("me/model").open(NAME)
    file.read(0, 8)
    server.change("store", another(403), 1)
    server.change("resolve", set_to(X_Linked_ETag='"b"'))
    with pytest.raises(Gpt2calcError, match="it changed while it was read"):
        file.read(8, 8)


def test_a_mark_may_be_weak_or_missing(server: HubServer) -> None:
    """A weak mark is the same as a strong one here, and a store that gives none gives no reason to doubt."""
    file = hub.open_repo("me/model").open(NAME)
    file.read(0, 8)
    server.change("store", lambda reply: set_to(ETag="W/" + reply.headers["ETag"])(reply), 1)
    assert file.read(8, 8) == WEIGHTS[8:16]
    server.change("store", set_to(ETag=None))
    assert file.read(8, 8) == WEIGHTS[8:16]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_address_in_the_store_that_no_longer_holds_is_asked_for_again(status: int, server: HubServer) -> None:
    """Signed addresses hold for a time; the hub gives another, and the file goes on."""
    file = hub.open_repo("me/model").open(NAME)
    assert file.read(0, 8) == WEIGHTS[:8]
    server.change("store", another(status), 1)
    assert file.read(8, 8) == WEIGHTS[8:16]
    assert [asked.place for asked in server.asked()] == ["api", "resolve", "store", "store", "resolve", "store"]


def test_a_store_that_refuses_what_the_hub_has_just_signed_is_not_asked_for_ever(server: HubServer) -> None:
    """The second refusal is the last."""
    file = hub.open_repo("me/model").open(NAME)
    file.read(0, 8)
    server.change("store", another(403))
    with pytest.raises(NetworkError, match="gives no access"):
        file.read(8, 8)
    assert len(server.asked("store")) == 3


@pytest.mark.parametrize("place", ["api", "resolve", "store"])
def test_a_server_that_does_not_answer_is_given_up(
    place: str, server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the timeout that huggingface_hub has, in as many tries as there are."""
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    server.change(place, set_to(sending="nothing"))
    with pytest.raises(NetworkError, match=r"no answer from 127\.0\.0\.1:\d+ \(.*timed out.*\), 4 times in a row"):
        read()
    assert len(server.asked(place)) == TRIES


@pytest.mark.parametrize("sending", ["head in drops", "body in drops"])
def test_a_server_that_sends_drops_is_given_up(
    sending: str, server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, and all of them do not; it is not asked again."""
    monkeypatch.setattr(transport, "PATIENCE", 0.2)
    server.change("store", set_to(sending=sending))
    file = hub.open_repo("me/model").open(NAME)
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:\d+ (took more than 0 seconds|sends too slowly)"):
        file.read(0, 200)
    assert len(server.asked("store")) == 1


def test_time_is_allowed_for_many_bytes(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long header over a slow line is no fault."""
    monkeypatch.setattr(transport, "PATIENCE", 0.05)
    monkeypatch.setattr(transport, "SLOWEST", 1)
    server.change("store", set_to(sending="body in drops"))
    assert hub.open_repo("me/model").open(NAME).read(0, 8) == WEIGHTS[:8]


def test_nobody_there_is_said(server: HubServer, monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(
            NetworkError, match=r"^me/model: no answer from 127\.0\.0\.1:\d+ \(.*refused.*4 times in a row"
        ):
            hub.open_repo("me/model").files()
    assert waits == list(transport.WAITS)
    assert server.asked() == []


@pytest.mark.parametrize("address", ["ftp://example.org", "hub", "http://", "http://[", "http://a:b", "http://a\0b"])
def test_an_endpoint_that_is_no_address_is_said(
    address: str, server: HubServer, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    """HF_ENDPOINT is what somebody typed; it is not tried again."""
    monkeypatch.setattr(constants, "ENDPOINT", address)
    with pytest.raises(NetworkError, match=r"^me/model: .* cannot be asked \("):
        hub.open_repo("me/model").files()
    assert (waits, server.asked()) == ([], [])


def test_a_password_in_the_endpoint_is_not_shown(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name a host and no more, whatever its address holds."""
    monkeypatch.setattr(constants, "ENDPOINT", server.url.replace("//", "//me:secret@"))
    server.change("api", another(500))
    with pytest.raises(NetworkError) as caught:
        read()
    assert "secret" not in str(caught.value)


def test_an_encrypted_connection_is_not_left() -> None:
    """A redirect from https to http is not followed."""
    for url, location in (("https://a/x", "http://a/x"), ("https://a/x", "HTTP://b/x")):
        with pytest.raises(
            transport.FailedError, match=r"^a redirects to an address of 'http', which is not followed$"
        ):
            transport._redirected(url, location)
    assert transport._redirected("http://a/x", "https://b/y?z") == "https://b/y?z"
    assert transport._redirected("http://a/x/y", "../z") == "http://a/z"
    assert transport._redirected("https://a/x", "//b/y") == "https://b/y"


def test_the_command_line_gives_the_code_of_the_network(server: HubServer, tmp_path: Path, program: Program) -> None:
    """A program of its own, whose waits are real: one sentence, no traceback, and code 4."""
    server.change("resolve", another(503, Retry_After="60"))
    ran = program("count", "me/model", env=surroundings(server, tmp_path))
    at = server.url.removeprefix("http://")
    assert (ran.returncode, ran.stdout) == (4, b"")
    assert ran.stderr.decode() == (
        "gpt2calc count: me/model: there is no such file or folder, and no model that ships has this name; on the hub: "
        f"{at} answers with status 503 and asks to wait 60 seconds\n"
    )
    server.change("resolve", another(503), 0)


def test_the_faults_are_planted_where_something_is_asked(server: HubServer) -> None:
    """A test of the tests: without a fault the same calls read the right bytes, by these requests."""
    assert read() == READ
    assert [asked.place for asked in server.asked()] == ["api", "resolve", "store", "store"]
    assert hub.open_repo("me/model").config() == CONFIG
    assert json.loads(CONFIG) == {"model_type": "gpt2"}


def test_all_requests_together_have_an_end(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is only a little too slow each time is asked no more when that adds up."""
    monkeypatch.setattr(transport, "PATIENCE_OF_ALL", 0.0)
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:\d+ took 0 seconds longer than its bytes need$"):
        read()
    assert server.asked() == []


def test_the_time_that_bytes_take_is_not_counted() -> None:
    """A long header over a slow line takes nothing off, and a wait does."""
    patience = transport.Patience()
    patience.take(2.0, 2 * transport.SLOWEST)
    assert patience.left == transport.PATIENCE_OF_ALL
    patience.take(3.0, 2 * transport.SLOWEST)
    assert patience.left == transport.PATIENCE_OF_ALL - 1


SECRET = "hf_0123456789abcdefSECRET"
NAMED = json.dumps({"sha": COMMIT, "siblings": [{"rfilename": f"{SECRET}.h5"}]}).encode()


def listed_and_read() -> None:
    """Ask for all that a hub can answer."""
    repository = hub.open_repo("me/model")
    if NAME not in repository.files():
        repository.listing()
    repository.open(NAME).read(0, 8)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("api", another(418, "", f"no Bearer {SECRET}")),
        ("api", another(418, "", "x" * 30 + SECRET)),
        ("resolve", another(401, "", SECRET)),
        ("resolve", set_to(Location=f"http://{SECRET}.invalid/file")),
        ("resolve", set_to(Location=f"{SECRET}://file")),
        ("resolve", set_to(ETag=None, Content_Encoding=SECRET, status=200)),
        ("api", set_to(X_Repo_Commit=SECRET, source=b'{"siblings": []}')),
        (
            "api",
            set_to(
                source=b'{"sha": "' + COMMIT.encode() + b'", "siblings": [{"rfilename": "%b.h5"}]}' % SECRET.encode()
            ),
        ),
    ],
)
def test_a_token_that_is_sent_back_is_shown_nowhere(
    place: str, change: Callable[[Reply], Reply | None], server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages are pasted into issues, and half a token is too much of it."""
    monkeypatch.setenv("HF_TOKEN", SECRET)
    server.change(place, change)
    with pytest.raises(Gpt2calcError) as caught:
        listed_and_read()
    assert not any(SECRET[start : start + 6].lower() in str(caught.value).lower() for start in range(len(SECRET) - 5))
    assert server.asked()[0].headers["authorization"] == f"Bearer {SECRET}"


def test_nobody_is_told_which_agent_runs_the_program(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """huggingface_hub 2 asks its hub for a list of them first, unless its telemetry is switched off."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    assert read() == READ
    assert {asked.path.split("/")[1] for asked in server.log} == {"api", "me"}
    assert not [asked.path for asked in server.log if "agent" in asked.path]
