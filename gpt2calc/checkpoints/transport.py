"""A GET over HTTP that ends: bounded in bytes, in time, in redirects and in tries.

It must not know the hub: whose sessions, headers and token these are, and what a refusal means there, is `hub`'s.
"""

from __future__ import annotations

import re
import time
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from gpt2calc.errors import NetworkError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

WAITS = (0.5, 1.0, 2.0)
"""Seconds before each further try of a request that failed in passing."""

MOST_WAIT_SECONDS = 6.0
"""Seconds that one request may wait between its tries, however long the server asks it to."""

PATIENCE = 30.0
"""Seconds that a try may take besides the time that its bytes take."""

PATIENCE_OF_ALL = 120.0
"""Seconds that all requests of a repository may take together, besides that."""

SLOWEST = 2**16
"""Bytes a second: who sends them more slowly than this is not waited for."""

MOST_REDIRECTS = 5

SHORTEST_SECRET = 8
"""A token that is shorter is none of a hub, and occurs in what does not come from it."""

NEAR_BYTES = 2**20
"""How many bytes before the wanted ones are read and dropped, where a server sends a file from its start."""

DRAINED = 2**16
"""How much of a body that nobody reads is taken off the connection, so that it can be used again."""

IN_PASSING = frozenset((408, 429, 500, 502, 503, 504))
"""Statuses that say nothing about the file; the same that huggingface_hub tries again after."""

REDIRECTS = frozenset((301, 302, 303, 307, 308))

sleep = time.sleep  # tests note the seconds instead


class Answer(NamedTuple):
    """What came back: the status, where from, and as many bytes as were asked for.

    `headers` are those of every answer on the way, the last first, with names in lower case.
    """

    status: int
    url: str
    headers: tuple[Mapping[str, str], ...]
    content: bytes = b""

    def header(self, *names: str) -> str | None:
        """Return the first of these headers that any answer on the way has."""
        return next((headers[name] for name in names for headers in self.headers if name in headers), None)


class FailedError(Exception):
    """A try that came to nothing; `again` says whether the next may fare better, `wait` when the server wants it."""

    def __init__(self, problem: str, *, again: bool = False, wait: int | None = None) -> None:
        super().__init__(problem)
        self.again = again
        self.wait = wait


class Patience:
    """How many seconds all requests together may still take besides the time that their bytes take."""

    def __init__(self) -> None:
        self.left = PATIENCE_OF_ALL
        self._lock = Lock()

    def take(self, seconds: float, count: int) -> None:
        """Take off what a request took, and not what its bytes may take."""
        with self._lock:  # files are asked for at the same time
            self.left -= max(0.0, seconds - count / SLOWEST)


class Transport(NamedTuple):
    """Who asks, and what is sent along.

    Args:
        session: returns an httpx client; a call, since huggingface_hub opens a new one after some errors.
        library: the library that the client is from, for its exceptions.
        headers: what every request sends.
        token: the header that only `home` is sent; {} for none.
        home: an address of the server that the token is for.
        timeout: seconds to wait for each piece of an answer.
        patience: what is left of the time for all requests.
    """

    session: Callable[[], Any]
    library: Any
    headers: Mapping[str, str]
    token: Mapping[str, str]
    home: str
    timeout: float
    patience: Patience

    def get(self, name: str, url: str, count: int, start: int | None = None) -> Answer:
        """Ask for a file, or for `count` bytes of it from `start` on, and again where that failed in passing.

        Args:
            name: what errors call the file.
            url: its address.
            count: how many bytes to read of it; one more is read, so that a longer file shows.
            start: the offset of the first byte; None for the whole file.

        Returns:
            The answer, whatever its status, redirects and those of `IN_PASSING` apart.

        Raises:
            NetworkError: no answer came in as many tries as there are, or it leads nowhere.
        """
        waited, tries = 0.0, 0
        while True:
            tries += 1
            if self.patience.left <= 0:
                problem = f"{host(url)} took {PATIENCE_OF_ALL:,.0f} seconds longer than its bytes need"
                raise NetworkError(name, problem)
            began, answer = time.monotonic(), None
            try:
                # The time for its bytes comes on top: a slow line is waited for, and a server that says nothing is not.
                seconds = min(PATIENCE, self.patience.left) + count / SLOWEST
                answer = in_time(lambda ends: self._follow(url, count, start, ends), url, seconds)
            except FailedError as error:
                failed = error
            # After a failure too, or a server that fails slowly could be asked for every file of a repository.
            self.patience.take(time.monotonic() - began, len(answer.content) if answer else 0)
            if answer:
                return answer
            if not failed.again or tries > len(WAITS):
                break
            wait = WAITS[tries - 1] if failed.wait is None else failed.wait
            if waited + wait > MOST_WAIT_SECONDS:
                break
            sleep(wait)
            waited += wait
        raise NetworkError(name, f"{failed}, {tries} times in a row" if tries > 1 else str(failed))

    def _follow(self, url: str, count: int, start: int | None, ends: float) -> Answer:
        """Ask, and follow redirects; a hand of our own, since the client's reads their bodies whatever their length."""
        passed: tuple[Mapping[str, str], ...] = ()
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._tell(url, count, start, ends)
            passed = (*answer.headers, *passed)
            location = answer.headers[0].get("location")
            if answer.status in IN_PASSING:
                wait = seconds_to_wait(answer.headers[0])
                asks = "" if wait is None else f" and asks to wait {wait:,} seconds"
                raise FailedError(f"{host(url)} answers with status {answer.status}{asks}", again=True, wait=wait)
            if answer.status not in REDIRECTS or location is None:
                return answer._replace(headers=passed)
            url = _redirected(url, location)
        raise FailedError(f"{host(url)} redirects more than {MOST_REDIRECTS} times")

    def _tell(self, url: str, count: int, start: int | None, ends: float) -> Answer:
        """Ask once, and tell what went wrong."""
        it = self.library
        try:
            return self._ask(url, count, start, ends)
        except (it.TimeoutException, it.NetworkError, it.RemoteProtocolError) as error:
            raise FailedError(f"no answer from {host(url)} ({_said(error)})", again=True) from None
        except (it.HTTPError, it.InvalidURL, OSError, ValueError) as error:
            raise FailedError(f"{host(url)} cannot be asked ({_said(error)})") from None

    def _ask(self, url: str, count: int, start: int | None, ends: float) -> Answer:
        """Send one request, and read no more of the answer than is needed."""
        # Compressed on the way, the bytes of a range would not be those of the file.
        headers = {**self.headers, "accept-encoding": "identity"}
        # A redirect leads to stores, which are signed for by their address, or to anybody: none of them gets the token.
        if origin(url) == origin(self.home):
            headers |= self.token
        if start is not None:
            headers["range"] = f"bytes={start}-{start + count - 1}"
        asked = self.session().stream("GET", url, headers=headers, timeout=self.timeout, follow_redirects=False)
        with asked as response:
            status, body = int(response.status_code), b""
            # Status 200 means that the range was passed over, and that the file comes from its start.
            skip = start if start and status == 200 else 0
            if status not in {200, 206}:
                _read(response, DRAINED, ends)
            elif skip <= NEAR_BYTES:
                body = _read(response, skip + count + 1, ends)[skip:]
            found = {name.lower(): value for name, value in response.headers.items()}
        return self._without_token(Answer(status, url, (found,), body))

    def _without_token(self, answer: Answer) -> Answer:
        """Write over the token where the server sends it back, so that no message shows it; bytes keep their places."""
        headers, content = answer.headers[0], answer.content
        for secret in (value.rpartition(" ")[2] for value in self.token.values()):
            if len(secret) >= SHORTEST_SECRET:
                stars = "*" * len(secret)
                headers = {name: value.replace(secret, stars) for name, value in headers.items()}
                content = content.replace(secret.encode(), stars.encode())
        return answer._replace(headers=(headers,), content=content)


def in_time(work: Callable[[float], T], url: str, seconds: float) -> T:
    """Do what asks a server, in a thread that is left behind when the time is up.

    The timeouts of a socket are not enough: a server that sends a byte now and then keeps them from running out.

    Args:
        work: is given the time at which it should end, by `time.monotonic`.
        url: the server's address.
        seconds: how long it may take.

    Raises:
        FailedError: it took longer.
    """
    ends = time.monotonic() + seconds
    outcome: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(ends))
        except BaseException as error:  # noqa: BLE001 - raised below, where somebody waits for it
            raised.append(error)

    # A daemon, so that the program can end while a socket still hangs.
    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not outcome:
        raise FailedError(f"{host(url)} took more than {seconds:,.0f} seconds")
    return outcome[0]


def _read(response: Any, most: int, ends: float) -> bytes:
    """Return the first bytes of a body; what is longer is not read to its end."""
    parts, missing = [], most
    for part in response.iter_raw():
        parts.append(part[:missing])
        missing -= len(parts[-1])
        # `in_time` has gone on without this thread: here it learns that nobody waits, and lets go of its connection.
        if time.monotonic() > ends:
            raise FailedError(f"{host(str(response.url))} sends too slowly")
        if not missing:
            break
    return b"".join(parts)


def _redirected(url: str, location: str) -> str:
    """Return the address that a redirect leads to, where it may lead there."""
    from urllib.parse import urljoin  # files on disk do without

    try:
        target = urljoin(url, location)
        scheme = origin(target)[0]
    except ValueError:
        raise FailedError(f"{host(url)} redirects to something that is no address") from None
    # From https to http, anybody on the way could read and change what comes.
    if scheme not in {"http", "https"} or (scheme == "http" and origin(url)[0] == "https"):
        raise FailedError(f"{host(url)} redirects to an address of {shortened(scheme)!r}, which is not followed")
    return target


def _said(error: Exception) -> str:
    return shortened(str(error) or type(error).__name__)


def seconds_to_wait(headers: Mapping[str, str]) -> int | None:
    """Return how long a server asks to wait: by retry-after in seconds, or by ratelimit as the hub sends it.

    A date in retry-after is passed over, since clocks differ.

    >>> seconds_to_wait({"ratelimit": '"api";r=0;t=55'})
    55
    """
    after = re.fullmatch(r"\s*(\d{1,9})\s*", headers.get("retry-after", ""), re.ASCII)
    limit = re.search(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,9})\b", headers.get("ratelimit", ""), re.ASCII)
    found = after or limit
    return int(found[1]) if found else None


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return what a token is for: scheme, host and port.

    Raises:
        ValueError: the port is none.

    >>> origin("https://Example.org/a") == origin("https://example.org:443/b")
    True
    """
    from urllib.parse import urlsplit  # files on disk do without

    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def host(url: str) -> str:
    """Return as much of an address as a message may show: no password, and nothing that signs it.

    >>> host("https://name:secret@example.org:8443/file?signature=abc")
    'example.org:8443'
    """
    from urllib.parse import urlsplit  # files on disk do without

    try:
        found = urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        found = ""
    return shortened(found) or "an address without a host"
