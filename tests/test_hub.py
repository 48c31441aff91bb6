"""Repositories are read from the hub: who wins where names are the same, what is asked for, and what the cache spares.

The hub is `hub_server`, on loopback. What happens where it fails is in `test_transport`.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub import errors as theirs

import gpt2calc
from gpt2calc import ConfigError, NetworkError, UnknownNameError, UnreadableInputError, sources
from gpt2calc.checkpoints import hub, safetensors
from gpt2calc.errors import install
from tests.hub_server import COMMIT, HubServer, Reply, Repo, serving, surroundings
from tests.makers import safetensors as maker
from tests.test_imports import roots, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Program, Run

TINY = {"n_layer": 2, "n_embd": 10, "n_head": 5, "n_positions": 8, "vocab_size": 7}
TINY_TOTAL = 2 * (12 * 10**2 + 13 * 10) + 10 * (7 + 8 + 2)
CONFIG = json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **TINY}).encode()
WEIGHTS = bytes(range(256)) * 4096
TAGGED, PULL, BRANCH, OTHER = "f" * 40, "e" * 40, "d" * 40, "c" * 40
TOKEN = "hf_" + "x" * 34
NAME = "model.safetensors"


def repositories() -> dict[str, Repo]:
    """Return what the hub holds: a model, one for a token alone, one with conditions, one without config, and gpt2."""
    files = {"config.json": CONFIG, NAME: WEIGHTS, "README.md": b"# A model"}
    model = Repo(files, frozenset((NAME,)), {"main": COMMIT, "v1.0": TAGGED, "refs/pr/1": PULL, "fix/it": BRANCH})
    return {
        "me/model": model,
        "me/bare": Repo({NAME: WEIGHTS}, frozenset((NAME,))),
        "me/private": Repo(files, frozenset((NAME,)), token=TOKEN),
        "me/gated": Repo(files, frozenset((NAME,)), token=TOKEN, gated=True),
        "gpt2": model,
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """Give the hub, and stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    with serving(repositories(), monkeypatch, tmp_path / "home") as found:
        yield found


def test_counting_asks_for_the_config_alone(server: HubServer) -> None:
    """One request, which the hub redirects within itself; the config is all that it sends; a note says the commit."""
    count = gpt2calc.count("me/model")
    assert (count.total, count.name) == (TINY_TOTAL, "me/model")
    assert count.notes == (f"read from the hub, me/model at {COMMIT}",)
    assert [asked.path for asked in server.asked("api", "resolve", "store")] == ["/me/model/resolve/main/config.json"]
    assert [(asked.method, asked.sent) for asked in server.asked("small")] == [("GET", len(CONFIG))]


def test_every_verb_reads_repositories(server: HubServer) -> None:
    """What count takes, the others take; fields go over it."""
    assert gpt2calc.compare("me/model", "gpt2")[0].total == TINY_TOTAL
    assert sum(tensor.numel for tensor in gpt2calc.tensors("me/model")) == TINY_TOTAL
    assert gpt2calc.formula("total", "me/model").total == TINY_TOTAL
    assert gpt2calc.count("me/model", n_layer=0, vocab=8).total == 10 * (8 + 8 + 2)
    assert len(server.asked("resolve")) == 4


@pytest.mark.parametrize(
    ("revision", "commit", "path"),
    [
        ("main", COMMIT, "main"),
        ("v1.0", TAGGED, "v1.0"),
        ("fix/it", BRANCH, "fix%2Fit"),
        ("refs/pr/1", PULL, "refs%2Fpr%2F1"),
        (PULL, PULL, PULL),
    ],
    ids=["the main branch", "a tag", "a branch", "a pull request", "a commit"],
)
def test_a_revision_is_read_at_its_commit(revision: str, commit: str, path: str, server: HubServer) -> None:
    """The name says the revision, and the note the commit that it stood for."""
    count = gpt2calc.count("me/model", revision=revision)
    assert count.name == f"me/model@{revision}"
    assert count.notes == (f"read from the hub, me/model at {commit}",)
    assert [asked.path for asked in server.asked("resolve")] == [f"/me/model/resolve/{path}/config.json"]


def test_whatever_is_read_after_the_config_is_read_at_its_commit(server: HubServer) -> None:
    """A branch that moves in between mixes nothing."""
    repository = hub.open_repo("me/model", "v1.0")
    assert repository.config() == CONFIG
    server.repos["me/model"].revisions = {"main": COMMIT, "v1.0": BRANCH, "before": TAGGED}
    assert repository.open(NAME).read(0, 8) == WEIGHTS[:8]
    assert repository.commit == TAGGED
    assert [asked.path for asked in server.asked("api")] == [f"/api/models/me/model/revision/{TAGGED}"]
    assert server.asked("resolve")[-1].path == f"/me/model/resolve/{TAGGED}/{NAME}"


def test_the_commit_is_asked_for_where_nothing_was_read(server: HubServer) -> None:
    """The list of files says it too, sizes and all."""
    repository = hub.open_repo("me/model")
    assert repository.commit == COMMIT
    assert repository.files() == {"config.json": len(CONFIG), NAME: len(WEIGHTS), "README.md": 9}
    assert len(server.asked()) == 1


def test_a_repository_that_was_renamed_is_found(server: HubServer) -> None:
    """The hub redirects from the old name to the new one."""
    server.renamed["me/old"] = "me/model"
    repository = hub.open_repo("me/old")
    assert (repository.config(), repository.commit) == (CONFIG, COMMIT)
    assert repository.open(NAME).read(5, 10) == WEIGHTS[5:15]


def test_an_existing_path_wins_over_a_repository(server: HubServer, tmp_path: Path) -> None:
    """A folder with a config is what is meant, one without is said to have none, and the hub is not asked."""
    (tmp_path / "me" / "model").mkdir(parents=True)
    with pytest.raises(UnreadableInputError, match=r"^me/model: expected a folder with a config\.json"):
        gpt2calc.count("me/model")
    (tmp_path / "me" / "model" / "config.json").write_bytes(CONFIG.replace(b'"n_layer": 2', b'"n_layer": 1'))
    assert gpt2calc.count("me/model").dims.n_layer == 1
    (tmp_path / "me" / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnreadableInputError, match=r"^me/gone: is a link to '.*, which is not there$"):
        gpt2calc.count("me/gone")
    assert server.asked() == []
    assert gpt2calc.count("me/model", hub=True).dims.n_layer == 2


def test_a_preset_wins_over_a_repository(server: HubServer) -> None:
    """The hub is not asked for what ships, unless it is said outright or with a revision."""
    server.repos["openai-community/gpt2"] = server.repos["me/model"]
    assert gpt2calc.count("openai-community/gpt2").total == 124_439_808
    assert server.asked() == []
    assert gpt2calc.count("openai-community/gpt2", hub=True).total == TINY_TOTAL
    assert gpt2calc.count("openai-community/gpt2", revision="main").total == TINY_TOTAL


def test_a_repository_without_an_owner_is_read_where_it_is_said_to_be_one(server: HubServer) -> None:
    """gpt2 was called so on the hub; without a slash a name is never taken for a repository by itself."""
    assert gpt2calc.count("gpt2").total == 124_439_808
    with pytest.raises(UnknownNameError):
        gpt2calc.count("nobody")
    assert server.asked() == []
    assert gpt2calc.count("gpt2", hub=True).total == TINY_TOTAL


NO_REPOSITORIES = ["a", "a/b/c", "./a", "/a", "~/a", "../a", "a/.b", "a/", "a b/c", "é/a", "a/b\n", "a/model.bin", ""]


@pytest.mark.parametrize("name", NO_REPOSITORIES, ids=repr)
def test_what_does_not_look_like_a_repository_is_not_asked_for(name: str, server: HubServer) -> None:
    """Other names are paths or presets, and a file that was mistyped is not told to the hub."""
    assert not sources.is_repository(name)
    with pytest.raises((UnknownNameError, UnreadableInputError)):
        gpt2calc.count(name)
    assert server.asked() == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("openai-community/gpt2-xll", "openai-community/gpt2-xl"),
        ("cerebras/Cerebras-GPT-111", "cerebras/Cerebras-GPT-111M"),
    ],
)
def test_a_name_that_was_mistyped_is_answered_with_what_was_meant(typed: str, meant: str, server: HubServer) -> None:
    """All that was looked for is said, and the nearest preset."""
    with pytest.raises(NetworkError) as caught:
        gpt2calc.count(typed)
    assert str(caught.value) == (
        f"{typed}: there is no such file or folder, and no model that ships has this name; on the hub: there is no "
        "such repository, or it is private and needs a token that may read it, in HF_TOKEN or by `hf auth login`: "
        f"did you mean {meant}?"
    )
    assert caught.value.exit_code == 4
    assert len(server.asked()) == 1


@pytest.mark.parametrize("name", ["a//b", "a/b/c", ".a/b", "a--b/c", "a/b.git", "", "a b", "x" * 200, "a/b\n", "\0"])
def test_a_name_that_no_repository_has_is_refused(name: str, server: HubServer) -> None:
    """huggingface_hub knows what names there are."""
    with pytest.raises(ConfigError, match=r"^expected a repository such as 'openai-community/gpt2', got "):
        gpt2calc.count(name, hub=True)
    assert server.asked() == []


@pytest.mark.parametrize("revision", ["", "../x", "a..b", "/etc", "a b", "-x", "a\n", "x" * 300, "a//b", 7], ids=repr)
def test_a_revision_that_no_repository_has_is_refused(revision: str, server: HubServer) -> None:
    """What leads out of the folder that the cache keeps revisions in is among them."""
    with pytest.raises(ConfigError, match="expected a branch, a tag, a commit or refs/pr/N as the revision, got "):
        gpt2calc.count("me/model", revision=revision)
    assert server.asked() == []


@pytest.mark.parametrize(
    "model", [None, {}, 7, gpt2calc.count("gpt2")], ids=["none", "a mapping", "a number", "a count"]
)
def test_what_is_no_name_is_no_repository(model: Any, server: HubServer) -> None:
    """The two settings go with a name."""
    for settings in ({"hub": True}, {"revision": "main"}):
        with pytest.raises(ConfigError, match="expected the name of a repository of the hub, got "):
            gpt2calc.count(model, **settings)
    assert server.asked() == []


def test_the_token_is_for_the_hub_alone(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request to the hub has it, and none to the store, first or later."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    repository = hub.open_repo("me/private")
    assert repository.config() == CONFIG
    file = repository.open(NAME)
    assert file.read(0, 8) + file.read(8, 8) == WEIGHTS[:16]
    sent = [(asked.place, asked.headers.get("authorization")) for asked in server.asked()]
    ours = f"Bearer {TOKEN}"
    hubs = [("resolve", ours), ("small", ours), ("api", ours), ("resolve", ours)]
    assert sent == [*hubs, ("store", None), ("store", None)]


def test_a_token_that_was_saved_is_sent(server: HubServer, tmp_path: Path) -> None:
    """`hf auth login` writes it to a file."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text(TOKEN)
    assert gpt2calc.count("me/private").total == TINY_TOTAL
    assert {asked.headers.get("authorization") for asked in server.asked()} == {f"Bearer {TOKEN}"}


def test_without_a_token_none_is_sent(server: HubServer) -> None:
    """Public repositories need none; who asks is said."""
    assert gpt2calc.count("me/model").total == TINY_TOTAL
    assert all("authorization" not in asked.headers for asked in server.asked())
    assert all(asked.headers["user-agent"].startswith(f"gpt2calc/{gpt2calc.__version__}; ") for asked in server.asked())


def test_a_token_that_cannot_be_read_or_sent_ends_in_a_sentence(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever huggingface_hub meets there, and letters that no header may have."""
    (tmp_path / "home" / "token").mkdir(parents=True)
    with pytest.raises(NetworkError, match=r"me/model: huggingface_hub finds no token to send \(.*Is a directory"):
        gpt2calc.count("me/model", hub=True)
    monkeypatch.setenv("HF_TOKEN", "hf_ключ")
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:\d+ cannot be asked \('ascii' codec"):
        gpt2calc.count("me/model", hub=True)
    assert server.asked() == []


def test_two_reads_of_a_file_take_one_redirect(server: HubServer) -> None:
    """The address in the store is used again, and each byte that is read is sent once."""
    with hub.open_repo("me/model").open(NAME) as file:
        assert file.name == f"me/model/{NAME}"
        assert file.size == len(WEIGHTS)
        assert (file.read(0, 8), file.read(8, 1000), file.read(300, 0)) == (WEIGHTS[:8], WEIGHTS[8:1008], b"")
        assert file.read(file.size - 22, 22) == WEIGHTS[-22:]
    assert [asked.place for asked in server.asked()] == ["api", "resolve", "store", "store", "store"]
    assert [(asked.range, asked.sent) for asked in server.asked("store")] == [
        ("bytes=0-7", 8),
        ("bytes=8-1007", 1000),
        (f"bytes={len(WEIGHTS) - 22}-{len(WEIGHTS) - 1}", 22),
    ]


@pytest.mark.parametrize(("offset", "count"), [(-1, 8), (0, -1), (len(WEIGHTS), 1), (len(WEIGHTS) - 7, 8)])
def test_bytes_that_a_file_does_not_have_are_not_asked_for(offset: int, count: int, server: HubServer) -> None:
    """The size is known from the list of files."""
    file = hub.open_repo("me/model").open(NAME)
    with pytest.raises(UnreadableInputError, match=f"^me/model/{NAME}: expected {count} bytes from offset"):
        file.read(offset, count)
    assert server.asked("store") == []


@pytest.mark.parametrize(
    "size", [{}, {"size": None}, {"size": -1}, {"size": True}, {"size": "9"}, {"size": 1e3}], ids=str
)
def test_a_size_that_the_hub_does_not_give_is_asked_for(size: dict[str, object], server: HubServer) -> None:
    """One byte is asked for, and the answer to that says how many there are."""
    listed = {"sha": COMMIT, "siblings": [{"rfilename": NAME, **size}]}
    server.change("api", lambda _: Reply(200, {}, json.dumps(listed).encode()))
    repository = hub.open_repo("me/model")
    assert repository.files() == {NAME: None}
    file = repository.open(NAME)
    assert (file.size, file.read(4, 4)) == (len(WEIGHTS), WEIGHTS[4:8])
    assert [asked.sent for asked in server.asked("store")] == [1, 4]


def test_of_gpt2_xl_no_more_is_fetched_than_its_header(server: HubServer, tmp_path: Path) -> None:
    """At its real size of 6.4 GB; every byte of every answer counts, the list of files and redirects among them."""
    path = tmp_path / "xl.safetensors"
    size = maker.write(path, maker.released(48, 1600))
    with path.open("rb") as file:
        header = 8 + int.from_bytes(file.read(8), "little")
    server.repos["me/xl"] = Repo({"config.json": CONFIG, NAME: path}, frozenset((NAME,)))
    repository = hub.open_repo("me/xl")
    listing = safetensors.read(repository.open(NAME))
    assert sum(tensor.numel for tensor in listing.tensors) == 1_557_611_200 + 48 * 1024**2
    assert listing.files[0].size == size > 6 * 10**9
    assert sum(asked.sent for asked in server.asked("store")) == header
    assert sum(asked.sent for asked in server.asked()) <= 1.1 * header
    assert [asked.place for asked in server.asked()] == ["api", "resolve", "store", "store"]


def test_a_header_that_is_wrong_is_unreadable_input(server: HubServer) -> None:
    """What the hub sends faithfully is judged as a file on disk is, under the repository's name."""
    with pytest.raises(UnreadableInputError, match=f"^me/model/{NAME}: expected a header of ") as caught:
        safetensors.read(hub.open_repo("me/model").open(NAME))
    assert caught.value.exit_code == 3
    assert [asked.sent for asked in server.asked("store")] == [safetensors.FIRST_READ]


def test_a_repository_without_a_config_is_said_to_have_none(server: HubServer) -> None:
    """The hub's word for that is known from other refusals."""
    assert hub.open_repo("me/bare").config() is None
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.count("me/bare")
    assert str(caught.value) == "me/bare: expected a repository with a config.json, and there is none in it"
    assert len(server.asked()) == 2


def test_a_config_of_another_model_is_refused_by_its_address(server: HubServer) -> None:
    """The error is that of a file, and names the file."""
    server.repos["me/bert"] = Repo({"config.json": b'{"model_type": "bert"}'})
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.count("me/bert")
    assert str(caught.value).startswith("me/bert/config.json: model_type 'bert' is not counted: ")


def test_a_file_that_is_not_listed_is_not_asked_for(server: HubServer) -> None:
    """So an index leads nowhere but to files of the repository."""
    repository = hub.open_repo("me/model")
    for name in ("../../other/file", "/etc/passwd", "model.bin", ""):
        with pytest.raises(NetworkError, match="the repository has no such file"):
            repository.open(name)
    assert len(server.asked()) == 1


def test_what_the_cache_holds_is_not_asked_for(server: HubServer) -> None:
    """huggingface_hub has the file of this commit: the list of files is all that is asked for."""
    for name in ("config.json", NAME):
        hf_hub_download("me/model", name)
    server.log.clear()
    repository = hub.open_repo("me/model")
    with repository.open(NAME) as file:
        assert (file.read(3, 5), file.size) == (WEIGHTS[3:8], len(WEIGHTS))
    assert repository.config() == CONFIG
    assert repository.note == f"read from the hub, me/model at {COMMIT}"
    assert [asked.place for asked in server.asked()] == ["api"]


def test_what_the_cache_holds_of_another_commit_is_not_read(server: HubServer) -> None:
    """A branch has moved on since."""
    hf_hub_download("me/model", NAME)
    server.repos["me/model"].revisions = {"main": OTHER}
    server.repos["me/model"].files = {NAME: WEIGHTS[::-1]}
    assert hub.open_repo("me/model").open(NAME).read(0, 4) == WEIGHTS[:-5:-1]


def test_a_commit_that_the_cache_holds_is_counted_without_the_hub(server: HubServer) -> None:
    """A commit is itself, so nothing can have changed."""
    hf_hub_download("me/model", "config.json", revision=TAGGED)
    server.log.clear()
    assert gpt2calc.count("me/model", revision=TAGGED).total == TINY_TOTAL
    assert server.asked() == []


def test_offline_the_cache_is_read(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there in part serves for that part; nothing is asked."""
    hf_hub_download("me/model", NAME, revision="v1.0")
    hf_hub_download("me/model", "config.json", revision="main")
    server.log.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    count = gpt2calc.count("me/model")
    assert count.total == TINY_TOTAL
    assert count.notes == (f"read from the hub's local cache, me/model at {COMMIT}",)
    repository = hub.open_repo("me/model", "v1.0")
    assert (repository.files(), repository.commit) == ({NAME: len(WEIGHTS)}, TAGGED)
    assert repository.config() is None
    with repository.open(NAME) as file:
        assert file.read(0, 3) == WEIGHTS[:3]
    assert hub.open_repo("me/model", COMMIT).config() == CONFIG
    assert server.log == []


@pytest.mark.parametrize(
    ("name", "revision", "problem"),
    [
        ("me/other", None, "huggingface_hub is offline, and it is not in its cache"),
        ("me/model", "v2", "huggingface_hub is offline, and revision 'v2' of it is not in its cache"),
        ("me/model", OTHER, f"huggingface_hub is offline, and revision '{OTHER}' of it is not in its cache"),
    ],
    ids=["a repository", "a tag", "a commit"],
)
def test_offline_what_the_cache_does_not_hold_is_said(
    name: str, revision: str | None, problem: str, server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of the network."""
    hf_hub_download("me/model", "config.json")
    server.log.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NetworkError) as caught:
        gpt2calc.count(name, hub=True, revision=revision)
    assert str(caught.value) == f"{name}: {problem}"
    assert (caught.value.exit_code, server.log) == (4, [])
    with pytest.raises(NetworkError, match=f"^me/model/{NAME}: huggingface_hub is offline, and it is not in its cache"):
        hub.open_repo("me/model").open(NAME)


def test_a_cached_config_that_is_too_long_is_refused(server: HubServer) -> None:
    """The bound holds for the cache too."""
    server.repos["me/long"] = Repo({"config.json": b" " * (hub.MOST_CONFIG_BYTES + 1)})
    with pytest.raises(NetworkError, match="expected at most 1,048,576 bytes from 127"):
        gpt2calc.count("me/long")
    hf_hub_download("me/long", "config.json", revision=COMMIT)
    with pytest.raises(UnreadableInputError, match="expected at most 1,048,576 bytes, got 1,048,577"):
        gpt2calc.count("me/long", revision=COMMIT)


def test_without_huggingface_hub_it_is_said_what_is_missing(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what may be a mistyped path, both are said; for what is said outright, the extra."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError) as caught:
        gpt2calc.count("me/model")
    assert str(caught.value) == (
        "me/model: there is no such file or folder, and no model that ships has this name; reading it from the hub "
        f"needs huggingface_hub: {install('hub')}"
    )
    assert caught.value.exit_code == 2
    with pytest.raises(ConfigError) as caught:
        gpt2calc.count("me/model", hub=True)
    assert str(caught.value) == f"reading me/model from the hub needs huggingface_hub: {install('hub')}"
    assert server.asked() == []
    assert gpt2calc.count("openai-community/gpt2").total == 124_439_808


@pytest.mark.usefixtures("server")
def test_the_command_line_takes_repositories(run: Run) -> None:
    """--hub and --revision go with count and compare, and notes go to standard error."""
    ran = run("count", "me/model", "-q")
    assert (ran.code, ran.stdout) == (0, f"{TINY_TOTAL}\n")
    ran = run("count", "gpt2", "--hub", "--json")
    assert json.loads(ran.stdout)["total"] == TINY_TOTAL
    assert ran.stderr == f"note: read from the hub, gpt2 at {COMMIT}\n"
    ran = run("compare", "me/model", "gpt2", "--revision", "v1.0", "-q")
    assert (ran.code, ran.stdout) == (0, f"{TINY_TOTAL}\n{TINY_TOTAL}\n")
    ran = run("count", "me/none")
    assert (ran.code, ran.stdout) == (4, "")
    ran = run("count", "--hub")
    assert (ran.code, ran.stderr) == (2, "gpt2calc count: expected the name of a repository of the hub, got none\n")
    ran = run("count", "-", "--hub", stdin=CONFIG)
    assert ran.stderr == "gpt2calc count: expected the name of a repository of the hub, got 'standard input'\n"


def test_the_environment_is_honoured(server: HubServer, tmp_path: Path, program: Program) -> None:
    """HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE, as a program of its own reads them."""
    there = surroundings(server, tmp_path / "home", HF_TOKEN=TOKEN)
    ran = program("count", "me/private", "-q", env=there)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{TINY_TOTAL}\n".encode(), b"")
    assert {asked.headers.get("authorization") for asked in server.asked()} == {f"Bearer {TOKEN}"}
    server.log.clear()
    offline = there | {"HF_HUB_OFFLINE": "1"}
    ran = program("count", "me/private", env=offline)
    assert (ran.returncode, ran.stdout) == (4, b"")
    assert b"huggingface_hub is offline, and it is not in its cache" in ran.stderr
    hf_hub_download("me/private", "config.json", token=TOKEN, cache_dir=tmp_path / "home" / "hub")
    server.log.clear()
    ran = program("count", "me/private", "-q", env=offline)
    assert (ran.returncode, ran.stdout, server.log) == (0, f"{TINY_TOTAL}\n".encode(), [])
    elsewhere = {name: value for name, value in offline.items() if name != "HF_HOME"}
    ran = program("count", "me/private", "-q", env={**elsewhere, "HF_HUB_CACHE": str(tmp_path / "home" / "hub")})
    assert (ran.returncode, server.log) == (0, [])


def test_nothing_of_the_hub_is_loaded_for_what_is_here(tmp_path: Path) -> None:
    """Presets, paths and mistakes in them start as fast as before; a repository's name loads it."""
    (tmp_path / "config.json").write_bytes(CONFIG)
    for words in (("count", "gpt2-xl"), ("compare", "openai-community/gpt2", "xl"), ("count", str(tmp_path))):
        found = running(*words)
        assert {module for module in found if module.startswith("gpt2calc.checkpoints")} == set()
        assert roots(found) & {"huggingface_hub", "httpx", "httpx2", "ssl"} == set()
    assert roots(running("count", "gpt2", before="import gpt2calc.checkpoints.hub")) & {"huggingface_hub"} == set()
    assert roots(running("count", "gpt2", before="import huggingface_hub.constants")) >= {"huggingface_hub"}


ANSWERS: list[tuple[str, str, str, type[Exception] | None]] = [
    ("me/model", "main", NAME, None),
    ("me/model", "refs/pr/1", "config.json", None),
    ("me/none", "main", NAME, theirs.RepositoryNotFoundError),
    ("me/private", "main", NAME, theirs.RepositoryNotFoundError),
    ("me/gated", "main", NAME, theirs.GatedRepoError),
    ("me/model", "v2", NAME, theirs.RevisionNotFoundError),
    ("me/model", "main", "none.bin", theirs.RemoteEntryNotFoundError),
]


@pytest.mark.parametrize(("repo", "revision", "name", "error"), ANSWERS, ids=lambda value: str(value)[:60])
def test_huggingface_hub_itself_takes_the_server_for_a_hub(
    repo: str, revision: str, name: str, error: type[Exception] | None, server: HubServer
) -> None:
    """A test of the test: its own client reads sizes, commits and content, and names each refusal as it is meant."""
    held = server.repos["me/model"]
    if error is not None:
        with pytest.raises(error) as caught:
            get_hf_file_metadata(hf_hub_url(repo, name, revision=revision))
        assert type(caught.value) is error
        return
    info = HfApi().model_info(repo, revision=revision, files_metadata=True)
    commit, content = held.revisions[revision], held.files[name]
    assert isinstance(content, bytes)
    assert (info.sha, {each.rfilename: each.size for each in info.siblings or []}[name]) == (commit, len(content))
    metadata = get_hf_file_metadata(hf_hub_url(repo, name, revision=revision))
    assert (metadata.commit_hash, metadata.size) == (commit, len(content))
    with open(hf_hub_download(repo, name, revision=revision), "rb") as file:
        assert file.read() == content
    listed = HfApi().list_repo_tree(repo, revision=revision)
    assert [getattr(entry, "size", None) for entry in listed if entry.path == name] == [len(content)]


def test_a_model_of_another_architecture_is_counted_from_its_repository(server: HubServer) -> None:
    """Of which config.json alone is read; its fields can be changed."""
    server.repos["me/mistral"] = Repo({"config.json": b'{"model_type": "mistral", "num_hidden_layers": 2}'})
    count = gpt2calc.count("me/mistral")
    assert (count.total, count.model.num_hidden_layers) == (2 * 218_112_000 + 2 * 32_000 * 4096 + 4096, 2)
    assert gpt2calc.count("me/mistral", num_hidden_layers=3).total - count.total == 218_112_000
