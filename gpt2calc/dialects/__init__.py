"""Naming dialects: what the names in a checkpoint mean, one table a dialect, a file each."""

from __future__ import annotations

from gpt2calc.dialects.gguf import GGUF
from gpt2calc.dialects.huggingface import HUGGINGFACE
from gpt2calc.dialects.llmc import LLMC
from gpt2calc.dialects.megatron import MEGATRON
from gpt2calc.dialects.nanogpt import NANOGPT
from gpt2calc.dialects.openai import OPENAI
from gpt2calc.dialects.raschka import RASCHKA
from gpt2calc.dialects.transformerlens import TRANSFORMERLENS

DIALECTS = (HUGGINGFACE, NANOGPT, OPENAI, TRANSFORMERLENS, RASCHKA, GGUF, LLMC, MEGATRON)
"""Every dialect; of two that read a file equally well, the first is taken."""
