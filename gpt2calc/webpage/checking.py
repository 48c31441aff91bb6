"""What the page says of files that a person drops on it: the verdict of `verify`, from headers and a config.

It is translated for the page, and runs there over the files that it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import sources
from gpt2calc.checkpoints import folders, safetensors, shards
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.dims import Dims
from gpt2calc.errors import UnreadableInputError, printable
from gpt2calc.table import text
from gpt2calc.verification import adaptation, verifier
from gpt2calc.verification.examination import examine
from gpt2calc.verification.report import EVIDENCE, HEADER, Verification
from gpt2calc.verification.targets import LOCAL, ResolvedTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpt2calc.table import Table

HINT = "--json lists them"
"""What is said of more faults than a terminal shows, and not in the page."""

OTHERWISE = "the page reads safetensors alone: see gpt2calc verify"


def check(names: Sequence[str], document: Mapping[str, Any] | None, origin: str) -> dict[str, Any]:
    """Verify files: an index with its shards, or one file.

    Args:
        names: what they are called.
        document: the config.json that they are held against; None where their shapes have to show it.
        origin: what that is called.

    Raises:
        UnreadableInputError: they cannot be read, or are no model that is counted.
    """
    name = next((each for each in names if folders.is_index(each)), names[0])
    if name.endswith(folders.ENDINGS) and not name.endswith((".safetensors", ".json")):
        raise UnreadableInputError(name, OTHERWISE)
    listing = shards.read(name, safetensors.read) if folders.is_index(name) else _read(name)
    source = None if document is None else sources.from_document(document, origin)
    found = ResolvedTarget(
        printable(name), LOCAL, listing._replace(name=printable(name)), source, origin if source else ""
    )
    if adaptation.is_alone(found.listing, is_described=found.adapter is not None):
        raise UnreadableInputError(name, "it is an adapter alone, which gpt2calc verify holds against its own config")
    if source is not None and not isinstance(source.counted, Dims):
        verifier._refuse(found, source, source.counted, evidence=None, values=False)
    subject = examine(found, {})
    assigned: Any = subject.seen  # of a file there is an assignment
    seen = verifier._seen(HEADER, EVIDENCE[HEADER], subject, assigned)
    notes = tuple(dict.fromkeys((*subject.notes, *subject.source.notes)))
    return told(Verification(subject.counted, verifier._checked(subject), (seen,), notes=notes))


def _read(name: str) -> Any:
    with LocalFile(name) as file:
        return safetensors.read(file)


def told(found: Verification) -> dict[str, Any]:
    """Return a verification as plain data: its verdict, its tables as text, and the config that it is held against."""
    return {
        "verdict": found.verdict,
        "matches": found.matches,
        "notes": list(found.notes),
        "tables": [_written(table) for table in found.tables()[1:]],
        "config": found.config,
    }


def _written(table: Table) -> tuple[Any, ...]:
    """Return the headers of a table, its rows and its last rows, as text."""
    rows: tuple[list[Any], list[Any]] = [], []
    part = 0
    for row in table.rows:
        if row is None:
            part = 1
        else:
            rows[part].append([text(cell) for cell in row if cell != HINT])
    return (list(table.headers), *rows)
