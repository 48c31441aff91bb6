"""`ClaimReport`: claims recomputed, with what is exact beside what is claimed, and the tables that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.claims import judgement
from gpt2calc.errors import ConfigError, Named, UnreadableInputError, shortened
from gpt2calc.figures import VERDICTS, in_words
from gpt2calc.table import Lines, Said, Table, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.claims.files import Claim, ClaimFile
    from gpt2calc.claims.judgement import JudgedClaim

SCHEMA = "gpt2calc/claims/1"
HEADERS = ("model", "claimed", "exact", "verdict")


class ClaimReport:
    """Claims about the parameters of models, each recomputed and judged.

    >>> import gpt2calc
    >>> report = gpt2calc.check_claims()
    >>> [(each.model, text(each.exact), each.verdict) for each in report["layernorm-share"].judgements][:2]
    [('small', '0.0309 %', 'false'), ('medium', '0.0283 %', 'false')]
    """

    __slots__ = ("claims", "models", "title")

    def __init__(self, title: str, models: tuple[str, ...], claims: tuple[JudgedClaim, ...]) -> None:
        self.title = title
        self.models = models
        self.claims = claims

    def __iter__(self) -> Iterator[JudgedClaim]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def __getitem__(self, name: str) -> JudgedClaim:
        """Return one claim by its id."""
        return Named("claim", {each.claim.id: each for each in self.claims})[name]

    @property
    def holds(self) -> bool:
        """Whether no claim is false in any model."""
        return all(each.holds for each in self.claims)

    @property
    def verdicts(self) -> dict[str, int]:
        """How often each verdict was found."""
        found = [each.verdict for claim in self.claims for each in claim.judgements]
        return {verdict: found.count(verdict) for verdict in VERDICTS}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "models": list(self.models),
            "verdicts": self.verdicts,
            "claims": list(map(_claim_as_dict, self.claims)),
        }

    def __repr__(self) -> str:
        found = ", ".join(f"{count:,} {verdict}" for verdict, count in self.verdicts.items() if count)
        return f"<ClaimReport {self.title}: {len(self):,} claims, {found}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.screen())

    def tables(self) -> list[Table]:
        """Lay the report out: every verdict, what the claims say, and the verdicts in short."""
        rows = tuple(
            (each.claim.id if place == 0 else "", found.model, found.claimed, found.exact, in_words(found.verdict))
            for each in self.claims
            for place, found in enumerate(each.judgements)
        )
        said = tuple((each.claim.id, each.measured, _in_words(each.claim)) for each in self.claims)
        return [
            Table(self.title, ("claim", *HEADERS), rows),
            Table("what the claims say", ("claim", "measured as", "in words"), said),
            self._verdict_table(),
        ]

    def screen(self) -> list[Table | Said]:
        """Lay the report out for a terminal: the verdicts in short first, and at the end how often each was found."""
        every, said, short = self.tables()
        found = ", ".join(f"{count:,} {in_words(verdict)}" for verdict, count in self.verdicts.items() if count)
        in_short = f"{len(self):,} claims, {sum(self.verdicts.values()):,} verdicts: {found}"
        return [Said(self.title), short, every._replace(title="every verdict"), said, Said(in_short)]

    def _verdict_table(self) -> Table:
        """Say how often each verdict was found, and in which claims."""
        rows = []
        for verdict, times in self.verdicts.items():
            having = [each.claim.id for each in self.claims if verdict in (found.verdict for found in each.judgements)]
            rows.append((in_words(verdict), times, ", ".join(having) or "-"))
        return Table("in short", ("verdict", "times", "claims"), tuple(rows))

    def table(self) -> Table:
        """Lay everything out as one table for a spreadsheet, a row for each claim in each model."""
        rows = tuple(
            (each.claim.id, found.model, found.claimed, found.exact, found.verdict, each.measured, each.claim.says)
            for each in self.claims
            for found in each.judgements
        )
        return Table("", ("claim", *HEADERS, "measured as", "in words"), rows)


def _in_words(claim: Claim) -> Lines:
    """Return what is said, and on lines of their own what to know about it and who says it."""
    further = {"note": claim.note, "source": claim.source}
    return Lines((claim.says, *(f"{name}: {words}" for name, words in further.items() if words)))


def _claim_as_dict(judged: JudgedClaim) -> dict[str, Any]:
    claim = judged.claim
    return {
        "id": claim.id,
        "says": claim.says,
        "quantity": claim.quantity.text,
        "equals": claim.equals.text if claim.equals else None,
        "over_models": claim.over_models or None,
        "over_blocks": claim.over_blocks or None,
        "source": claim.source or None,
        "note": claim.note or None,
        "judgements": [
            {
                "model": each.model,
                "claimed": each.claimed,
                "exact": text(each.exact),
                "part": each.value.part,
                "whole": each.value.whole,
                "verdict": each.verdict,
            }
            for each in judged.judgements
        ],
    }


def judge(file: ClaimFile) -> ClaimReport:
    """Recompute every claim of a file.

    Raises:
        UnreadableInputError: a claim asks for a quotient that divides by 0.
    """
    judged = []
    for claim in file.claims:
        try:
            judged.append(judgement.judge(claim, file.models))
        except ConfigError as error:
            raise UnreadableInputError(file.name, f"claim {shortened(claim.id)}: {error}") from None
    return ClaimReport(file.title, tuple(file.models), tuple(judged))
