"""`gpt2calc --print-completion SHELL`: a completion script, made by shtab from the commands' own parsers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "tcsh")


def write(parser: argparse.ArgumentParser, shell: str) -> int:
    """Print the script for a shell, in which a MODEL completes to the models that ship and to files."""
    try:
        import shtab
    except ImportError:
        from gpt2calc.errors import install

        print(f"gpt2calc: completion needs the package shtab: {install('completion')}", file=sys.stderr)
        return 2
    from gpt2calc import presets

    names = " ".join(presets.names())
    preamble = {
        "bash": f'_gpt2calc_model() {{\n  compgen -W "{names}" -- "$1"\n  compgen -f -- "$1"\n}}',
        "zsh": f'_gpt2calc_model() {{\n  _alternative "models:model:({names})" "files:file:_files"\n}}',
    }
    for action in _models(parser):
        action.complete = {"bash": "_gpt2calc_model", "zsh": "_gpt2calc_model", "tcsh": "f:*"}  # type: ignore[attr-defined]  # read by shtab
    print(shtab.complete(parser, shell=shell, preamble=preamble.get(shell, "")))
    return 0


def _models(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return every argument of every command that names a model."""
    found = []
    for action in parser._actions:  # noqa: SLF001  # argparse has no public way to walk its own tree
        if isinstance(action.choices, dict):
            found += [model for command in action.choices.values() for model in _models(command)]
        elif action.metavar == "MODEL":
            found.append(action)
    return found
