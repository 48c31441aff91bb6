"""Command lines, each run as a program of its own, 80 columns wide and without colour, beside the files of `write`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tests.makers import safetensors, tensorflow

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("human", "json", "csv", "markdown", "latex")

IN_EVERY_FORMAT = """
count gpt2
count --n-layer 24 --d-model 1024 --untied
compare small medium large xl
formula
formula attn.c_attn --model gpt2
tensors tiny-gpt2
models
claims
verify model.ckpt
verify model.ckpt --n-layer 1 --n-positions 17
explain 137M gpt2
design --params 350M
sweep --n-layer 12,24 --n-embd 768,1600 --tied true,false
plot shares small xl
"""

OTHERS = """

--help
count --help
sweep --help
nothing
count gpt3
count nowhere/config.json
count gpt2 -q
count gpt2 --conventions
count gpt2 --conventions --format csv
count gpt2 --per-block
count config.json
count broken.json
count -
count gpt2 --vocab 50,257
count gpt2 --n-embd 1,024
count gpt2 --n-layer 1e1
count gpt2 --n-layer twelve
count gpt2 --n-layer -1
count gpt2 --n-layr 3
count gpt2 --n-head 7
count gpt2 --head double_heads --num-labels 5
count gpt2-xl --block-size 2048 --no-bias --pad-vocab 64
count --n-layer 1000000000000000000000
compare gpt2 gpt2-xl
compare
formula total --format latex
formula total --n-inner 5
formula nothing
formula mlp --model gpt2-medium
tensors gpt2 -q
verify model.ckpt --tying --values
verify model.ckpt -q
verify model.safetensors --config config.json
verify model.safetensors --json
verify config.json
verify broken.json
verify nowhere
infer model.ckpt
infer model.safetensors
infer broken.json
explain 117M 345M 762M 1542M --top 1
explain 548 MB 498 MB gpt2
explain ~355M "<0.1 %"
explain twelve
design --fits 24GB --dtype bf16 --pad 1,128 --head-size 128
design --params 350M --inner-ratio 2:6 --inner-multiple 64 --pareto
design --params 350M --n-layer 12,24:48:12
design --params 10
design gpt2 --params 1.5B --convention kaplan
sweep --n-layer 12,24:48:12
sweep --vocab 50,257
sweep --n-layer 12:48:12 --n-embd 768:1600:32 --where "1e9 < total < 1.6e9"
sweep --n-layer 1:5 --columns all --format csv
sweep --n-layer 1:5 --format jsonl
sweep --n-layer 1:5 --sort total:desc --top 2 -q
sweep --n-layer 1:5 --where "totl > 3"
sweep --file configs.csv
sweep --file configs.csv --json
claims -q
claims --strict
claims --file claims.toml
claims --file broken.json
plot totals small medium large xl
plot growth gpt2 --n-layer 6:96
plot treemap gpt2
plot layernorm small xl
plot weights-biases small xl
plot values model.ckpt
"""

STDIN = '{"n_layer": 3, "n_embd": 48}'
"""What a command finds on standard input."""

CLAIMS = """
[[claim]]
id = "total"
says = "the smallest size has 124 million parameters"
quantity = "total"
claimed = { small = "124M", xl = "1.5B" }

[[claim]]
id = "half"
says = "half of it is the MLP"
quantity = "mlp / total"
claimed = { small = "50 %" }
"""


def lines() -> list[list[str]]:
    """Return the words of each command line."""
    every = [[*shlex.split(line), "--format", form] for line in _lines(IN_EVERY_FORMAT) for form in FORMATS]
    return [[], *every, *map(shlex.split, _lines(OTHERS))]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def write(home: Path) -> None:
    """Write the files that the command lines name."""
    tensorflow.write(str(home / "model.ckpt"), tensorflow.gpt2())
    safetensors.write(home / "model.safetensors", safetensors.released(2, 8, n_positions=16, vocab_size=11))
    (home / "config.json").write_text(
        '{"model_type": "gpt2", "n_layer": 2, "n_embd": 8, "n_ctx": 16, "n_head": 2, "vocab_size": 11}'
    )
    (home / "broken.json").write_text('{"n_layer": 12,')
    (home / "configs.csv").write_text("n_layer,n_embd\n12,768\n24,1024\n")
    (home / "claims.toml").write_text(CLAIMS)
