"""What a person names comes to dims: a preset, a file, a folder, a mapping, a config, a count; fields go over it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch
import transformers

import gpt2calc
from gpt2calc import ConfigError, Gpt2calcError, UnknownNameError, UnreadableInputError, presets
from gpt2calc.config import Config
from gpt2calc.sources import MOST_CONFIG_BYTES, Source, read_bytes, resolve

TINY: dict[str, Any] = {"n_layer": 2, "n_embd": 10, "n_head": 5, "n_positions": 8, "vocab_size": 7}
TINY_TOTAL = 2 * (12 * 10**2 + 13 * 10) + 10 * (7 + 8 + 2)
HUB = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **TINY}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, so that relative names mean what a test puts there."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path, document: object = HUB) -> Path:
    """Write a document to a path, with the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_preset_is_found_by_name_and_alias_in_any_case() -> None:
    """The name of the model is its own, however it was called."""
    for name in ("gpt2-xl", "xl", "XL", "GPT2-XL", "openai-community/gpt2-xl"):
        found = resolve(name, {})
        assert (found.name, found.dims, found.notes) == ("gpt2-xl", presets.load("gpt2-xl").dims, ())


def test_a_file_is_read_whatever_it_is_called(here: Path) -> None:
    """The path is the model's name, with an ending and without."""
    for name in ("config.json", "hparams.json", "model", "deep/er/config.json", "with space.json"):
        written(here / name)
        found = resolve(name, {})
        assert (found.name, found.dims.n_embd) == (name, 10)


def test_a_folder_is_read_by_its_config_json(here: Path) -> None:
    """A folder that a model was saved to stands for the config in it, with a slash at the end and without."""
    written(here / "saved" / "config.json")
    for name in ("saved", "saved/", "./saved"):
        assert resolve(name, {}).dims.n_embd == 10
    assert resolve(os.fspath(here / "saved"), {}).name == os.fspath(here / "saved" / "config.json")


def test_the_folder_that_one_stands_in_is_read(here: Path) -> None:
    """A dot is a folder like any other, and so is the one above."""
    written(here / "config.json")
    (here / "inside").mkdir()
    assert resolve(".", {}).dims.n_embd == resolve("inside/..", {}).dims.n_embd == 10


def test_a_folder_that_is_called_config_json_is_no_config(here: Path) -> None:
    """The error says that the config is missing, and nothing crashes."""
    (here / "saved" / "config.json").mkdir(parents=True)
    with pytest.raises(UnreadableInputError, match=r"^saved: expected a folder with a config\.json"):
        resolve("saved", {})


def test_an_existing_file_wins_over_a_preset_of_its_name(here: Path) -> None:
    """What lies there is what is meant, and a note says that it was."""
    assert resolve("gpt2", {}).dims.n_embd == 768
    written(here / "gpt2")
    assert resolve("gpt2", {}).dims.n_embd == 10
    written(here / "small" / "config.json")
    assert resolve("small", {}).notes == (
        "small is read from here, small/config.json, and is not the model that ships by that name",
    )
    assert resolve("./small", {}).notes == ()


def test_an_existing_folder_with_a_config_wins_over_a_preset_of_its_name(here: Path) -> None:
    """A clone of a repository from the hub is the model that is meant, aliases with a slash among them."""
    written(here / "gpt2" / "config.json")
    written(here / "openai-community" / "gpt2" / "config.json")
    assert resolve("gpt2", {}).dims.n_embd == 10
    assert resolve("openai-community/gpt2", {}).dims.n_embd == 10


def test_a_folder_without_a_config_does_not_hide_a_preset(here: Path) -> None:
    """An output folder that happens to be called gpt2 holds no model."""
    (here / "gpt2").mkdir()
    assert resolve("gpt2", {}).name == "gpt2"


def test_a_folder_without_a_config_is_said_to_have_none(here: Path) -> None:
    """The error names the folder."""
    (here / "saved").mkdir()
    with pytest.raises(UnreadableInputError) as caught:
        resolve("saved", {})
    assert str(caught.value) == "saved: expected a folder with a config.json, and there is none in it"
    assert (caught.value.path, caught.value.exit_code) == ("saved", 3)


def test_a_path_object_is_a_path(here: Path) -> None:
    """Whatever has __fspath__ is taken, and a path that does not exist may still name a preset."""
    path = written(here / "config.json")
    assert gpt2calc.count(path).total == TINY_TOTAL
    assert gpt2calc.count(path.parent).total == TINY_TOTAL
    assert gpt2calc.count(Path("gpt2")).total == 124_439_808


def as_path(folder: Path) -> object:
    """Write the tiny model to a file."""
    return written(folder / "config.json")


GIVEN: dict[str, tuple[Any, str]] = {
    "a path": (as_path, "config.json"),
    "a mapping": (lambda _: dict(TINY), "config"),
    "a mapping that cannot be changed": (lambda _: MappingProxyType(TINY), "config"),
    "a Hugging Face config": (lambda _: dict(HUB), "config"),
    "a config": (lambda _: Config(**TINY), "config"),
    "dims": (lambda _: Config(**TINY).dims, "dims"),
    "a count": (lambda _: gpt2calc.count(TINY), "config"),
    "a count with a field changed": (lambda _: gpt2calc.count(TINY, vocab=7), "config"),
    "a source": (lambda _: resolve(TINY, {}), "config"),
}
"""Everything that a model may be given as, each the tiny model, and what its name begins or ends with."""


@pytest.mark.parametrize(("make", "name"), GIVEN.values(), ids=GIVEN)
def test_a_model_is_taken_in_whatever_form(make: Any, name: str, here: Path) -> None:
    """Each form gives the same count, by every verb."""
    model = make(here)
    count = gpt2calc.count(model)
    assert count.total == TINY_TOTAL
    assert name in count.name
    assert gpt2calc.compare(model)[0] == count
    assert sum(tensor.numel for tensor in gpt2calc.tensors(model)) == TINY_TOTAL
    assert gpt2calc.formula("total", model).total == TINY_TOTAL


@pytest.mark.parametrize(("make", "name"), GIVEN.values(), ids=GIVEN)
def test_fields_go_over_a_model_in_whatever_form(make: Any, name: str, here: Path) -> None:
    """A field in any spelling wins over the model's own, the rest stays, and the name says what was changed."""
    model = make(here)
    count = gpt2calc.count(model, layers=3)
    assert count.total == TINY_TOTAL + 12 * 10**2 + 13 * 10
    assert name in count.name
    assert count.name.endswith("n_layer=3")
    assert gpt2calc.compare(model, layers=3)[0] == count
    assert sum(tensor.numel for tensor in gpt2calc.tensors(model, layers=3)) == count.total
    assert gpt2calc.formula("total", model, layers=3).total == count.total


@pytest.mark.parametrize("form", [form for form in GIVEN if form != "dims"])
def test_the_mlp_stays_four_times_as_wide_where_nobody_gave_its_width(form: str, here: Path) -> None:
    """A new width takes the MLP along, whatever the model was given as."""
    make, _ = GIVEN[form]
    count = gpt2calc.count(make(here), n_embd=20)
    assert (count.dims.n_inner, count.notes) == (80, ())


def test_bare_dims_with_an_mlp_four_times_as_wide_keep_it_so() -> None:
    """An MLP of 4·n_embd follows a change of n_embd; any other stays, and a note says so."""
    followed = gpt2calc.count(Config(**TINY).dims, n_embd=20)
    assert (followed.dims.n_inner, followed.notes) == (80, ())
    kept = gpt2calc.count(Config(**{**TINY, "n_inner": 41}).dims, n_embd=20)
    assert kept.dims.n_inner == 41
    assert kept.notes == ("n_inner stays 41, as the model gives it, while n_embd changes",)


@pytest.mark.parametrize(("make", "name"), GIVEN.values(), ids=GIVEN)
def test_a_wrong_field_over_a_model_in_whatever_form_is_refused(make: Any, name: str, here: Path) -> None:
    """Fields are checked the same over every form."""
    assert name
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"n_layer": -1}, "n_layer"),
        ({"n_layrs": 3}, "n_layrs"),
        ({"n_layer": 1, "depth": 2}, "n_layer"),
    ]
    for fields, field in mistakes:
        with pytest.raises(ConfigError) as caught:
            gpt2calc.count(make(here), **fields)
        assert caught.value.field == field


def test_without_a_model_what_is_not_given_is_gpt2s() -> None:
    """None is gpt2, and fields alone change it."""
    assert gpt2calc.count() == gpt2calc.count("gpt2")
    assert gpt2calc.count(n_layer=24, n_embd=1024) == gpt2calc.count("gpt2-medium")


def test_a_preset_as_models_gives_it_can_be_counted() -> None:
    """`for model in gpt2calc.models(): gpt2calc.count(model)` works, and with fields too."""
    for preset in gpt2calc.models()[:3]:
        count = gpt2calc.count(preset)
        assert (count.name, count) == (preset.name, gpt2calc.count(preset.name))
        assert gpt2calc.count(preset, n_layer=1) == gpt2calc.count(preset.name, n_layer=1)


def test_a_config_of_transformers_and_a_live_model_are_taken() -> None:
    """The first line that somebody types who has one, with its class for a name."""
    config = transformers.GPT2Config.from_dict(dict(TINY))
    model: Any = transformers.GPT2Model(config)
    assert (gpt2calc.count(config).total, gpt2calc.count(config).name) == (TINY_TOTAL, "GPT2Config")
    assert (gpt2calc.count(model).total, gpt2calc.count(model).name) == (TINY_TOTAL, "GPT2Model")
    assert gpt2calc.verify(model, config).matches
    assert gpt2calc.count(config, n_layer=0).total == 10 * (7 + 8 + 2)


@pytest.mark.parametrize("model", [transformers.GPT2Config, torch.nn.Linear(2, 2), object()], ids=type)
def test_a_live_thing_that_is_no_gpt2_is_refused(model: Any) -> None:
    """A class is no config, and a module without a config is counted by its shapes, where they are a model's."""
    said = r"^(expected a model's name, a path, a mapping or a Config, got |Linear: its names fit no GPT-2)"
    with pytest.raises(Gpt2calcError, match=said):
        gpt2calc.count(model)


@pytest.mark.parametrize("model", [12, 1.5, [("n_layer", 12)], {"n_layer"}, b"gpt2", True, print], ids=str)
def test_what_is_no_model_is_refused_with_what_is_taken(model: Any) -> None:
    """The error says what a model may be given as, and shows what was given."""
    without: dict[str, Any] = {}
    for fields in (without, {"n_layer": 3}):
        with pytest.raises(
            ConfigError, match=r"^expected a model's name, a path, a mapping or a Config, got "
        ) as caught:
            gpt2calc.count(model, **fields)
        assert caught.value.got is model


def test_a_count_carries_the_notes_of_its_model() -> None:
    """What was said about a document is said again where its count is changed."""
    first = gpt2calc.count({**HUB, "n_ctx": 9})
    assert first.notes == ("n_positions=8 is read, as transformers does, and n_ctx=9 is not",)
    assert gpt2calc.count(first).notes == gpt2calc.count(first, n_layer=3).notes == first.notes


def test_an_n_head_that_no_longer_divides_is_left_out_with_a_note() -> None:
    """The model's own heads do not stand in the way of another width; heads that are given do."""
    count = gpt2calc.count("gpt2", n_embd=1000)
    assert count.dims.n_embd == 1000
    assert count.notes == ("n_head is left out: the model's does not divide n_embd 1000, and no count depends on it",)
    with pytest.raises(ConfigError) as caught:
        gpt2calc.count("gpt2", n_embd=1000, n_head=12)
    assert caught.value.field == "n_head"


def test_an_n_head_that_still_divides_needs_no_note() -> None:
    """1,536 is a multiple of 12."""
    assert gpt2calc.count("gpt2", n_embd=1536).notes == ()


def test_an_n_inner_that_the_model_gives_stays_with_a_note() -> None:
    """Only a width that nobody gave follows n_embd."""
    count = gpt2calc.count("Cerebras-GPT-111M", n_embd=1536)
    assert count.dims.n_inner == 3072
    assert count.notes == ("n_inner stays 3072, as the model gives it, while n_embd changes",)
    assert gpt2calc.count("Cerebras-GPT-111M", n_embd=1536, n_inner=None).dims.n_inner == 6144
    assert gpt2calc.count("Cerebras-GPT-111M", n_embd=1536, d_ff=6144).notes == ()
    assert gpt2calc.count("Cerebras-GPT-111M", n_layer=1).notes == ()


def test_an_n_embd_that_is_given_and_stays_the_same_needs_no_note() -> None:
    """Nothing changes, so nothing is said."""
    count = gpt2calc.count("Cerebras-GPT-111M", n_embd=768)
    assert (count.notes, count) == ((), gpt2calc.count("Cerebras-GPT-111M"))


def test_a_wrong_n_embd_over_a_model_is_the_error_it_is_alone() -> None:
    """The rule for n_head does not hide what is wrong."""
    for wrong in ("wide", None, 1.5, True, 0, -1):
        fields: dict[str, Any] = {"n_embd": wrong}
        with pytest.raises(ConfigError) as caught:
            gpt2calc.count("gpt2", **fields)
        assert caught.value.field == "n_embd"


def test_a_missing_file_is_said_to_be_missing(here: Path) -> None:
    """What looks like a path is answered as one, with the exit code of unreadable input."""
    assert here.exists()
    for name in ("no/such/config.json", "no-such-config.json", "./nothing-here", "no/such/folder/"):
        with pytest.raises(UnreadableInputError) as caught:
            resolve(name, {})
        assert str(caught.value) == f"{name}: there is no such file or folder, and no model that ships has this name"
        assert caught.value.path == name


def test_a_pipe_is_read_as_a_file_is(here: Path) -> None:
    """What a shell's <(...) gives has no length and cannot be read twice, and is a config all the same."""
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=(here / "pipe").write_text, args=(json.dumps(HUB),), daemon=True)
    writer.start()
    assert resolve("pipe", {}).dims.n_embd == 10
    writer.join(60)


def test_a_link_to_nowhere_is_missing(here: Path) -> None:
    """A broken link ends in an error and no crash."""
    (here / "config.json").symlink_to(here / "gone.json")
    with pytest.raises(UnreadableInputError):
        resolve("config.json", {})


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (PermissionError(13, "Permission denied"), "cannot be read: Permission denied"),
        (OSError(5, "Input/output error"), "cannot be read: Input/output error"),
        (FileNotFoundError(2, "No such file or directory"), "cannot be read: No such file or directory"),
    ],
    ids=["not allowed", "a broken disk", "gone in between"],
)
def test_a_file_that_cannot_be_opened_is_said_to_be_unreadable(
    error: OSError, problem: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the system says is passed on with the path. Root may read everything, so the refusal is planted."""
    written(here / "config.json")

    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnreadableInputError) as caught:
        resolve("config.json", {})
    assert str(caught.value) == f"config.json: {problem}"


@pytest.mark.parametrize(("more", "readable"), [(-1, True), (0, True), (1, False)], ids=["shorter", "just", "longer"])
def test_a_file_is_read_up_to_its_limit(more: int, here: Path, *, readable: bool) -> None:
    """The largest allowed length is read, one byte more is refused, with the limit in the message."""
    path = written(here / "config.json")
    start = path.read_bytes()
    path.write_bytes(start + b" " * (MOST_CONFIG_BYTES + more - len(start)))
    if readable:
        assert resolve(path, {}).dims.n_embd == 10
        return
    with pytest.raises(UnreadableInputError) as caught:
        resolve("config.json", {})
    assert str(caught.value) == "config.json: expected a config.json of at most 16,777,216 bytes, got more"


def test_an_endless_file_is_not_read_to_its_end(here: Path) -> None:
    """Of a terabyte of zeros, no more than the limit and a byte is read."""
    path = here / "pytorch_model.bin"
    with path.open("wb") as file:
        file.truncate(2**40)
    assert len(read_bytes(os.fspath(path))) == MOST_CONFIG_BYTES + 1
    with pytest.raises(UnreadableInputError, match="got more"):
        resolve(path, {})


def test_a_checkpoint_is_no_config(here: Path) -> None:
    """A file of weights ends in a sentence, and no crash."""
    (here / "model.safetensors").write_bytes(b"\x40\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(UnreadableInputError, match=r"^model\.safetensors: "):
        resolve("model.safetensors", {})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gpt2-xll", "gpt2-xl"),
        ("gpt-2", "gpt2"),
        ("gtp2", "gpt2"),
        ("gpt2_medium", "gpt2-medium"),
        ("distilgpt", "distilgpt2"),
        ("smal", "small"),
        ("LARGE1", "large"),
        ("nanogtp", "nanogpt"),
    ],
)
def test_a_name_that_is_nearly_a_models_is_answered_with_it(typed: str, meant: str, here: Path) -> None:
    """The error names what was typed and the nearest model; `test_hub` has what the hub is asked for."""
    assert here.exists()
    with pytest.raises((UnknownNameError, UnreadableInputError), match=f"did you mean {meant}") as caught:
        resolve(typed, {})
    assert typed in str(caught.value)


def test_an_unknown_name_carries_what_it_was_asked_for_and_what_is_known(here: Path) -> None:
    """The facts of the error are its attributes."""
    assert here.exists()
    with pytest.raises(UnknownNameError) as caught:
        resolve("gpt2-xll", {})
    assert (caught.value.kind, caught.value.name, caught.value.exit_code) == ("model", "gpt2-xll", 2)
    assert str(caught.value) == "no model is called 'gpt2-xll' and there is no such file: did you mean gpt2-xl?"
    assert set(caught.value.known) >= set(presets.names()) | {"small", "medium", "large", "xl"}


@pytest.mark.parametrize(
    "name", ["", " ", "\0", "zzzzzzzz", "a\nb", "💥", "x" * 100_000], ids=lambda name: repr(name)[:20]
)
def test_a_name_like_no_other_is_answered_in_one_line_that_can_be_read(name: str, here: Path) -> None:
    """Not everything that ships is listed, and a name of any length is shown in part."""
    assert here.exists()
    with pytest.raises(UnknownNameError) as caught:
        resolve(name, {})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000
    assert caught.value.name == name


def test_a_path_with_a_line_end_is_shown_printably(here: Path) -> None:
    """A file's name never breaks a message into lines or colours a terminal."""
    assert here.exists()
    for name in ("a\n/b.json", "\x1b[31m.json"):
        with pytest.raises(UnreadableInputError) as caught:
            resolve(name, {})
        assert str(caught.value).isprintable()
        assert caught.value.path == name


def test_resolving_what_is_resolved_changes_nothing() -> None:
    """A source stands for itself."""
    source = resolve("gpt2", {"n_layer": 3})
    assert resolve(source, {}) is source
    assert isinstance(source, Source)


def test_changes_add_up() -> None:
    """Fields over fields give what all of them at once give."""
    once = resolve("gpt2", {"n_layer": 3, "n_embd": 1536})
    twice = resolve(resolve("gpt2", {"n_layer": 3}), {"n_embd": 1536})
    assert twice.dims == once.dims
