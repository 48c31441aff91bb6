"""Every question that both sides are asked, by kind, and the files that some are about."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import gpt2calc
from tests.oracle import checkpoints, commands, configs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DATA = Path(__file__).resolve().parents[1] / "data"
CONFIGS = 10_000
"""How many random configs a whole run asks of."""

FILES = 600
"""How many of a config.json on disk."""

FIGURES = 250
"""How many printed figures that nobody published."""

PRESETS = tuple(sorted(each.name for each in gpt2calc.models()))
"""The models that ship with the tree; one that only the frozen side has shows where all are listed."""

NAMES = (
    *("wte", "wpe", "ln_1", "attn.c_attn", "attn.c_proj", "ln_cross_attn", "crossattention.c_attn"),
    *("crossattention.q_attn", "crossattention.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj", "ln_f", "lm_head"),
    *("multiple_choice_head.summary", "score", "classifier", "qa_outputs"),
    *("embedding", "attention", "cross_attention", "mlp", "layer_norm", "head", "total", "", "attn", "mpl"),
)
"""Components, groups, and a few names that are neither; "" for all of them."""


class Question(NamedTuple):
    """One question: its kind, what is asked, and with what; see `worker`."""

    kind: str
    ask: str
    words: Sequence[Any] = ()
    fields: Mapping[str, Any] = MappingProxyType({})
    about: str = ""

    def __str__(self) -> str:
        fields = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.fields.items())
        words = (json.dumps(word, ensure_ascii=False) for word in self.words)
        call = f"{self.ask}({', '.join((*words, *fields))})"
        return f"{call}: {self.about}" if self.about else call


def questions(home: Path, *, many: int = CONFIGS, part: float = 1.0, seed: int = 0) -> list[Question]:
    """Return the questions, and write the files that they are about: the same ones for the same numbers.

    Args:
        home: the folder that the files are written to, in which the questions are answered.
        many: how many random configs there are.
        part: which part of all other questions is asked, drawn at random from each kind; 1 for all.
        seed: of all that is random.
    """

    def chance(kind: str) -> random.Random:
        return random.Random(f"{seed} {kind}")  # each kind draws for itself, so that one that grows moves no other

    def some(kind: str, all_of_them: Iterable[Any]) -> list[Any]:
        found = list(all_of_them)
        return found if part == 1 else chance(f"some {kind}").sample(found, -(-len(found) * round(part * 1000) // 1000))

    commands.write(home)
    files = [(f"configs/{number}.json", configs.text(chance(f"file {number}"))) for number in range(FILES)]
    (home / "configs").mkdir()
    asked: list[Question] = [*_tables(), *random_configs(chance("config"), many)]
    for name, content in some("file", files):
        (home / name).write_bytes(content)
        asked.append(Question("file", "model", [name], {"formula": "total"}))
    for kind, drawn in (
        ("preset", presets()),
        ("changed", changed_presets(chance("changed"))),
        ("formula", formulas()),
        ("explain", figures(chance("explain"))),
        ("design", designs()),
        ("sweep", sweeps()),
    ):
        asked += some(kind, drawn)
    found = checkpoints.checkpoints(chance("checkpoint"), libraries=part == 1)
    for number, checkpoint in enumerate(some("checkpoint", found)):
        for ask, words, fields in checkpoints.asked(checkpoint, home / "files" / f"{number:05}", home):
            asked.append(Question("checkpoint", ask, words, fields, checkpoint.name))
    asked += [
        Question("command", "command", words, {"stdin": commands.STDIN} if "-" in words else {})
        for words in some("command", commands.lines())
    ]
    return asked


def _tables() -> Iterator[Question]:
    """Yield what is asked once."""
    for name in ("public", "presets", "conventions", "page"):
        yield Question(name, name)
    yield Question("claims", "claims")
    yield Question("claims", "claims", ["claims.toml"])
    yield Question("claims", "claims", ["broken.json"])
    yield Question("preset", "compare", list(PRESETS))


def random_configs(chance: random.Random, many: int) -> Iterator[Question]:
    """Yield models that are given as keywords, and as mappings, in turn; of some, a closed form is derived too."""
    for number in range(many):
        document = configs.document(chance, more=number % 2 == 0)
        derived = {"formula": chance.choice(("total", chance.choice(NAMES)))} if number % 8 < 2 else {}
        if number % 2 == 0:
            yield Question("config", "model", [document], derived)
        elif not {"hub", "revision", "formula"} & document.keys():
            yield Question("config", "model", [], {**document, **derived})


def presets() -> Iterator[Question]:
    """Yield every model that ships, by its name."""
    for name in PRESETS:
        yield Question("preset", "model", [name], {"formula": "total"})
    for word in (
        "small",
        "medium",
        "large",
        "xl",
        "openai-community/gpt2",
        "124M",
        "GPT2",
        "gpt-2",
        "gtp2",
        "",
        "gpt3",
    ):
        yield Question("preset", "model", [word], {"formula": ""})


def changed_presets(chance: random.Random) -> Iterator[Question]:
    """Yield models that ship, with other fields."""
    for _ in range(400):
        yield Question("changed", "model", [chance.choice(PRESETS)], configs.document(chance, more=False))
    for _ in range(100):
        pair = chance.sample(PRESETS, 2)
        yield Question("changed", "compare", [*pair, configs.document(chance, more=True)])


def formulas() -> Iterator[Question]:
    """Yield every closed form: in letters alone, and of models of other structure."""
    for name in NAMES:
        yield Question("formula", "formula", [name or None])
        for model in ("gpt2", "gpt2-untied", "vit-gpt2-decoder", "nanogpt-no-bias"):
            yield Question("formula", "formula", [name or None, model])
        yield Question("formula", "formula", [name or None], {"n_inner": 5, "head": "double_heads", "bias": False})


def figures(chance: random.Random) -> Iterator[Question]:
    """Yield figures that were published, each alone and of its model, and others in the ways that people print them."""
    rows = [json.loads(line) for line in (DATA / "published_numbers.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        yield Question("explain", "explain", [row["figure"]])
        yield Question("explain", "explain", [row["figure"]], row["fields"])
    for several in (["117M", "345M", "762M", "1542M"], ["548 MB", "1.52 GB"], ["124M", "355M", "774M", "1.5B"], []):
        yield Question("explain", "explain", [several])
    texts = ("0.1 %", "0", "-1", "twelve", "", "1,2,3", "12x", "1e400", "5 kg", "137 million", "~124 M", "0.5", "NaN")
    odd: Sequence[Any] = (*texts, 124439808, 0, -3, 10**30, 1.5, None, True)
    for figure in odd:
        yield Question("explain", "explain", [figure, "gpt2"])
    for _ in range(FIGURES):
        number = configs.size(chance, 10**12, 1000)
        figure = chance.choice(
            (
                f"{number / 1e6:.0f}M",
                f"~{number / 1e6:.1f}M",
                f"{number / 1e9:.2f}B",
                f"{number:,}",
                f"{number}",
                f"{number * 4 / 1e6:.0f} MB",
                f"{number * 2 / 2**30:.2f} GiB",
                f"{number / 1e6:.0f} million",
                f"{number:.2e}",
            )
        )
        models = [chance.choice(PRESETS)] if chance.random() < 0.5 else []
        yield Question("explain", "explain", [figure, *models])


def designs() -> Iterator[Question]:
    """Yield numbers to find shapes for, and what is in the way of some."""
    asked: list[tuple[list[Any], dict[str, Any]]] = [
        (["350M"], {}),
        ([124_439_808], {"top": 3}),
        (["1.5B"], {"convention": "untied", "head_size": 64}),
        (["350M"], {"n_layer": 24, "pareto": True}),
        (["350M"], {"n_layer": "12:48:12", "inner_ratio": "2:6", "inner_multiple": 64}),
        (["124M"], {"pad": [1, 64, 128], "embd_multiple": 128, "aspect": "40:80"}),
        (["90M", "gpt2-medium"], {"vocab_size": 32000, "n_positions": 512}),
        ([], {"fits": "24GB", "dtype": "bf16", "top": 5}),
        ([], {"fits": "500MiB", "dtype": "fp32"}),
        ([], {"fits": "24GB"}),
        (["10"], {}),
        (["350M"], {"n_layer": "12,24:48:12"}),
        (["350M"], {"n_embd": 1000, "head_size": 64}),
        (["350,5M"], {}),
        (["350M"], {"convention": "kaplan_"}),
        ([], {}),
    ]
    for words, fields in asked:
        yield Question("design", "design", words, fields)


def sweeps() -> Iterator[Question]:
    """Yield grids, conditions and orders, and what is no grid."""
    asked: list[tuple[list[Any], dict[str, Any]]] = [
        ([], {"n_layer": [6, 12, 24], "n_embd": [384, 768, 1024], "columns": "all"}),
        (["gpt2-xl"], {"vocab": [50257, 50304], "tied": [True, False]}),
        ([], {"n_layer": "6:48", "d_model": "512:2048:64", "where": "total<400e6 and mlp_share>0.5", "top": 10}),
        ([], {"n_layer": list(range(1, 60)), "n_embd": list(range(64, 1025, 64)), "where": "340e6<total<360e6"}),
        ([], {"n_layer": [12], "head": ["lm", "none", "double_heads", "token_classification"], "columns": "all"}),
        ([], {"bias": [True, False], "qkv_bias": [True, False], "ln_f": [True, False], "columns": "all"}),
        ([], {"n_inner": [0, 100, 3072], "sort": "total"}),
        (["gpt2-medium"], {"n_positions": [512, 1024, 2048], "sort": "total:desc", "top": 2}),
        ([], {"pad_vocab_size_multiple": [1, 64, 128], "columns": "vocab_size,total"}),
        ([], {"n_embd": [768, 1000], "n_head": [12]}),
        ([], {"file": "configs.csv"}),
        ([], {"file": "broken.json"}),
        ([], {"n_layer": 10**12, "n_embd": 10**6}),
        ([], {"n_layer": "12,24:48:12"}),
        ([], {"vocab": "50,257"}),
        ([], {"n_layer": [1, 2], "where": "totl > 3"}),
        ([], {"n_layer": [1, 2], "columns": "totl"}),
        ([], {"n_layr": [1, 2]}),
        ([], {"n_layer": []}),
        ([], {}),
    ]
    for words, fields in asked:
        yield Question("sweep", "sweep", words, fields)


def counted(asked: Iterable[Question]) -> dict[str, int]:
    """Return how many questions there are of each kind."""
    return dict(Counter(question.kind for question in asked))
