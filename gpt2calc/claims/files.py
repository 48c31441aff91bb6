"""A file of claims, as TOML: what each claim says, of which models, and what it is measured by; docs/claims.md.

What is wrong in a file is one sentence with the file, the claim, what was expected and what was got.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import figures, inputs, presets, sources
from gpt2calc.claims import quantities, toml
from gpt2calc.claims.toml import Table
from gpt2calc.errors import (
    ConfigError,
    Gpt2calcError,
    UnknownNameError,
    UnreadableInputError,
    printable,
    shortened,
    shown,
)

if TYPE_CHECKING:
    from gpt2calc.claims.quantities import Quantity
    from gpt2calc.dims import Dims
    from gpt2calc.figures import Claimed

ARTICLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "article.toml")
"""The claims of the article that gpt2calc began with; they ship."""

FOUR = ("small", "medium", "large", "xl")
"""The models that claims are about where a file does not say."""

SAME, GROWS, FALLS = OVER_MODELS = ("same", "grows", "falls")
EACH, ONCE = OVER_BLOCKS = ("in each block", "once")
ASSERTIONS = ("claimed", "equals", "over_models", "over_blocks")
"""The keys of which a claim has one: what it says of its quantity."""

FILE_KEYS = ("title", "models", "sizes", "claim")
CLAIM_KEYS = ("id", "says", "quantity", "models", *ASSERTIONS, "source", "note")
"""Every key that there is; docs/claims.md explains them."""


class Claim(NamedTuple):
    """One claim: a quantity, and one thing that is said of it in each of the models.

    `claimed` is a figure for each model, `equals` another quantity, `over_models` how it goes from model to model, and
    `over_blocks` how it depends on the number of blocks; those that the claim does not make are empty.
    """

    id: str
    says: str
    quantity: Quantity
    models: tuple[str, ...]
    claimed: dict[str, Claimed]
    equals: Quantity | None
    over_models: str
    over_blocks: str
    source: str
    note: str


class ClaimFile(NamedTuple):
    """What a file of claims holds."""

    name: str
    title: str
    models: dict[str, Dims]
    claims: tuple[Claim, ...]


def read(path: str) -> ClaimFile:
    """Read a file of claims.

    Raises:
        UnreadableInputError: it cannot be opened, or is no file of claims.

    >>> len(read(ARTICLE).models)
    4
    """
    return from_bytes(inputs.read(path, toml.MOST_CLAIMS_BYTES + 1), path)


def from_bytes(content: bytes, name: str) -> ClaimFile:
    """Read the bytes of a file of claims, of which at most `toml.MOST_CLAIMS_BYTES` + 1 were read.

    Raises:
        UnreadableInputError: they are too many, or are no file of claims.
    """
    try:
        return _file(toml.parse(content), name)
    except Gpt2calcError as error:
        raise UnreadableInputError(name, str(error)) from None


def _file(document: dict[str, Any], name: str) -> ClaimFile:
    whole = Table("", document)
    whole.allow(*FILE_KEYS)
    known = _Models(whole.tables_by_name("sizes"))
    default = whole.names("models") or FOUR
    claims = tuple(_claim(table, known, default) for table in whole.tables("claim"))
    if not claims:
        raise ConfigError("expected at least one [[claim]], and there is none")
    ids = [claim.id for claim in claims]
    if len(set(ids)) < len(ids):
        twice = next(each for place, each in enumerate(ids) if each in ids[:place])
        raise ConfigError(f"claim {shortened(twice)}: expected an id of its own, got one that another claim has")
    title = whole.text("title", needed=False) or printable(os.path.basename(name))
    return ClaimFile(name, title, known.found, claims)


def _claim(table: Table, known: _Models, default: tuple[str, ...]) -> Claim:
    name = table.text("id")
    table.where = f"claim {shortened(name)}"
    table.allow(*CLAIM_KEYS)
    made = [key for key in ASSERTIONS if key in table.content]
    if len(made) != 1:
        raise table.wrong(f"expected one of {', '.join(ASSERTIONS)}, got {' and '.join(made) or 'none'}")
    models = _models_of(table, default)
    quantity = table.read("quantity", quantities.read)
    equals = table.read("equals", quantities.read) if "equals" in made else None
    if equals and equals.kind != quantity.kind:
        expected, got = figures.KINDS[quantity.kind], figures.KINDS[equals.kind]
        raise table.wrong(f"equals: expected {expected}, as quantity is, got {shown(equals.text)}, which is {got}")
    claim = Claim(
        name,
        table.text("says"),
        quantity,
        models,
        _claimed(table, models, quantity) if "claimed" in made else {},
        equals,
        table.choice("over_models", OVER_MODELS) if "over_models" in made else "",
        table.choice("over_blocks", OVER_BLOCKS) if "over_blocks" in made else "",
        table.text("source", needed=False),
        table.text("note", needed=False),
    )
    if claim.over_models and len(models) < 2:
        raise table.wrong(f"expected at least two models to compare, got {models[0]} alone")
    table.attempt(lambda: known.find(models))
    return claim


def _models_of(table: Table, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the models that a claim is about, in the claim's own order."""
    figures_by_model = isinstance(table.content.get("claimed"), dict)
    if not figures_by_model:
        return table.names("models") or default
    if "models" in table.content:
        raise table.wrong("expected models in claimed or in models, got both")
    found = len(table.content["claimed"])
    if not 0 < found <= toml.MOST_NAMES:
        raise table.wrong(f"claimed: expected figures for 1 to {toml.MOST_NAMES} models, got {found:,}")
    return tuple(table.content["claimed"])


def _claimed(table: Table, models: tuple[str, ...], quantity: Quantity) -> dict[str, Claimed]:
    """Read the figures of a claim, and see that their units go with what is measured."""
    given = table.content["claimed"]
    by_model = Table(f"{table.where}: claimed", given if isinstance(given, dict) else dict.fromkeys(models, given))
    found = {model: by_model.read(model, figures.read) for model in models}
    for model, claimed in found.items():
        for figure in claimed.figures:
            if quantity.kind not in figures.UNITS[figure.unit][1]:
                expected = f"{figures.KINDS[quantity.kind]} such as {figures.SUCH_AS[quantity.kind]}"
                raise by_model.wrong(f"{shortened(model)}: expected {expected}, got {shown(claimed.text)}")
    return found


class _Models:
    """The models of a file: sizes that it gives itself, and those that ship."""

    def __init__(self, sizes: dict[str, Table]) -> None:
        if len(sizes) > toml.MOST_NAMES:
            raise ConfigError(f"sizes: expected at most {toml.MOST_NAMES} models, got {len(sizes):,}")
        self.sizes = sizes
        self.found: dict[str, Dims] = {}

    def find(self, names: tuple[str, ...]) -> None:
        """Keep the dims of these models.

        Raises:
            UnknownNameError: neither the file nor gpt2calc has a model of this name.
            ConfigError: the sizes that the file gives it are wrong.
        """
        for name in names:
            own = self.sizes.get(name)
            if name in self.found:
                continue
            if own:
                self.found[name] = _sized(own, name)
            else:
                self.found[name] = self._preset(name).dims

    def _preset(self, name: str) -> presets.Preset:
        found = presets.find(name)
        if not found:
            raise UnknownNameError("model", name, (*self.sizes, *presets.spoken()))
        return found


def _sized(table: Table, name: str) -> Dims:
    """Return the dims of a model whose sizes the file gives."""
    if not name.isprintable():
        raise table.wrong("expected a model's name in one printable line")
    return table.attempt(lambda: sources.from_document(table.content, name)).dims
