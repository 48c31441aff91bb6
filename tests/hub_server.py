"""A hub on loopback: what of its interface a client needs to read models, and a store of large files on another port.

It answers as the hub does, as far as huggingface_hub's own client can tell, which `test_hub` checks. Every request is
noted with the bytes of its answer's body, and a test may change any answer before it is sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from huggingface_hub import close_session, constants

from tests.conftest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType
    from typing import Self, TypeAlias

    import pytest

    Content: TypeAlias = bytes | os.PathLike[str]

OURS = re.compile(r"HF_|HUGGING|TRANSFORMERS_|.*_proxy$", re.IGNORECASE)
"""The environment variables that huggingface_hub and its HTTP library read."""

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CHUNK = 2**16
SIGNED = "?X-Amz-Signature=0123&Expires=1700000000"


@dataclass
class Repo:
    """A repository: its files as bytes, or as paths of files; those in `large` lie in the store."""

    files: Mapping[str, Content]
    large: frozenset[str] = frozenset()
    revisions: Mapping[str, str] = field(default_factory=lambda: {"main": COMMIT})
    token: str | None = None
    gated: bool = False


@dataclass
class Reply:
    """An answer before it is sent; `source` is None where it has no body, `sending` how the body goes out."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    source: Content | None = b""
    start: int = 0
    count: int | None = None
    sending: str = "whole"

    def length(self) -> int:
        """Return how many bytes the body has."""
        return size_of(self.source or b"") - self.start if self.count is None else self.count

    def chunks(self) -> Iterator[bytes]:
        """Give the body piece by piece."""
        missing = self.length()
        if isinstance(self.source, bytes):
            yield self.source[self.start : self.start + missing]
            return
        with open(self.source or os.devnull, "rb") as file:
            file.seek(self.start)
            while missing:
                yield file.read(min(CHUNK, missing))
                missing -= min(CHUNK, missing)


@dataclass
class Asked:
    """A request, noted: what it was for, and what went out."""

    place: str
    method: str
    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> str | None:
        """The bytes that were asked for."""
        return self.headers.get("range")


def size_of(content: Content) -> int:
    """Return how many bytes a file has."""
    return len(content) if isinstance(content, bytes) else os.path.getsize(content)


def sha_of(content: Content) -> str:
    """Return a file's mark; that of a path is made of its name and size, since files may have gigabytes."""
    return hashlib.sha256(
        content if isinstance(content, bytes) else f"{content}{size_of(content)}".encode()
    ).hexdigest()


def refused(status: int, code: str = "", message: str = "", **headers: str) -> Reply:
    """Return a refusal as the hub words it."""
    told = {"X-Error-Code": code, "X-Error-Message": message, **{k.replace("_", "-"): v for k, v in headers.items()}}
    body = json.dumps({"error": message}).encode()
    return Reply(status, {name: value for name, value in told.items() if value}, body)


class HubServer:
    """The hub, and the store that it redirects to; both are gone when the context ends.

    Attributes:
        url: what HF_ENDPOINT is set to.
        repos: the repositories, by id.
        renamed: old ids with the new ones.
        log: every request, in order.
    """

    def __init__(self, repos: Mapping[str, Repo]) -> None:
        self.repos = dict(repos)
        self.renamed: dict[str, str] = {}
        self.log: list[Asked] = []
        self.closing = threading.Event()
        self._changes: list[tuple[str, Callable[[Reply], Reply | None], list[int]]] = []
        self._servers = [_Server(self, "hub"), _Server(self, "store")]
        self.url, self.store = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)

    def change(self, place: str, change: Callable[[Reply], Reply | None], times: int = 10**9) -> None:
        """Change the next answers of `api`, `resolve`, `small` or `store`; `change` may return another in its place."""
        self._changes.append((place, change, [times]))

    def asked(self, *places: str) -> list[Asked]:
        """Return the requests to these places, or all but what huggingface_hub asks for itself."""
        return [asked for asked in self.log if asked.place in (places or ("api", "resolve", "small", "store"))]

    def changed(self, place: str, reply: Reply) -> Reply:
        """Return an answer as the test wants it."""
        for at, change, left in self._changes:
            if at == place and left[0]:
                left[0] -= 1
                reply = change(reply) or reply
        return reply

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def answer(self, place: str, path: str, token: str | None, wanted: str | None) -> tuple[str, Reply]:
        """Return the place that a path is of, and the answer."""
        path, _, query = path.partition("?")
        if found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", path):  # a slash in a revision is written as %2F
            repo, revision, name = map(unquote, found.groups())
            return "resolve", self._resolved(repo, revision, name, token)
        path = unquote(path)
        if place == "store":
            repo, _, name = path[1:].partition("/-/")
            return "store", self._file(self.repos[repo].files[name], wanted)
        if found := re.fullmatch(r"/api/models/(.+?)(?:/(revision|tree)/(.+))?", path):
            return "api", self._listed(found[1], found[2] or "", found[3] or "main", token, blobs="blobs=" in query)
        if found := re.fullmatch(r"/api/resolve-cache/models/(.+?)/([0-9a-f]{40})/(.+)", path):
            reply = self._file(self.repos[found[1]].files[found[3]], wanted)
            reply.headers["X-Repo-Commit"] = found[2]
            return "small", reply
        return "other", refused(404)

    def _refused(self, repo_id: str, revision: str, token: str | None) -> Reply | None:
        """Return why a repository is not shown, or None where it is."""
        repo = self.repos.get(repo_id)
        if repo is None or (repo.token is not None and not repo.gated and token != repo.token):
            return refused(401 if token is None else 404, "RepoNotFound", "Repository not found")
        if repo.gated and token != repo.token:
            message = f"Access to model {repo_id} is restricted."
            return refused(401 if token is None else 403, "GatedRepo", message)
        if revision not in repo.revisions and revision not in repo.revisions.values():
            return refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return None

    def _listed(self, repo_id: str, kind: str, revision: str, token: str | None, *, blobs: bool) -> Reply:
        if repo_id in self.renamed:
            return Reply(307, {"Location": f"/api/models/{self.renamed[repo_id]}/revision/{revision}"})
        refusal = self._refused(repo_id, revision, token)
        if refusal is not None:
            return refusal
        repo = self.repos[repo_id]
        siblings: list[dict[str, Any]] = [{"rfilename": name} for name in repo.files]
        if blobs:
            for each in siblings:
                each["size"] = size_of(repo.files[each["rfilename"]])
                each["blobId"] = sha_of(repo.files[each["rfilename"]])[:40]
        document: object = {
            "id": repo_id,
            "sha": repo.revisions.get(revision, revision),
            "siblings": siblings,
            "tags": ["gpt2"],
        }
        if kind == "tree":
            document = [
                {"type": "file", "path": name, "size": size_of(content), "oid": sha_of(content)[:40]}
                for name, content in repo.files.items()
            ]
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(document).encode())

    def _resolved(self, repo_id: str, revision: str, name: str, token: str | None) -> Reply:
        if repo_id in self.renamed:
            return Reply(307, {"Location": f"/{self.renamed[repo_id]}/resolve/{revision}/{name}"})
        refusal = self._refused(repo_id, revision, token)
        if refusal is not None:
            return refusal
        repo = self.repos[repo_id]
        commit = repo.revisions.get(revision, revision)
        if name not in repo.files:
            return refused(404, "EntryNotFound", "Entry not found", X_Repo_Commit=commit)
        content = repo.files[name]
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-Size": str(size_of(content)),
            "X-Linked-ETag": f'"{sha_of(content)}"',
            "Accept-Ranges": "bytes",
            "ETag": f'"{sha_of(content)[:40]}"',
        }
        if name in repo.large:
            location = f"{self.store}/{repo_id}/-/{name}{SIGNED}"
            return Reply(302, {**headers, "Location": location}, f"Found. Redirecting to {location}".encode())
        location = f"/api/resolve-cache/models/{repo_id}/{commit}/{name}"
        return Reply(307, {**headers, "Location": location}, f"Temporary Redirect. Redirecting to {location}".encode())

    def _file(self, content: Content, wanted: str | None) -> Reply:
        size = size_of(content)
        headers = {"ETag": f'"{sha_of(content)[:32]}"', "Accept-Ranges": "bytes"}
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
        if found is None:
            return Reply(200, headers, content)
        first, last = int(found[1]), min(int(found[2]), size - 1)
        if first > last:
            return Reply(416, {**headers, "Content-Range": f"bytes */{size}"})
        return Reply(
            206, {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}, content, first, last - first + 1
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: HubServer, place: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self.place = place

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over clients that have seen enough."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Write nothing: the log is the server's."""

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._answer()

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def _answer(self) -> None:
        hub = self.server.hub
        headers = {name.lower(): value for name, value in self.headers.items()}
        token = headers.get("authorization", "").removeprefix("Bearer ") or None
        place, reply = hub.answer(self.server.place, self.path, token, headers.get("range"))
        reply = hub.changed(place, reply)
        asked = Asked(place, self.command, urlsplit(self.path).path, headers, reply.status)
        hub.log.append(asked)
        self._send(reply, asked)

    def _send(self, reply: Reply, asked: Asked) -> None:
        if reply.sending == "nothing":
            self.server.hub.closing.wait()
        if reply.sending in {"nothing", "cut before"}:
            self.close_connection = True
            return
        head = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('Status',))[0]}"]
        told = {"Content-Length": str(reply.length()), **reply.headers}
        head += [f"{name}: {value}" for name, value in told.items() if value]
        start = "\r\n".join([*head, "", ""]).encode("latin-1")
        if reply.sending == "cut in the head":
            start, self.close_connection = start[: len(start) // 2], True
            reply = Reply(reply.status, source=None)
        self._write(start, slowly=reply.sending == "head in drops")
        if self.command == "HEAD" or reply.source is None:
            return
        for chunk in reply.chunks():
            cut = chunk[: len(chunk) // 2] if reply.sending == "cut" else chunk
            asked.sent += len(cut)  # before they go out: who has them may look at the log
            self._write(cut, slowly=reply.sending == "body in drops")
            if len(cut) < len(chunk):
                self.close_connection = True
                return

    def _write(self, content: bytes, *, slowly: bool) -> None:
        if not slowly:
            self.wfile.write(content)
            return
        for byte in content:
            if self.server.hub.closing.wait(0.05):
                return
            self.wfile.write(bytes((byte,)))


def surroundings(server: HubServer, home: os.PathLike[str], **more: str) -> dict[str, str]:
    """Return the environment of a program that is to ask this server, and has no cache and no token but those given."""
    others = {name: value for name, value in environment().items() if not OURS.match(name)}
    ours = {"HF_ENDPOINT": server.url, "HF_HOME": os.fspath(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {**others, **ours, **more}


@contextmanager
def serving(repos: Mapping[str, Repo], patch: pytest.MonkeyPatch, home: os.PathLike[str]) -> Iterator[HubServer]:
    """Run a server, and let huggingface_hub ask it from this process, where it reads its environment only once.

    Nothing here is encrypted, so that no client needs to read all certificates of the machine.
    """
    patch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
    for name in filter(OURS.match, list(os.environ)):
        patch.delenv(name)
    with HubServer(repos) as server:
        there = {
            "ENDPOINT": server.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": os.path.join(home, "hub"),
            "HF_TOKEN_PATH": os.path.join(home, "token"),
            "HF_HUB_DISABLE_TELEMETRY": True,
            "HF_HUB_OFFLINE": False,
        }
        for name, value in there.items():
            patch.setattr(constants, name, value)
        close_session()  # a client keeps the proxies that it found when it was made
        yield server
        close_session()
