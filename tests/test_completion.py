"""Completion: the script is loaded into a real bash and asked what it would offer."""

from __future__ import annotations

import subprocess

import pytest

from gpt2calc.cli import build_parser, completion
from gpt2calc.cli.plot import KINDS
from gpt2calc.fields import FIELDS

ASK = """
source /dev/stdin <<'SCRIPT'
{script}
SCRIPT
COMP_WORDS=({words} "{last}")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
$(complete -p gpt2calc | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script() -> str:
    """Return the completion script for bash."""
    from contextlib import redirect_stdout
    from io import StringIO

    import shtab  # noqa: F401  # where it is missing, the fixture fails and says so

    with redirect_stdout(StringIO()) as printed:
        assert completion.write(build_parser(with_commands=True), "bash") == 0
    return printed.getvalue()


@pytest.mark.parametrize(
    ("words", "last", "offered"),
    [
        pytest.param("gpt2calc", "co", {"count", "compare", "cost"}, id="a command"),
        pytest.param("gpt2calc count", "gpt2-l", {"gpt2-large"}, id="a model"),
        pytest.param("gpt2calc compare gpt2", "distil", {"distilgpt2"}, id="a second model"),
        pytest.param("gpt2calc formula --model", "distil", {"distilgpt2"}, id="a model after an option"),
        pytest.param("gpt2calc count", "--n-p", {"--n-positions"}, id="an option"),
        pytest.param("gpt2calc count --format", "", {"human", "json", "csv", "markdown", "latex"}, id="a format"),
        pytest.param("gpt2calc count --head", "", set(FIELDS["head"].words), id="a head"),
        pytest.param("gpt2calc tensors --summary-type", "", {"cls_index", "last", "first", "mean"}, id="a summary"),
        pytest.param("gpt2calc design --dtype", "f", {"fp32", "fp16"}, id="a dtype"),
        pytest.param("gpt2calc design --convention", "stored", {"stored_with_masks"}, id="a convention"),
        pytest.param("gpt2calc plot", "", set(KINDS), id="a kind of plot"),
        pytest.param("gpt2calc plot shares --theme", "", {"light", "dark"}, id="a theme"),
        pytest.param("gpt2calc formula", "attn.", {"attn.c_attn", "attn.c_proj"}, id="a component"),
        pytest.param("gpt2calc sweep --columns", "tot", {"total"}, id="a column"),
    ],
)
def test_bash_offers(script: str, words: str, last: str, offered: set[str]) -> None:
    """What a person gets who presses the tabulator key."""
    asked = ASK.format(script=script, words=words, last=last)
    answer = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert set(answer.stdout.split()) == offered
