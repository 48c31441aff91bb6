"""`gpt2calc models`: the models that ship, those that a word finds, or one with all that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.cli.options import add_output, emit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from gpt2calc.presets import Preset
    from gpt2calc.table import Cell, Lines, Said, Table

EXAMPLES = """examples:
  gpt2calc models
  gpt2calc models qwen
  gpt2calc models gpt2-xl
  gpt2calc models --long
  gpt2calc models --json
  gpt2calc models -q"""


OF_FILES = ("quantization_config", "torch_dtype")
"""What a config says of files alone, and no count of parameters reads."""

HEADERS = ("model", "parameters", "published", "what it is")


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "List the models that ship with gpt2calc, with their totals and sources."
    parser.usage = "gpt2calc models [WORD] [options]"
    parser.add_argument(
        "word",
        metavar="WORD",
        nargs="?",
        help="a model's name or alias, for all that is known of it; else the models in whose names, aliases or "
        "architectures the word stands",
    )
    parser.add_argument("--long", action="store_true", help="say the aliases and the source of each")
    add_output(parser, "the names alone, a line each")


def run(arguments: argparse.Namespace) -> int:
    """List, and print."""
    from gpt2calc import presets
    from gpt2calc.counts import ParameterCount
    from gpt2calc.table import Table

    one = presets.find(arguments.word) if arguments.word else None
    named = [one.name] if one else presets.holding(arguments.word or "")
    found = [(p, ParameterCount(p.dims).total) for p in presets.models() if p.name in named]
    others = [(p, ParameterCount(p.counted).total) for p in presets.others() if p.name in named]
    of_others = Table(
        f"{_counted(others)} of other architectures",
        HEADERS,
        tuple((p.name, total, p.published or "-", _described(p, p.model_type)) for p, total in others),
    )
    whole = Table(
        "",
        ("model", "parameters", "published", "n_layer", "n_embd", "n_positions", "vocab_size", "what it is", "source"),
        tuple((p.name, total, p.published or "", *p.dims[:4], p.summary, p.source) for p, total in found),
    )

    def result() -> dict[str, Any]:
        listed = [{**preset._asdict(), "aliases": list(preset.aliases), "total": total} for preset, total in found]
        more = [{**preset._asdict(), "aliases": list(preset.aliases), "total": total} for preset, total in others]
        for each in (*listed, *more):
            del each["maker"], each["kernels"], each["on_page"]  # what `verify`, and what `cost`, alone ask for
        for each in more:
            fields = each["fields"].items()
            each["fields"] = {name: value for name, value in fields if name not in OF_FILES and value is not None}
        for each in listed:
            del each["published_active"]  # a token passes all of a GPT-2
        return {"schema": "gpt2calc/models/1", "models": listed, "others": more}

    tables = [table for table in (whole, of_others) if table.rows]
    human = _one(one, arguments.word) if one and not arguments.long else _listed(found, others, long=arguments.long)
    return emit(arguments, result=result, human=human, tables=tables, quiet=[p.name for p, _ in (*found, *others)])


def _listed(
    found: Sequence[tuple[Preset, int]], others: Sequence[tuple[Preset, int]], *, long: bool
) -> list[Table | Said]:
    """Lay models out, a line each, or with aliases and sources."""
    from gpt2calc.table import HINT, Brief, Said, Table

    def row(preset: Preset, total: int, model_type: str) -> tuple[Cell, ...]:
        said = _described(preset, model_type)
        return preset.name, total, preset.published or "-", said if long else Brief(said.lines[0])

    parts: list[Table | Said] = []
    if found:
        rows = tuple(row(preset, total, "") for preset, total in found)
        parts.append(Table(_counted(found), HEADERS, rows))
    if others:
        rows = tuple(row(preset, total, preset.model_type) for preset, total in others)
        parts.append(Table(f"{_counted(others)} of other architectures", HEADERS, rows))
    hint = "models NAME says all that is known of one, models WORD finds some, --long gives aliases and sources"
    return parts if long else [*parts, Said(hint, HINT)]


def _one(preset: Preset, word: str) -> list[Table | Said]:
    """Lay all that is known of one model out, and name the others whose names have the word."""
    from gpt2calc import presets
    from gpt2calc.counts import ParameterCount
    from gpt2calc.table import HINT, Said, Table

    count = ParameterCount(preset.counted, preset.name)
    sizes = {
        name: value
        for name, value in count.model.sizes.items()
        if name in count.model.letters() and name != "num_labels"
    }
    published = " and ".join(
        filter(None, (preset.published, preset.published_active and f"{preset.published_active} active"))
    )
    rows = {
        "what it is": preset.summary,
        "architecture": preset.model_type,
        "sizes": ", ".join(f"{name} {value:,}" for name, value in sizes.items() if isinstance(value, int)),
        "published as": published,
        "also called": ", ".join(preset.aliases),
        "note": " ".join((preset.note or "").split()),
        "source": preset.source,
    }
    parts: list[Table | Said] = [
        Said(count.headline),
        Table("", (preset.name, "what is known"), tuple((name, said) for name, said in rows.items() if said)),
    ]
    others = [name for name in presets.holding(word) if name != preset.name and word.casefold() in name.casefold()]
    return [*parts, *([Said(f"also with {word} in their names: {', '.join(others)}", HINT)] if others else [])]


def _counted(found: Sequence[object]) -> str:
    return f"{len(found)} model{'' if len(found) == 1 else 's'}"


def _described(preset: Preset, model_type: str = "") -> Lines:
    from gpt2calc.table import Lines

    also = f"also {', '.join(preset.aliases)}" if preset.aliases else ""
    summary = f"{model_type}: {preset.summary}" if model_type else preset.summary
    return Lines(tuple(filter(None, (summary, also, preset.source))))
