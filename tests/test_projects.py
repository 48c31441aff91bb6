"""Configs as other projects write them, in JSON, YAML, TOML and Python: counted, with what was passed over told.

`tests/data/configs_of_others.jsonl` holds a config a line, with its public source, and what must come out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import gpt2calc
from gpt2calc import ConfigError, UnreadableInputError
from gpt2calc.fields import FIELDS
from gpt2calc.notations import in_python, in_toml, in_yaml, read
from gpt2calc.spellings import PROJECTS
from tests.loops import of_each

FILE = Path(__file__).parent / "data" / "configs_of_others.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def test_there_are_cases() -> None:
    """The file holds what these tests are about."""
    assert len(CASES) > 30


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_config_is_counted_or_refused_by_name(case: dict[str, Any], tmp_path: Path) -> None:
    """The number is exact and what is not plain is told; or one sentence says what is in the way."""
    path = tmp_path / case["name"]
    path.write_text(case["text"], encoding="utf-8")
    if "error" in case:
        with pytest.raises(UnreadableInputError) as caught:
            gpt2calc.count(path)
        assert caught.value.problem.startswith(case["error"])
        return
    count = gpt2calc.count(path)
    assert count.total == case["total"]
    assert case.get("note") is None or case["note"] in count.notes


SIZED = {"n_layer": 12, "n_embd": 768, "vocabulary_size": 700}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (SIZED | {"layers": "3x"}, "n_layer=12 and layers=3x disagree"),
        (SIZED | {"layers": ["odd"]}, r"n_layer=12 and layers=\['odd'\] disagree"),
        (SIZED | {"intermediate_dim": "3072x"}, "n_inner must be a whole number, 0 or more, got '3072x'"),
        ({"model": SIZED, "n_positions": "64 tokens"}, "n_positions must be a whole number, 1 or more"),
        ({"model": SIZED, "n_positions": "64"}, "n_positions must be a whole number, 1 or more, got '64'"),
    ],
)
def test_a_size_that_is_mistyped_is_no_word_that_is_passed_over(document: dict[str, Any], problem: str) -> None:
    """Beside a project's keys as beside ours, and outside of the object that gives the others."""
    with pytest.raises(ConfigError, match=problem):
        gpt2calc.count(document)


def test_a_word_where_others_have_a_size_is_told() -> None:
    """The name of a file, say."""
    notes = gpt2calc.count(SIZED | {"vocab": "vocab.txt", "layers": "odd"}).notes
    assert "not read, as no size is written so: vocab=vocab.txt, layers=odd" in notes


def test_every_key_of_a_project_is_a_field() -> None:
    """The table of projects and that of fields go together."""
    assert {field for row in PROJECTS for field in row.keys.values()} <= FIELDS.keys()
    assert all(row.source for row in PROJECTS)


def test_a_python_file_is_never_run(tmp_path: Path) -> None:
    """What it calls is not called, whatever its name."""
    trap = tmp_path / "ran"
    text = f"open({str(trap)!r}, 'w')\nn_layer = 2\nn_embd = 64\nvocab_size = __import__('os').getpid()\n"
    with pytest.raises(ConfigError, match="vocab_size must be a whole number, 1 or more, got no literal at line 4"):
        gpt2calc.count(in_python(text))
    assert not trap.exists()


@pytest.mark.parametrize(
    ("reader", "text", "problem"),
    [
        (in_python, "n_layer = = 2", "not Python: invalid syntax at line 1"),
        (in_python, "print(1)", "expected assignments such as n_layer = 12, or a dictionary, got Python without any"),
        (in_python, "n_layer = 2\nn_layer = 3", "n_layer is given twice, as 2 and as 3"),
        (in_toml, "n_layer = ", "not TOML: Invalid value (at end of document)"),
        (in_yaml, "n_layer: [", "not YAML that is plain data: expected the node content"),
        (in_yaml, "- 12", "expected a mapping in YAML such as n_layer: 12, got array"),
    ],
)
def test_a_text_that_is_not_what_its_name_says_is_refused(reader: Any, text: str, problem: str) -> None:
    """The reader says where."""
    with pytest.raises(ConfigError) as caught:
        reader(text)
    assert str(caught.value).startswith(problem)


def test_a_long_text_is_not_read() -> None:
    """YAML and Python are read in memory by the line."""
    with pytest.raises(ConfigError, match="expected a config of at most 262,144 characters, got 262,152"):
        read("a: " + "x" * (2**18 + 5), "config.yaml")


@pytest.mark.parametrize("text", ["[" * 1_000, "{a: " * 2_000, "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b,*b]"])
def test_a_deep_or_knotted_text_ends_in_a_sentence(text: str) -> None:
    """Neither the reader nor what walks its result runs away."""
    with pytest.raises(ConfigError):
        gpt2calc.count(in_yaml(text))


def test_without_pyyaml_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else needs it."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError, match=r"reading YAML needs PyYAML: .* -m pip install PyYAML"):
        in_yaml("n_layer: 2")
    assert gpt2calc.count(in_toml("n_layer = 12")).total == 124_439_808


DATACLASS = "class GPTConfig:\n    n_layer: int = 12\n    n_head: int = 12\n    n_embd: int = 768\n"
DICTIONARY = "cfg = dict(n_layer=12, n_head=12, n_embd=768)\n"


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("model = GPT(GPTConfig(n_layer=24, n_head=16, n_embd=1024))", (24, 16, 1024)),
        ("config = GPTConfig(n_layer=5)", (5, 12, 768)),
        ("a = GPTConfig(n_layer=5)\nb = GPTConfig(n_layer=5)", (5, 12, 768)),
        ("def load(**said):\n    return GPT(GPTConfig(**said))", (12, 12, 768)),
        ("class Head:\n    def __init__(self, config):\n        self.n_embd = config.n_embd", (12, 12, 768)),
    ],
)
def test_a_class_that_a_python_file_calls_has_the_keywords_of_the_call(text: str, sizes: tuple[int, ...]) -> None:
    """They win over its defaults; what a function does with its own arguments is not the file's."""
    n_layer, n_head, n_embd = sizes
    count = gpt2calc.count(in_python(DATACLASS + text))
    assert count.dims == gpt2calc.count(n_layer=n_layer, n_head=n_head, n_embd=n_embd).dims


def test_a_class_that_a_python_file_calls_in_two_ways_is_refused() -> None:
    """Both lines are named."""
    with pytest.raises(ConfigError, match="GPTConfig is called with other values at line 5 and at line 6"):
        in_python(f"{DATACLASS}a = GPTConfig(n_layer=5)\nb = GPTConfig(n_layer=6)")


@of_each(
    "before, text",
    [
        (DATACLASS, "a = GPTConfig()\na.n_layer = 24"),
        (DATACLASS, "GPTConfig.n_layer = 6"),
        (DATACLASS, "    def __post_init__(self):\n        self.n_layer = 24"),
        (DATACLASS, "if big:\n    a = GPTConfig(n_layer=24)"),
        (DATACLASS, "def main():\n    GPT(GPTConfig(n_layer=24))"),
        (DATACLASS, "def main():\n    a = GPTConfig()\n    a.n_layer = 24"),
        (DATACLASS, "GPT(GPTConfig(**others))"),
        (DATACLASS, "GPT(GPTConfig(24))"),
        (DATACLASS, "a = replace(GPTConfig(), n_layer=24)"),
        (DATACLASS, "a = GPTConfig()\nobject.__setattr__(a, 'n_layer', 24)"),
        (DICTIONARY, "cfg['n_layer'] = 24"),
        (DICTIONARY, "for key in keys:\n    cfg[key] = 24"),
        (DICTIONARY, "cfg.update(n_layer=24)"),
        (DICTIONARY, "cfg.update({'n_layer': 24})"),
        (DICTIONARY, "cfg.update(others)"),
        (DICTIONARY, "cfg |= others"),
        (DICTIONARY, "other = cfg | {'n_layer': 24}"),
        (DICTIONARY, "other = {**cfg, 'n_layer': 24}"),
        (DICTIONARY, "other = dict(cfg, n_layer=24)"),
        (DICTIONARY, "model = GPT(n_layer=24, **cfg)"),
        (DICTIONARY, "del cfg['n_layer']"),
        (DICTIONARY, "cfg.pop('n_layer')"),
        (DICTIONARY, "setattr(cfg, 'n_layer', 24)"),
        (DICTIONARY, "def main():\n    cfg['n_layer'] = 24"),
        ("n_layer = 12\nn_embd = 768\n", "del n_layer"),
        ("n_layer = 12\nn_embd = 768\n", "(n_layer := 24)"),
        ("n_layer = 12\nn_embd = 768\n", "globals()['n_layer'] = 24"),
        ("n_layer = 12\nn_embd = 768\n", "def main():\n    global n_layer\n    n_layer = 24"),
    ],
)
def test_what_a_python_file_changes_in_another_way_is_refused_with_its_line(before: str, text: str) -> None:
    """A size is never read past a statement that may change it."""
    with pytest.raises(ConfigError, match=r"n_layer must be a whole number, 0 or more, got no literal at line \d+: "):
        gpt2calc.count(in_python(before + text))
