"""Repositories of the Hugging Face hub, read where they lie. The only file that imports huggingface_hub.

Sessions, addresses, token, local cache and being offline are huggingface_hub's, so that its environment variables hold.
Of weights no byte is asked for but those that a reader reads, and nothing is written to the cache.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

from gpt2calc.checkpoints import answers, folders, formats
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.checkpoints.hub_file import HubFile
from gpt2calc.checkpoints.transport import PATIENCE, Patience, Transport, host, in_time
from gpt2calc.errors import ConfigError, NetworkError, UnreadableInputError, install, shortened, shown
from gpt2calc.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from gpt2calc.checkpoints.files import ByteFile
    from gpt2calc.checkpoints.shards import Allowance
    from gpt2calc.checkpoints.transport import Answer
    from gpt2calc.listing import TensorListing

    Repository: TypeAlias = "HubRepository | CachedRepository"

CONFIG = "config.json"

MOST_CONFIG_BYTES = 2**20
"""No config of a repository is longer than this many bytes; the largest known has 40 kB."""

MOST_LIST_BYTES = 4 * 2**20
"""Nor is a list of files, which has some 250 bytes for each."""

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
"""What git calls a commit, by SHA-1 or SHA-256."""

REVISION = re.compile(r"(?!.*(?:\.\.|//))\w[\w./+-]{0,254}")
"""A branch, a tag or a commit, and nothing that leads out of the folder in which the cache keeps them."""

AT_ONCE = 8
"""How many shards are asked for at the same time; a browser asks a host for six."""

MISSING = f"needs huggingface_hub: {install('hub')}"


def is_installed() -> bool:
    """Return whether there is a huggingface_hub to import."""
    from importlib.util import find_spec  # presets and files do without

    return find_spec("huggingface_hub") is not None


def open_repo(repo_id: str, revision: str | None = None) -> Repository:
    """Return a repository, of which nothing is asked yet.

    Args:
        repo_id: `owner/name`, or the name alone where it has no owner.
        revision: a branch, a tag, a commit, or `refs/pr/N` for a pull request; None for the main branch.

    Raises:
        ConfigError: huggingface_hub is missing, or the hub can have no such repository or revision.
        NetworkError: huggingface_hub is to stay offline, and its cache does not hold the repository; or it cannot be
            loaded, since one of its environment variables has a value that it does not take.

    Source: huggingface_hub 2.4, file_download.py and constants.py.
    """
    try:
        from huggingface_hub import constants
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.file_download import hf_hub_url  # by the short way, it prints what it then raises
    except ImportError:
        raise ConfigError(f"reading {shortened(repo_id)} from the hub {MISSING}") from None
    except Exception as error:  # noqa: BLE001 - it reads its environment when it is loaded, and raises what comes of that
        raise NetworkError(repo_id, f"huggingface_hub cannot be loaded ({shortened(str(error))})") from None
    try:
        hf_hub_url(repo_id, CONFIG)
    except HFValidationError:
        raise ConfigError(f"expected a repository such as 'openai-community/gpt2', got {shown(repo_id)}") from None
    if revision is not None and not (isinstance(revision, str) and REVISION.fullmatch(revision)):
        raise ConfigError(f"expected a branch, a tag, a commit or refs/pr/N as the revision, got {shown(revision)}")
    if constants.HF_HUB_OFFLINE:
        return CachedRepository(repo_id, _snapshot(repo_id, revision))
    return HubRepository(repo_id, revision, _transport(repo_id))


def _snapshot(repo_id: str, revision: str | None) -> str:
    """Return the folder in which huggingface_hub's cache has a revision."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        # No pattern fits any file, so that none is missed in a snapshot that is there in part.
        return os.fspath(snapshot_download(repo_id, revision=revision, local_files_only=True, allow_patterns=[]))
    except LocalEntryNotFoundError:
        what = "it" if revision is None else f"revision {shown(revision)} of it"
        raise NetworkError(repo_id, f"huggingface_hub is offline, and {what} is not in its cache") from None


def _transport(name: str) -> Transport:
    from importlib import import_module

    from huggingface_hub import __version__ as version
    from huggingface_hub import constants, get_session, get_token
    from huggingface_hub.errors import HfHubHTTPError

    def find(_: float) -> str | None:
        return None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()

    try:
        secret = in_time(find, constants.ENDPOINT, PATIENCE)
    except Exception as error:  # noqa: BLE001 - whatever stands in the way of the token: a file, a login, a server
        raise NetworkError(name, f"huggingface_hub finds no token to send ({shortened(str(error))})") from None
    # Headers that huggingface_hub 2 builds cost a request of their own, to learn which agent runs the program.
    python = ".".join(map(str, sys.version_info[:3]))
    headers = {"user-agent": f"gpt2calc/{__version__}; hf_hub/{version}; python/{python}"}
    token = {"authorization": f"Bearer {secret}"} if secret else {}
    # huggingface_hub 1 asks with httpx and 2 with httpx2. Whichever it is, its own errors come from there.
    library = import_module(HfHubHTTPError.__mro__[1].__module__)
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    return Transport(get_session, library, headers, token, constants.ENDPOINT, timeout, Patience())


class CachedRepository:
    """A repository as huggingface_hub's cache has it.

    Args:
        name: `owner/name`.
        folder: its snapshot of one commit, which is the folder's name.
    """

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self.commit = os.path.basename(folder)
        self.note = f"read from the hub's local cache, {name} at {self.commit}"
        self._folder = folder

    def files(self) -> Mapping[str, int | None]:
        """Return the name of every file that is there, with its size in bytes."""
        found = {}
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):  # a link to a blob that is gone is none
                    found[os.path.relpath(path, self._folder).replace(os.sep, "/")] = os.path.getsize(path)
        return found

    def config(self) -> bytes | None:
        """Return the content of config.json, or None where there is none.

        Raises:
            UnreadableInputError: it cannot be read, or is longer than a config can be.
        """
        return _read_document(os.path.join(self._folder, CONFIG)) if CONFIG in self.files() else None

    def open(self, name: str) -> LocalFile:
        """Return one of the files.

        Raises:
            NetworkError: it is not there.
            UnreadableInputError: it cannot be read.
        """
        if name not in self.files():
            raise NetworkError(f"{self.name}/{name}", "huggingface_hub is offline, and it is not in its cache")
        return LocalFile(os.path.join(self._folder, name))

    def listing(self, _: Callable[[int, int], None] | None = None) -> TensorListing:
        """Return what its checkpoint holds; it is there at once, and nothing is told of progress.

        Raises:
            UnreadableInputError: there is none in the cache, or it cannot be read.
        """
        return folders.open_listing(self._folder)


class HubRepository:
    """A repository that the hub is asked for, at one commit: whatever is read first says at which, for all the rest.

    Args:
        name: `owner/name`.
        revision: a branch, a tag or a commit; None for the main branch.
        transport: what asks.
    """

    def __init__(self, name: str, revision: str | None, transport: Transport) -> None:
        self.name = name
        self._revision = revision
        self._transport = transport
        self._commit = revision if revision and COMMIT.fullmatch(revision) else None
        self._files: Mapping[str, int | None] | None = None
        self._allowance: Allowance | None = None

    @property
    def commit(self) -> str:
        """The commit that is read.

        Raises:
            NetworkError: the hub did not say.
        """
        if self._commit is None:
            self.files()
        return self._commit or ""

    @property
    def note(self) -> str:
        """A sentence on what was read."""
        return f"read from the hub, {self.name} at {self.commit}"

    def files(self) -> Mapping[str, int | None]:
        """Return the name of every file with its size in bytes, None where the hub does not give that.

        Raises:
            NetworkError: the hub did not say.
        """
        if self._files is None:
            from urllib.parse import quote  # what is on disk does without

            from huggingface_hub import constants

            revision = quote(self._commit or self._revision or "main", safe="")
            url = f"{constants.ENDPOINT}/api/models/{self.name}/revision/{revision}?blobs=true"
            answer = self._transport.get(self.name, url, MOST_LIST_BYTES)
            if answer.status != 200:
                self._refuse(self.name, answer)
            commit, self._files = answers.files(self.name, answers.whole(self.name, answer, MOST_LIST_BYTES))
            self._keep(commit, answer)
        return self._files

    def config(self) -> bytes | None:
        """Return the content of config.json, or None where there is none.

        Raises:
            NetworkError: the hub did not give it.
            UnreadableInputError: it is in the cache, and cannot be read, or is longer than a config can be.
        """
        path = self._cached(CONFIG)
        if path is not None:
            return _read_document(path)
        name = f"{self.name}/{CONFIG}"
        answer = self.ask(CONFIG, MOST_CONFIG_BYTES)
        if answer.header("x-error-code") == "EntryNotFound":
            return None
        self.check(name, answer)
        return answers.whole(name, answer, MOST_CONFIG_BYTES)

    def open(self, name: str) -> LocalFile | HubFile:
        """Return one of the files, from the cache where it is there.

        Raises:
            NetworkError: the repository does not have it.
            UnreadableInputError: it is in the cache, and cannot be read.
        """
        files = self.files()
        if name not in files:
            raise NetworkError(f"{self.name}/{name}", "the repository has no such file")
        path = self._cached(name)
        return HubFile(self, name, files[name]) if path is None else LocalFile(path)

    def listing(self, progress: Callable[[int, int], None] | None = None) -> TensorListing:
        """Return what its checkpoint holds; of the files no byte is asked for but headers.

        Args:
            progress: is told how many shards have been read, and of how many.

        Raises:
            NetworkError: the hub did not give a file.
            UnreadableInputError: there is no checkpoint, or it cannot be read.
        """
        names = self.files()
        inside = [name for name in names if "/" in name]
        chosen = folders.choose(self.name, (name for name in names if "/" not in name), lambda: inside)
        is_index = folders.is_index(chosen.name)
        listing = self._sharded(chosen.name, progress) if is_index else self._listed(chosen.name)
        return listing._replace(notes=(*listing.notes, *filter(None, (chosen.note,))))

    def _sharded(self, name: str, progress: Callable[[int, int], None] | None) -> TensorListing:
        """Return what the shards of an index hold together."""
        from gpt2calc.checkpoints import shards  # most checkpoints are one file
        from gpt2calc.checkpoints.strict_json import MOST_JSON_BYTES

        with self.open(name) as file:
            if file.size > MOST_JSON_BYTES:
                problem = f"expected an index of at most {MOST_JSON_BYTES:,} bytes, got {file.size:,}"
                raise UnreadableInputError(file.name, problem)
            index = shards.parse(file.name, file.read(0, file.size))
        for shard in index.shards:
            if shard not in self.files():
                problem = f"expected the shard {shown(shard)} beside it, and the repository has none"
                raise UnreadableInputError(index.name, problem)
        self._allowance = shards.Allowance(index)
        found = shards.gather(index, self._listed, at_once=AT_ONCE, progress=progress)
        self._allowance = None
        return found

    def _listed(self, name: str) -> TensorListing:
        """Return what one file holds, or all files that gguf-split made of one."""
        if (names := folders.parts(name)) is not None:
            from gpt2calc.checkpoints import gguf  # most checkpoints are one file

            files: list[ByteFile] = []
            with ExitStack() as opened:
                for each in names:
                    part = self.open(each)
                    opened.enter_context(part)
                    files.append(part)
                return gguf.read_parts(files)
        folder = name[: name.rfind("/") + 1]
        beside = {
            each.removeprefix(folder): size
            for each, size in self.files().items()
            if size is not None and each.startswith(folder)
        }
        with self.open(name) as file:
            return formats.read(file, beside)

    def _cached(self, name: str) -> str | None:
        from huggingface_hub import try_to_load_from_cache

        found = self._commit and try_to_load_from_cache(self.name, name, revision=self._commit)
        return found if isinstance(found, str) and found else None  # it may say that there is known to be none

    def ask(self, name: str, count: int, start: int | None = None, url: str | None = None) -> Answer:
        """Ask for one of the files, or a part of it; at `url` where the last part came from."""
        from huggingface_hub import constants, hf_hub_url

        if url is None:
            revision = self._commit or self._revision
            url = hf_hub_url(self.name, name, revision=revision, endpoint=constants.ENDPOINT)
        if self._allowance is not None:
            self._allowance.take(count)
        return self._transport.get(f"{self.name}/{name}", url, count, start)

    def check(self, name: str, answer: Answer) -> None:
        """Raise where an answer of the hub is a refusal, or is of another commit than what was read before."""
        if answer.status not in {200, 206}:
            self._refuse(name, answer)
        self._keep(answer.header("x-repo-commit"), answer)

    def _keep(self, commit: str | None, answer: Answer) -> None:
        if commit is None or not COMMIT.fullmatch(commit):
            problem = f"{host(answer.url)} does not say which commit it gives, as the hub does"
            raise NetworkError(self.name, f"{problem}: is HF_ENDPOINT a hub?")
        if self._commit not in {None, commit}:
            raise NetworkError(self.name, f"expected commit {self._commit} from {host(answer.url)}, got {commit}")
        self._commit = commit

    def _refuse(self, name: str, answer: Answer) -> NoReturn:
        raise answers.refusal(self.name, name, answer, self._revision)


def _read_document(path: str) -> bytes:
    with LocalFile(path) as file:
        if file.size > MOST_CONFIG_BYTES:
            raise UnreadableInputError(path, f"expected at most {MOST_CONFIG_BYTES:,} bytes, got {file.size:,}")
        return file.read(0, file.size)
