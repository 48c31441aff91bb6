"""Checkpoints are verified where they lie on the hub: right, for little more than their headers, and never by guessing.

The hub is `hub_server`, on loopback, and the models of real size are sparse files.
"""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from huggingface_hub import constants, snapshot_download

import gpt2calc
from gpt2calc import NetworkError, UnreadableInputError
from gpt2calc.checkpoints import formats, hub, shards, transport
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.sources import LEFT_OUT
from gpt2calc.verification import targets
from tests import quantized
from tests.hub_server import COMMIT, HubServer, Reply, Repo, refused, serving, surroundings
from tests.makers import gguf, llmc, safetensors, tensorflow, torch_files
from tests.makers import shards as sharded
from tests.test_transport import TRIES, from_the_start, set_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Program, Run

NAME, CONFIG_NAME = "model.safetensors", "config.json"
TINY = {"n_layer": 1, "n_embd": 2, "n_head": 1, "n_positions": 2, "vocab_size": 3}
TINY_TOTAL = 12 * 2**2 + 13 * 2 + 2 * (3 + 2 + 2)
TENSORS = safetensors.released(1, 2, n_positions=2, vocab_size=3)
PARTS = sharded.split(TENSORS, 3)
REAL: dict[str, Any] = {"n_positions": 1024, "vocab_size": 50257}
XL = {"n_layer": 48, "n_embd": 1600, "n_head": 25, **REAL}
XL_TOTAL, XL_MASKS = 1_557_611_200, 48 * 1024**2


def config(**fields: object) -> bytes:
    """Return a config.json."""
    return json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **fields}).encode()


def repositories() -> dict[str, Repo]:
    """Return what the hub holds: a model in one file and in shards, a broken one, and one that no reader knows."""
    own = {CONFIG_NAME: config(**TINY)}
    in_shards = {shard: safetensors.content(part) for shard, part in PARTS.items()}
    whole = safetensors.content(TENSORS)
    fewer = safetensors.content([tensor for tensor in TENSORS if tensor[0] != "h.0.mlp.c_fc.bias"])
    return {
        "me/whole": Repo({**own, NAME: whole, "old/model.safetensors": b"x"}, frozenset((NAME,))),
        "me/shards": Repo({**own, sharded.INDEX: sharded.index(PARTS), **in_shards}, frozenset(in_shards)),
        "me/fewer": Repo({**own, NAME: fewer}, frozenset((NAME,))),
        "me/cut": Repo({**own, NAME: whole[:200]}, frozenset((NAME,))),
        "me/keras": Repo({**own, "tf_model.h5": b"\x89HDF\r\n\x1a\n"}),
        "me/nothing": Repo({**own, "README.md": b"# Nothing"}),
        "me/alone": Repo({NAME: whole}, frozenset((NAME,))),
        "gpt2": Repo({**own, NAME: whole}, frozenset((NAME,))),
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """Give the hub, and stand in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with serving(repositories(), monkeypatch, tmp_path / "home") as found:
        yield found


@pytest.mark.parametrize("name", ["me/whole", "me/shards"])
def test_a_repository_matches_its_config(name: str, server: HubServer) -> None:
    """In one file or in several; a note says which commit was read."""
    found = gpt2calc.verify(name)
    assert (found.faults, found.matches, found.total) == ((), True, TINY_TOTAL)
    assert f"read from the hub, {name} at {COMMIT}" in found.notes
    assert found.to_dict()["format"] == "safetensors"
    repo = server.repos[name]
    files = [content for file, content in repo.files.items() if file not in {CONFIG_NAME, "old/model.safetensors"}]
    assert found.to_dict()["bytes"] == sum(len(content) for content in files if isinstance(content, bytes))


@pytest.mark.usefixtures("server")
def test_a_tensor_that_is_missing_is_named() -> None:
    """As it is in a file on disk."""
    found = gpt2calc.verify("me/fewer")
    assert [(fault.kind, fault.tensor) for fault in found.faults] == [("missing", "h.0.mlp.c_fc.bias")]


@pytest.mark.usefixtures("server")
def test_a_repository_has_a_card_of_its_files_with_the_verdict(run: Run) -> None:
    """And the command in it is the one that shows the same."""
    ran = run("card", "me/whole", "--hub")
    assert ran.code == 0
    assert f"| parameters | {len(TENSORS) - 1} | {TINY_TOTAL:,} |" in ran.stdout  # one is a mask
    assert "`gpt2calc verify me/whole --hub` (gpt2calc " in ran.stdout
    assert run("verify", "me/whole", "--hub", "-q").stdout.strip() in ran.stdout
    assert run("card", "me/fewer", "--hub").code == 1


@pytest.mark.usefixtures("server")
def test_a_config_is_inferred_from_a_repository() -> None:
    """From its checkpoint alone."""
    found = gpt2calc.infer("me/alone")
    assert {name: getattr(found, name) for name in TINY} == TINY


def test_shards_are_those_of_the_commit_that_the_config_is_of(server: HubServer) -> None:
    """A branch that moves while its files are read mixes nothing."""
    repository = hub.open_repo("me/shards", "main")
    repository.config()
    server.repos["me/shards"].revisions = {"main": "f" * 40, "before": COMMIT}
    assert len(repository.listing().tensors) == len(TENSORS)
    asked = server.asked("resolve")[1:]
    assert {re.sub(r"[^/]+$", "", each.path) for each in asked} == {f"/me/shards/resolve/{COMMIT}/"}
    assert len(asked) == 1 + len(PARTS)


def test_a_server_that_knows_no_ranges_is_read_all_the_same(server: HubServer) -> None:
    """It sends each file from its start."""
    server.change("store", from_the_start)
    assert gpt2calc.verify("me/shards").matches


# At real size


class Written(NamedTuple):
    """A checkpoint of gpt2-xl in files: those of tensors, and the index that the hub keeps with its small files."""

    files: Mapping[str, Path]
    masks: int


def one_file(folder: Path) -> Written:
    """As openai-community/gpt2-xl has it."""
    safetensors.write(folder / NAME, safetensors.released(48, 1600))
    return Written({NAME: folder / NAME}, XL_MASKS)


def in_shards(folder: Path) -> Written:
    """In two shards with an index, as transformers saves at 5 GB a shard."""
    parts = sharded.split(safetensors.released(48, 1600), 2)
    sharded.write(folder, parts)
    return Written({name: folder / name for name in (*parts, sharded.INDEX)}, XL_MASKS)


def of_torch(folder: Path) -> Written:
    """As torch.save writes it."""
    torch_files.write(folder / "pytorch_model.bin", safetensors.released(48, 1600))
    return Written({"pytorch_model.bin": folder / "pytorch_model.bin"}, XL_MASKS)


def of_old_torch(folder: Path) -> Written:
    """As torch.save wrote it when GPT-2 was released."""
    torch_files.write_legacy(folder / "pytorch_model.bin", safetensors.released(48, 1600))
    return Written({"pytorch_model.bin": folder / "pytorch_model.bin"}, XL_MASKS)


def of_llamacpp(folder: Path) -> Written:
    """In float16."""
    metadata = gguf.gpt2_metadata(n_layer=48, n_embd=1600, n_head=25, file_type=1, **REAL)
    tensors = gguf.gpt2_tensors(n_layer=48, n_embd=1600, dtype="F16", **REAL)
    start = gguf.header(metadata, tensors)
    llmc.write(folder / "model.gguf", start, gguf.size(tensors, len(start)))
    return Written({"model.gguf": folder / "model.gguf"}, 0)


def of_llmc(folder: Path) -> Written:
    """With a vocabulary of 50,304 rows."""
    size = 1024 + 4 * llmc.elements(n_positions=1024, n_layer=48, n_embd=1600, padded=50304)
    start = llmc.header(n_head=25, n_layer=48, n_embd=1600, padded=50304, **REAL)
    llmc.write(folder / "gpt2.bin", start, size)
    return Written({"gpt2.bin": folder / "gpt2.bin"}, 0)


def of_openai(folder: Path) -> Written:
    """As OpenAI released it."""
    tensorflow.write(str(folder / "model.ckpt"), tensorflow.gpt2(n_layer=48, n_embd=1600, **REAL))
    names = ("model.ckpt.index", "model.ckpt.data-00000-of-00001")
    return Written({name: folder / name for name in names}, 0)


def publish(server: HubServer, written: Written) -> None:
    """Put a checkpoint on the hub, as me/xl."""
    large = frozenset(name for name in written.files if not name.endswith(".json"))
    server.repos["me/xl"] = Repo({CONFIG_NAME: config(**XL), **written.files}, large)


def header_of(path: Path) -> int:
    """Return how many bytes the header of a safetensors file has, with the 8 that say so."""
    with path.open("rb") as file:
        return 8 + int.from_bytes(file.read(8), "little")


@pytest.mark.parametrize(("write", "most_requests"), [(one_file, 2), (in_shards, 4)])
def test_of_gpt2_xl_the_headers_are_fetched_and_nothing_else(
    write: Callable[[Path], Written], most_requests: int, server: HubServer, tmp_path: Path, run: Run
) -> None:
    """Of 6.4 GB the store sends the headers to the byte; the hub sends config.json, the list of files and an index."""
    written = write(tmp_path)
    publish(server, written)
    ran = run("verify", "me/xl", "--json")
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["total"], found["elements"]) == (XL_TOTAL, XL_TOTAL + XL_MASKS)
    assert found["bytes"] == sum(path.stat().st_size for path in written.files.values()) > 6 * 10**9
    headers = sum(header_of(path) for path in written.files.values() if path.suffix == ".safetensors")
    assert sum(asked.sent for asked in server.asked("store")) == headers
    assert len(server.asked("store")) == most_requests
    documents = [len(config(**XL)), *(path.stat().st_size for path in written.files.values() if path.suffix == ".json")]
    assert sum(asked.sent for asked in server.asked("small")) == sum(documents)
    assert sum(asked.sent for asked in server.asked("api", "resolve")) <= 0.1 * headers


class Counting(LocalFile):
    """A file on disk that counts what is read of it."""

    count = 0

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        Counting.count += count
        return super().read(offset, count)


@pytest.mark.parametrize("write", [of_torch, of_old_torch, of_llamacpp, of_llmc, of_openai])
def test_of_other_formats_no_byte_is_fetched_that_is_not_read_on_disk(
    write: Callable[[Path], Written], server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is read on disk is less than a thousandth of gpt2-xl."""
    written = write(tmp_path)
    publish(server, written)
    found = gpt2calc.verify("me/xl")
    assert (found.faults, found.total) == ((), XL_TOTAL)
    assert found.to_dict()["elements"] >= XL_TOTAL + written.masks
    name = next(iter(written.files))
    sizes = {each: path.stat().st_size for each, path in written.files.items()}
    monkeypatch.setattr(Counting, "count", 0)
    with Counting(str(written.files[name])) as file:
        formats.read(file, sizes)
    fetched = sum(asked.sent for asked in server.asked("store"))
    assert 0 < fetched <= Counting.count < 0.001 * sum(sizes.values())


# What a server does wrong in the middle of it


def after_the_start(change: Callable[[Reply], Reply | None]) -> Callable[[Reply], Reply | None]:
    """Change the answers with what is not the start of a file: the rest of a header."""
    return lambda reply: change(reply) if reply.start else None


def test_a_connection_cut_in_mid_header_is_made_again(
    server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the header is asked for again, and not its start."""
    monkeypatch.setattr("gpt2calc.checkpoints.transport.sleep", lambda _: None)
    publish(server, one_file(tmp_path))
    left = [2]

    def cut(reply: Reply) -> None:
        if reply.start and left[0]:
            left[0] -= 1
            reply.sending = "cut"

    server.change("store", cut)
    assert gpt2calc.verify("me/xl").matches
    starts = [(asked.range or "").partition("-")[0] for asked in server.asked("store")]
    assert starts == ["bytes=0", *["bytes=16384"] * 3]


class Fault(NamedTuple):
    """How the rest of a header comes, how many requests are made, and how the sentence ends."""

    change: Callable[[Reply], Reply | None]
    requests: int
    ending: str
    code: int = 4


WRONG = {
    "cut for ever": Fault(after_the_start(set_to(sending="cut")), 1 + TRIES, r"no answer from .*, 4 times in a row$"),
    "another file": Fault(after_the_start(set_to(ETag='"b"')), 2, r": it changed while it was read$", code=3),
    "another range": Fault(
        after_the_start(set_to(Content_Range="bytes 0-7/8")),
        2,
        r": expected bytes 16,384 to [\d,]+ from .*, got a content-range of 'bytes 0-7/8'$",
    ),
    "compressed": Fault(after_the_start(set_to(Content_Encoding="gzip")), 2, r"got them encoded as 'gzip'$"),
    "too many requests": Fault(after_the_start(lambda _: refused(429)), 1 + TRIES, r"status 429, 4 times in a row$"),
}


@pytest.mark.parametrize("fault", WRONG.values(), ids=WRONG)
def test_a_header_whose_rest_does_not_come_is_no_header(
    fault: Fault, server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence that names the file, after a number of requests that is known."""
    monkeypatch.setattr("gpt2calc.checkpoints.transport.sleep", lambda _: None)
    publish(server, one_file(tmp_path))
    server.change("store", fault.change)
    with pytest.raises((NetworkError, UnreadableInputError), match=f"^me/xl/{NAME}: ") as caught:
        gpt2calc.verify("me/xl")
    assert re.search(fault.ending, str(caught.value))
    assert caught.value.exit_code == fault.code
    assert len(server.asked("store")) == fault.requests


# Malformed repositories


def pointing(to: str) -> bytes:
    """Return an index that names another shard for one tensor."""
    return sharded.index({**PARTS, to: [("more", "F32", (1,))]})


INDEXES: dict[str, tuple[bytes, str]] = {
    "up": (pointing("../me/whole/model.safetensors"), "expected shards in the index's own folder, got '../me/whole"),
    "to the root": (pointing("/etc/passwd"), "expected shards in the index's own folder, got '/etc/passwd'"),
    "into a folder": (pointing("old/model.safetensors"), "expected shards in the index's own folder, got 'old/model"),
    "to another host": (pointing("http://127.0.0.1:1/x"), "expected shards in the index's own folder, got 'http:"),
    "encoded": (pointing("..%2Fx"), "expected the shard '..%2Fx' beside it, and the repository has none"),
    "with a query": (pointing("x?download=1"), "expected the shard 'x?download=1' beside it, and the repository has"),
    "to itself": (pointing(sharded.INDEX), "expected shards that hold tensors, got 'model.safetensors.index.json'"),
    "to what is not there": (pointing("model-00004-of-00003.safetensors"), "expected the shard 'model-00004-of-00003"),
    "no JSON": (b"\xff", "expected"),
    "too long": (b" " * (2**20 + 1), "expected an index of at most 1,048,576 bytes for as many tensors as it names"),
}


@pytest.mark.parametrize(("content", "problem"), INDEXES.values(), ids=INDEXES)
def test_an_index_leads_to_files_of_its_repository_alone(content: bytes, problem: str, server: HubServer) -> None:
    """It is judged before any shard is asked for."""
    files = server.repos["me/shards"].files
    server.repos["me/shards"].files = {**files, sharded.INDEX: content}
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.verify("me/shards")
    assert str(caught.value).startswith(f"me/shards/{sharded.INDEX}: {problem}")
    assert server.asked("store") == []
    assert sum(asked.sent for asked in server.asked("small")) < 2**21


def test_the_headers_of_shards_have_a_bound_together(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on disk, and before a byte too many is asked for."""
    monkeypatch.setattr(shards.Index, "most_bytes", 100)
    with pytest.raises(UnreadableInputError, match="expected shards whose headers have at most 100 bytes together"):
        gpt2calc.verify("me/shards")
    assert server.asked("store") == []


REFUSED = {
    "me/cut": rf"me/cut/{NAME}: expected a header of [\d,]+ bytes, as its first 8 bytes say, got 192 bytes",
    "me/keras": r"me/keras: expected a checkpoint of .*, got tf_model\.h5, which is not supported",
    "me/nothing": r"me/nothing: expected a checkpoint of .*, got README\.md, config\.json",
}


@pytest.mark.parametrize(("name", "problem"), REFUSED.items(), ids=REFUSED)
def test_a_repository_without_a_checkpoint_is_unreadable(name: str, problem: str, server: HubServer, run: Run) -> None:
    """Code 3 and one sentence."""
    del server
    ran = run("verify", name)
    assert (ran.code, ran.stdout) == (3, "")
    assert re.fullmatch(f"gpt2calc verify: {problem}.*\n", ran.stderr)


# Who wins, and the cache


def test_a_path_wins_over_a_model_that_ships_and_that_over_a_repository(server: HubServer, tmp_path: Path) -> None:
    """For verify as for count; --hub and --revision say it outright."""
    server.repos["openai-community/gpt2"] = server.repos["gpt2"]
    shipped = targets.find("openai-community/gpt2", LEFT_OUT, {})
    assert (shipped.where, shipped.name, server.asked()) == (targets.CONFIG, "gpt2", [])
    assert gpt2calc.verify("openai-community/gpt2", hub=True).total == TINY_TOTAL
    assert gpt2calc.verify("gpt2", revision="main").total == TINY_TOTAL
    server.log.clear()
    for name in ("openai-community/gpt2", "me/whole"):
        folder = tmp_path / "here" / name
        folder.mkdir(parents=True)
        safetensors.write(folder / NAME, safetensors.released(1, 4, n_positions=2, vocab_size=3))
        assert gpt2calc.verify(name).dims.n_embd == 4
    assert server.asked() == []
    assert gpt2calc.verify("me/whole", hub=True).dims.n_embd == 2


@pytest.mark.parametrize("name", ["me/whole", "me/shards"])
def test_what_the_cache_holds_is_verified_without_the_store(
    name: str, server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Online the hub is asked for the commit and the list of files, offline for nothing; both see the same."""
    snapshot_download(name)
    server.log.clear()
    online = gpt2calc.verify(name).to_dict()
    assert server.asked("store") == []
    assert {asked.path.rpartition("/")[2] for asked in server.asked("resolve")} == {CONFIG_NAME}
    server.log.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    offline = gpt2calc.verify(name).to_dict()
    assert server.log == []
    notes: tuple[list[str], list[str]] = (online.pop("notes"), offline.pop("notes"))
    assert notes[1] == [note.replace("the hub,", "the hub's local cache,") for note in notes[0]]
    assert offline == online


def test_offline_a_shard_that_the_cache_lacks_is_said(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot may be there in part."""
    snapshot_download("me/shards", ignore_patterns="*00002-of*")
    server.log.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UnreadableInputError, match=r"expected the shard 'model-00002-of-00003\.safetensors' beside it"):
        gpt2calc.verify("me/shards")
    assert server.log == []


# As a program of its own


class Case(NamedTuple):
    """What is typed, the code, and what is printed: on standard output where the code is 0 or 1, else as an error."""

    words: str
    code: int
    said: str
    settings: Mapping[str, str] = {}


TOTAL = f"{TINY_TOTAL}"
NO_MODEL = "there is no such file or folder, and no model that ships has this name"
NO_REPOSITORY = (
    "there is no such repository, or it is private and needs a token that may read it, in HF_TOKEN or by `hf auth "
    "login`"
)
CASES = {
    "count": Case("count me/whole -q", 0, TOTAL),
    "count, outright": Case("count gpt2 --hub -q", 0, TOTAL),
    "compare": Case("compare me/whole me/shards -q", 0, f"{TOTAL}\n{TOTAL}"),
    "verify": Case("verify me/whole -q", 0, "me/whole matches: 88 parameters in 16 tensors, as the config says"),
    "verify shards": Case(
        "verify me/shards -q", 0, "me/shards matches: 88 parameters in 16 tensors, as the config says"
    ),
    "verify, outright": Case(
        "verify gpt2 --hub -q", 0, "gpt2 matches: 88 parameters in 16 tensors, as the config says"
    ),
    "verify a commit": Case(f"verify me/whole --revision {COMMIT} -q", 0, "me/whole matches: 88 parameters in"),
    "a mismatch": Case("verify me/fewer -q", 1, "me/fewer does not match: 1 thing is wrong: h.0.mlp.c_fc.bias"),
    "infer": Case("infer me/alone", 0, "{"),
    "no repository": Case("count me/none", 4, f"me/none: {NO_MODEL}; on the hub: {NO_REPOSITORY}"),
    "no repository to verify": Case("verify me/none", 4, f"me/none: {NO_REPOSITORY}"),
    "no repository, outright": Case("count me/none --hub", 4, f"me/none: {NO_REPOSITORY}"),
    "no revision": Case(
        "verify me/whole --revision v9", 4, "me/whole: the repository has no branch, tag or commit 'v9'"
    ),
    "offline": Case(
        "verify me/whole",
        4,
        "me/whole: huggingface_hub is offline, and it is not in its cache",
        {"HF_HUB_OFFLINE": "1"},
    ),
    "nobody there": Case(
        "count me/whole --hub",
        4,
        "me/whole/config.json: no answer from 127.0.0.1:1 (",
        {"HF_ENDPOINT": "http://127.0.0.1:1"},
    ),
    "no port": Case(
        "count me/whole --hub",
        4,
        "me/whole: huggingface_hub cannot be loaded (Port out of range",
        {"HF_ENDPOINT": "http://127.0.0.1:99999"},
    ),
    "no number of seconds": Case(
        "verify me/whole",
        4,
        "me/whole: huggingface_hub cannot be loaded (invalid literal for int()",
        {"HF_HUB_DOWNLOAD_TIMEOUT": "soon"},
    ),
    "no hub": Case("verify me/whole", 4, "me/whole/config.json: ", {"HF_ENDPOINT": "hub.example"}),
    "no name of a repository": Case("verify a/b/c --hub", 2, "expected a repository such as 'openai-community/gpt2'"),
    "no revision's name": Case("verify me/whole --revision ../x", 2, "expected a branch, a tag, a commit or refs/pr/N"),
    "values": Case("verify me/whole --values", 2, "values are read from a file on this machine, and me/whole is none"),
    "weights": Case("verify me/whole --evidence weights", 2, "me/whole is a repository on the hub, which gives header"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_commands_end_with_their_codes(
    case: Case, server: HubServer, tmp_path: Path, run: Run, program: Program
) -> None:
    """An answer on standard output, or one sentence on standard error, and never a traceback.

    What the environment says is read where huggingface_hub is loaded, and so by a program of its own.
    """
    words = case.words.split()
    if case.settings:
        ended = program(*words, env=surroundings(server, tmp_path / "there", **case.settings))
        code, out, err = ended.returncode, ended.stdout.decode(), ended.stderr.decode()
    else:
        code, out, err = run(*words)
    assert code == case.code, err
    if case.code < 2:
        assert out.startswith(case.said)
    else:
        assert out == ""
        assert err.startswith(f"gpt2calc {words[0]}: {case.said}")
        assert err.count("\n") == 1
        assert err.endswith("\n")


FAILING: dict[str, tuple[str, Callable[[Reply], Reply | None]]] = {
    "unauthorized": ("resolve", lambda _: refused(401, "RepoNotFound")),
    "not found": ("api", lambda _: refused(404)),
    "too many requests": ("api", lambda _: refused(429, Retry_After="3600")),
    "broken": ("store", lambda _: refused(500, Retry_After="0")),
    "overloaded": ("resolve", lambda _: refused(503, Retry_After="0")),
    "cut": ("store", set_to(sending="cut in the head")),
    "compressed": ("store", set_to(Content_Encoding="gzip")),
    "redirected in a circle": ("resolve", set_to(Location="")),
}


@pytest.mark.parametrize(("place", "change"), FAILING.values(), ids=FAILING)
def test_what_the_hub_does_wrong_ends_with_4(
    place: str, change: Callable[[Reply], Reply | None], server: HubServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence about the repository or its file, and as many tries as there are."""
    monkeypatch.setattr(transport, "sleep", lambda _: None)
    server.change(place, change)
    ran = run("verify", "me/whole")
    assert (ran.code, ran.stdout) == (4, "")
    assert re.fullmatch(r"gpt2calc verify: me/whole(/[\w.]+)?: [^\n]+\n", ran.stderr)
    assert 1 <= len(server.asked(place)) <= TRIES


@pytest.fixture
def many(server: HubServer) -> HubServer:
    """Give a hub that has a quantized model in thirty shards."""
    document = quantized.SMALL["deepseek_v3, fp8"]
    parts = sharded.split(quantized.held(document), 30)
    files = {shard: safetensors.content(part) for shard, part in parts.items()}
    own = {CONFIG_NAME: json.dumps(document).encode(), sharded.INDEX: sharded.index(parts)}
    server.repos["me/many"] = Repo({**own, **files}, frozenset(files))
    return server


def test_shards_are_asked_for_a_few_at_a_time(many: HubServer) -> None:
    """Never more than eight at once, each once, of which how many have come is told; the verdict is the same."""
    at_once, most, lock = 0, 0, threading.Lock()

    def entered(_: Reply) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.002)
        with lock:
            at_once -= 1

    many.change("store", entered)
    told: list[tuple[int, int]] = []
    found = gpt2calc.verify("me/many", headers=lambda *each: told.append(each))
    assert found.matches, found.verdict
    assert told == [(n, 30) for n in range(1, 31)]
    assert 1 < most <= hub.AT_ONCE
    assert len(many.asked("store")) == 30
    files = many.repos["me/many"].files
    shard = "model-00002-of-00030.safetensors"
    content = files[shard]
    assert isinstance(content, bytes)
    many.repos["me/many"].files = {**files, shard: content[:-1]}
    with pytest.raises(UnreadableInputError, match="model-00002-of-00030"):
        gpt2calc.verify("me/many")
