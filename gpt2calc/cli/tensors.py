"""`gpt2calc tensors`: every tensor of a model."""

from __future__ import annotations

from gpt2calc.cli.options import add_fields, add_model_type, add_output, add_stored, emit, model_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from gpt2calc.sources import Source
    from gpt2calc.stored import Stored

EXAMPLES = """examples:
  gpt2calc tensors gpt2
  gpt2calc tensors gpt2 --format csv
  gpt2calc tensors DeepSeek-V3 --stored --json
  gpt2calc tensors path/to/config.json -q | sort
  gpt2calc tensors --head GPT2ForSequenceClassification --num-labels 3 --json"""

MOST_TENSORS = 1_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "List every tensor of a model, named, shaped and ordered as transformers' named_parameters()."
    parser.usage = "gpt2calc tensors [MODEL] [options]"
    parser.add_argument("model", metavar="MODEL", nargs="?", help="named as for gpt2calc count")
    add_stored(parser, "every tensor of its files")
    add_model_type(parser)
    add_fields(parser)
    add_output(parser, "the names alone, a line each")


def files_of(source: Source) -> Stored:
    """Return what the files of a model hold; an error of what its config says of them names it."""
    from gpt2calc import stored
    from gpt2calc.architectures import gpt2
    from gpt2calc.errors import ConfigError

    model = gpt2.model_of(source.counted)
    try:
        return stored.of(model, source.of_files)
    except ConfigError as error:
        raise error.named(source.name) from None


def _stored(arguments: argparse.Namespace, source: Source) -> int:
    """List what the files of a model hold, and print."""
    from gpt2calc.errors import ConfigError

    found = files_of(source)
    if found.total.tensors > MOST_TENSORS:
        raise ConfigError(f"{source.name} has {found.total.tensors:,} tensors, and at most {MOST_TENSORS:,} are listed")
    is_human = arguments.format == "human" and not arguments.quiet
    human = [found.table(source.name), found.summary("")] if is_human else []
    return emit(
        arguments,
        result=lambda: found.to_dict(source.name, source.notes),
        human=human,
        tables=[] if is_human or arguments.quiet or arguments.format == "json" else [found.table()],
        quiet=(each.name for each in found.listing()),
        notes=(*source.notes, *found.notes),
    )


def run(arguments: argparse.Namespace) -> int:
    """List, and print."""
    from gpt2calc.architectures import gpt2
    from gpt2calc.errors import ConfigError
    from gpt2calc.sources import resolve
    from gpt2calc.table import Table

    source = resolve(model_of(arguments.model), arguments.fields)
    if arguments.stored:
        return _stored(arguments, source)
    model = gpt2.model_of(source.counted)
    if (size := model.size()) > MOST_TENSORS:
        raise ConfigError(f"{source.name} has {size:,} tensors, and at most {MOST_TENSORS:,} are listed")
    found = list(model.listing())
    total = sum(tensor.numel for tensor in found)
    rows = tuple((each.name, str(list(each.shape)), each.component, each.role, each.numel) for each in found)
    headers = ("tensor", "shape", "component", "role", "numel")
    table = Table("", headers, rows)
    human = Table(source.name, headers, (*rows, None, ("total", "", "", f"{len(found):,} tensors", total)))

    def result() -> dict[str, Any]:
        return {
            "schema": "gpt2calc/tensors/1",
            "model": source.name,
            "total": total,
            "tensors": [{**each._asdict(), "shape": list(each.shape), "numel": each.numel} for each in found],
            "notes": list(source.notes),
        }

    notes = list(source.notes)
    if model.lm_head and model.tie_word_embeddings:
        first = next(each.name for each in found if each.name.endswith("weight"))
        notes.append(f"lm_head.weight is tied: it is {first}, and is not listed again")
    names = [each.name for each in found]
    return emit(arguments, result=result, human=[human], tables=[table], quiet=names, notes=notes)
