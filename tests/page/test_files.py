"""A file that is dropped on the page gets the verdict that `gpt2calc verify` gives it, word for word."""

from __future__ import annotations

import base64
import json
import os
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import gpt2calc
from gpt2calc.architectures import reading
from gpt2calc.errors import UnreadableInputError
from gpt2calc.sources import LEFT_OUT
from gpt2calc.webpage import checking
from tests import test_safetensors, test_strict_json
from tests.architectures import drawing
from tests.faults import configs, single
from tests.fuzz import mutations
from tests.goods import GOODS, X
from tests.makers import safetensors, shards

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser import Watched

NAME = "model.safetensors"

VERIFY = """
async (cases) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const answers = [];
  for (const {files, config} of cases) {
    try {
      const given = files.map(([name, content]) => new File([bytes(content)], name));
      answers.push(json(await ask("check", given, config, "config")));
    } catch (error) {
      if (!(error instanceof Sentence)) throw error;
      answers.push(json({unreadable: error.message}));
    }
  }
  return answers;
}
"""


class Case(NamedTuple):
    """Files, the config they are held against, and what is special about them."""

    about: str
    files: dict[str, bytes]
    config: dict[str, Any] | None = None


def case(about: str, tensors: Any, config: dict[str, Any] | None = None) -> Case:
    """Return a case of one good file of these tensors."""
    return Case(about, {NAME: safetensors.content(tensors)}, config)


def asked(opened: Watched, cases: list[Case]) -> list[Any]:
    """Return what the page says of each case."""
    given = [
        {
            "files": [[name, base64.b64encode(content).decode()] for name, content in each.files.items()],
            "config": None if each.config is None else json.dumps(each.config),
        }
        for each in cases
    ]
    return [json.loads(text) for text in opened.page.evaluate(VERIFY, given)]


def expected(each: Case, folder: Path) -> Any:
    """Return what Python says of a case."""
    folder.mkdir(exist_ok=True)
    for name, content in each.files.items():
        (folder / name).write_bytes(content)
    try:
        found = gpt2calc.verify(next(iter(each.files)), LEFT_OUT if each.config is None else each.config)
    except UnreadableInputError as error:
        return {"unreadable": str(error)}
    return json.loads(json.dumps(checking.told(found)))


def agree(opened: Watched, cases: list[Case], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Ask the page and Python of each case, and see that they say the same; return what they say."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    answers = asked(opened, cases)
    for each, answer in zip(cases, answers, strict=True):
        assert expectation(answer) == expectation(expected(each, folder)), each.about
    return answers


def expectation(answer: Any) -> Any:
    """Return an answer, of what cannot be read what was expected: what was got each says in its own words."""
    return {**answer, "unreadable": answer["unreadable"].split(", got ")[0]} if "unreadable" in answer else answer


def plain(name: str) -> list[Any]:
    """Return the tensors of one of the good checkpoints."""
    return next(good.tensors for good in GOODS if good.name == name)


def test_good_files_match(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every naming, with and without their config."""
    cases = [case(good.name, good.tensors, config) for good in GOODS for config in (good.config, None)]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert len(answers) > 25
    assert all(answer["matches"] for answer in answers)


FAULTY = ["huggingface with U8 masks", "untied", "nanogpt"]
"""Checkpoints in which faults are planted; more of them with GPT2CALC_EXAMPLES."""
if "GPT2CALC_EXAMPLES" in os.environ:
    FAULTY += ["bare", "cross-attention", "GPT2DoubleHeadsModel"]


@pytest.mark.parametrize("name", FAULTY)
def test_every_fault_of_a_single_tensor_is_found_and_named(
    name: str, loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same verdict, the same tensors and the same sentences, without a config and with it."""
    good = next(good for good in GOODS if good.name == name)
    planted = list(single(good.tensors))
    drawn = random.Random(5).sample(planted, min(len(planted), 12))
    cases = [case(each.id, each.tensors, config) for each in drawn for config in (good.config, None)]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert sum(not answer.get("matches", False) for answer in answers) > 0.9 * len(answers)


def test_a_wrong_config_is_found_out(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good file is held against configs that differ in one field."""
    good = next(good for good in GOODS if good.name == "huggingface")
    cases = [case(about, good.tensors, config) for about, config in configs({**X.config(), **good.config})]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert sum(answer["matches"] for answer in answers) < len(answers) / 4


WRAPPED = ["module.", "module._orig_mod.", "model.", "decoder.lm."]


def test_prefixes_are_seen_through(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any kind, with and without `transformer.`; what stands elsewhere is left aside, and two models are refused."""
    cases = [
        case(f"{prefix}{name}", [(prefix + tensor, *rest) for tensor, *rest in plain(name)])
        for prefix in WRAPPED
        for name in ("bare", "huggingface")
    ]
    within = [("decoder." + tensor, *rest) for tensor, *rest in plain("bare")]
    aside = ("vision.weight", "F32", (3,))
    cases += [case("beside another", [*within, aside]), case("the same, by a config", [*within, aside], X.config())]
    cases.append(case("twice", [*within, *plain("huggingface")]))
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert [answer.get("matches") for answer in answers] == [True] * 10 + [None]


def test_matrices_lie_as_whoever_the_config_is_for_builds_them(
    loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transformers' and nanoGPT's under a config of transformers, of nobody, and of nanoGPT."""
    of_nanogpt = {**X.config(), "model_type": "gpt2", "gpt2calc": {"maker": "nanogpt"}}
    marked = {**X.config(), "model_type": "gpt2"}
    configs = ({**marked}, {**X.config()}, of_nanogpt, {**marked, "vocab_size": X.vocab_size - 1})
    cases = [case(f"{name}, {n}", plain(name), each) for name in ("bare", "nanogpt") for n, each in enumerate(configs)]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert [answer["matches"] for answer in answers] == [True, True, False, False, False, True, True, False]
    assert answers[3]["verdict"].startswith(f"{NAME} does not match: it has vocab_size 31 and not 30, by wte.weight (")
    assert answers[5]["verdict"].endswith(", under nanoGPT's names, whose matrices are [out, in]")


def test_dtypes_and_names_in_the_metadata_are_judged_alike(
    loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A component with a dtype of its own, dtypes that no parameter has, and tensors under a second name."""
    good = next(good for good in GOODS if good.name == "huggingface")
    wide = [(name, "F32" if "ln_" in name or "wte" in name else "BF16", shape) for name, _, shape in good.tensors]
    odd = [[(name, dtype, shape) for name, _, shape in good.tensors] for dtype in ("C64", "F8_E8M0", "I32")]
    head = [("lm_head.weight" if "wte" in name else name, dtype, shape) for name, dtype, shape in good.tensors]
    twice = [each for each in good.tensors if each[0] != "transformer.h.1.ln_2.weight"]
    named = {"transformer.wte.weight": "lm_head.weight"}
    shared = {"transformer.h.1.ln_2.weight": "transformer.h.0.ln_1.weight", "x": "transformer.wte.weight"}
    cases = [
        *(case(str(n), tensors, good.config) for n, tensors in enumerate([wide, *odd])),
        Case("save_model", {NAME: safetensors.content(head, {"format": "pt", **named})}, good.config),
        Case("save_model alone", {NAME: safetensors.content(head, {"format": "pt", **named})}),
        Case("not the model's", {NAME: safetensors.content(twice, {"format": "pt", **shared})}, good.config),
    ]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert [answer["matches"] for answer in answers] == [True, False, False, False, True, True, False]


def differing(tensors: list[Any], place: int | None) -> bytes:
    """Return a file with wte and lm_head, all zeros but for one byte of the head."""
    content = bytearray(safetensors.content(tensors))
    header = 8 + int.from_bytes(content[:8], "little")
    document = json.loads(content[8:header])
    if place is not None:
        content[header + document["lm_head.weight"]["data_offsets"][0] + place] = 1
    return bytes(content)


def test_a_stored_head_is_compared_bit_by_bit(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has wte's values is tied and stored twice; one that differs in a byte is not, and where is said."""
    good = next(good for good in GOODS if good.name == "untied")
    tied = {**good.config, "tie_word_embeddings": True}
    cases = [
        Case(f"byte {place}, {config}", {NAME: differing(good.tensors, place)}, config)
        for place in (None, 0, 4 * X.n_embd + 7)
        for config in (None, tied, good.config)
    ]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert [answer["matches"] for answer in answers] == [True, True, True, True, False, True, True, False, True]


def test_hostile_files_are_refused(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lying lengths, overlaps, gaps, shapes that do not go with offsets, keys twice: unreadable there and here."""
    monkeypatch.chdir(tmp_path)
    cases = [Case(about, {NAME: content}) for about, (content, _) in test_safetensors.FAULTS.items()]
    cases += [Case(f"seed {n}", {NAME: content[:-1]}) for n, content in enumerate(safetensors.seeds())]
    for each, answer in zip(cases, asked(loaded, cases), strict=True):
        wanted = expected(each, tmp_path)
        assert "unreadable" in wanted, each.about
        assert "unreadable" in answer, (each.about, answer)
        in_its_words = " in JSON, got " in wanted["unreadable"] or "read alike" in wanted["unreadable"]
        if not in_its_words and each.about not in OTHER_WORDS:
            assert expectation(answer) == expectation(wanted), each.about


OTHER_WORDS = {
    *("nothing", "seven bytes", "no header", "a space first", "an array", "a byte order mark"),
    *("no UTF-8", "an overlong character", "nesting", "half of a pair", "a number of 5,000 digits"),
    *("more elements than 64 bits count, then none", "a whole number over a float's", "a name with a line break"),
}
"""Files of which Python says what other format they may be, or has words of its own."""

BAD = {f"bad: {name}": text for name, (text, _) in test_strict_json.BAD.items()}
DOCUMENTS: dict[str, str | bytes] = {**BAD, **test_strict_json.GOOD}


def test_json_is_read_where_python_reads_it(loaded: Watched) -> None:
    """And refused where it is refused: whatever two readers could see differently."""
    script = """(documents) => Promise.all(documents.map(async (text) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      try { strictJson("x", bytes, "a header"); return null; }
      catch (error) { if (!(error instanceof Sentence)) throw error; return error.message; }
    }))"""
    texts = [text.encode() if isinstance(text, str) else text for text in DOCUMENTS.values()]
    found = loaded.page.evaluate(script, [base64.b64encode(text).decode() for text in texts])
    refused = [name for name, problem in zip(DOCUMENTS, found, strict=True) if problem]
    assert refused == list(BAD)


CHANGES = (
    mutations.flip_a_bit,
    mutations.set_a_byte,
    mutations.truncate,
    mutations.insert,
    mutations.delete,
    mutations.repeat,
)


def test_files_that_are_changed_at_random_are_judged_alike(
    loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read or refused by both, and with one verdict; what of a header is no JSON, each says in its own words."""
    chance, folder, cases = random.Random(1), tmp_path, []
    for number in range(60):
        good = chance.choice(GOODS)
        content = safetensors.content(good.tensors)
        end = 8 + int.from_bytes(content[:8], "little")
        changed = chance.choice(CHANGES)(content[8:end], chance)
        cases.append(Case(f"{good.name}, {number}", {NAME: safetensors.framed(changed, content[end:])}))
    monkeypatch.chdir(folder)
    answers = asked(loaded, cases)
    for each, answer in zip(cases, answers, strict=True):
        wanted = expected(each, folder)
        assert answer.keys() == wanted.keys(), each.about
        assert "unreadable" in answer or answer == wanted, each.about
    assert 10 < sum("unreadable" in answer for answer in answers) < 59


def test_an_index_is_read_with_its_shards(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good ones, a tensor in the wrong shard, in two or in none, and a sum that is wrong."""
    parts = shards.tiny()
    first, second, _ = parts

    def files(index: bytes, changed: dict[str, list[Any]] = parts) -> dict[str, bytes]:
        return {shards.INDEX: index, **{name: safetensors.content(part) for name, part in changed.items()}}

    moved = {**parts, first: parts[first][1:], second: [parts[first][0], *parts[second]]}
    twice = {**parts, second: [parts[first][0], *parts[second]]}
    dropped = {**parts, first: parts[first][1:]}
    cases = [
        *(Case(f"seed {n}", files(index)) for n, index in enumerate(shards.seeds())),
        Case("moved", files(shards.index(parts), moved)),
        Case("twice", files(shards.index(parts), twice)),
        Case("dropped", files(shards.index(parts), dropped)),
        Case("not in the index", files(shards.index(dropped))),
        Case("another sum", files(shards.index(parts, total_size=5))),
        Case("a sum of text", files(shards.index(parts, total_size="5"))),
        Case("other parameters", files(shards.index(parts, total_parameters=63))),
    ]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert [answer["matches"] for answer in answers] == [True] * 3 + [False] * 6 + [True]


def test_an_index_without_its_shards_says_which_are_missing(loaded: Watched) -> None:
    """The page sees only what it was given."""
    (answer,) = asked(loaded, [Case("alone", {shards.INDEX: shards.index(shards.tiny())})])
    assert answer["unreadable"].startswith(f"{shards.INDEX}: expected the shard 'model-00001-of-00003.safetensors'")


def test_some_blocks_are_told_as_a_part(loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their config and without; of each, those of one block, and with what stands outside."""
    kept = (("h.0.",), ("h.1.", "ln_f."), ("h.0.", "wte", "wpe"))
    files = [[each for each in plain("bare") if each[0].startswith(names)] for names in kept]
    cases = [case(str(len(tensors)), tensors, config) for tensors in files for config in (X.config(), None)]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert sum("does not match the whole model: it holds block" in answer["verdict"] for answer in answers) >= 4


def test_what_stands_beside_a_model_is_judged_alike(
    loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter's matrices, scales of what is packed, a value head."""
    pair = [(f"h.0.attn.c_attn.lora_{part}.weight", "F32", (4, 4)) for part in "AB"]
    cases = [
        case("adapter", [*plain("bare"), *pair]),
        case("packed", [*plain("bare"), ("h.0.attn.c_attn.SCB", "F32", (4,))]),
        case("value head", [*plain("bare"), ("v_head.summary.weight", "F32", (1, 4))]),
    ]
    agree(loaded, cases, tmp_path, monkeypatch)


FAMILIES = ("llama", "qwen3_moe", "mamba")


@pytest.mark.parametrize("model_type", FAMILIES)
def test_files_of_other_families_get_pythons_verdict(
    model_type: str, loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are, without a tensor, with one too many, and one that is turned; by their config, and by nothing."""
    config = drawing.config(model_type, 1, 0)
    model = reading.read(config).model
    good = [(each.name, "F32", each.shape) for each in model.listing()]
    place = next(n for n, (_, _, shape) in enumerate(good) if len(shape) == 2 and shape[0] != shape[1])
    name, dtype, shape = good[place]
    files = {
        "good": good,
        "one is missing": [*good[:place], *good[place + 1 :]],
        "one too many": [*good, ("model.more.weight", "F32", (3,))],
        "one is turned": [*good[:place], (name, dtype, shape[::-1]), *good[place + 1 :]],
    }
    cases = [case(about, tensors, given) for about, tensors in files.items() for given in (config, None)]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert answers[0]["matches"]
    assert not any(answer["matches"] for answer in answers[2::2])
