"""Files of claims at their bounds, one below and one above, and files that are damaged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gpt2calc.claims import files, quantities, report, toml
from gpt2calc.errors import UnreadableInputError
from tests.test_claim_files import CLAIM, changed, parsed, problem


def test_a_file_is_as_long_as_is_allowed(tmp_path: Path) -> None:
    """However it is read, and whatever else it holds."""
    path = tmp_path / "claims.toml"
    for extra, allowed in ((-1, True), (0, True), (1, False)):
        content = CLAIM + "#" * (toml.MOST_CLAIMS_BYTES - len(CLAIM) + extra)
        path.write_text(content, encoding="utf-8")
        if allowed:
            assert files.read(str(path)).claims == parsed(content).claims
        else:
            assert problem(content) == "expected a file of at most 262,144 bytes, got more"
            with pytest.raises(UnreadableInputError, match="262,144 bytes, got more"):
                files.read(str(path))


def test_a_text_is_as_long_as_is_allowed() -> None:
    """In letters and not in bytes."""
    assert parsed(changed("says", f'"{"é" * toml.MOST_LETTERS}"')).claims[0].says == "é" * toml.MOST_LETTERS
    assert "1 to 1,000 characters, got 'éé" in problem(changed("says", f'"{"é" * (toml.MOST_LETTERS + 1)}"'))


def test_a_file_has_as_many_claims_as_are_allowed() -> None:
    """And not one more."""
    many = [CLAIM.replace('"size"', f'"{number}"') for number in range(toml.MOST_TABLES + 1)]
    assert len(parsed("".join(many[:-1])).claims) == toml.MOST_TABLES
    assert problem("".join(many)) == "expected at most 100 tables under [[claim]], got 101"


def test_a_claim_is_about_as_many_models_as_are_allowed() -> None:
    """Whether they are named in an array, beside figures, or by their sizes."""
    names = [f"m{number}" for number in range(toml.MOST_NAMES + 1)]
    sizes = [f"[sizes.{name}]\nn_layer = 1\n" for name in names]
    listed = [f"models = {some}\n" for some in (names[:-1], names)]
    beside = ["claimed = {" + ", ".join(f'{name} = "1M"' for name in some) + "}" for some in (names[:-1], names)]
    most = "".join(sizes[:-1])
    assert len(parsed(listed[0] + most + CLAIM).models) == toml.MOST_NAMES
    assert problem(listed[1] + most + CLAIM) == "models: expected at most 50 names, each once, got 51"
    bare = changed("claimed", None)
    assert len(parsed(most + bare + beside[0]).models) == toml.MOST_NAMES
    assert problem(most + bare + beside[1]) == "claim size: claimed: expected figures for 1 to 50 models, got 51"
    assert problem("".join(sizes) + CLAIM) == "sizes: expected at most 50 models, got 51"


def test_a_key_has_as_many_dots_as_are_allowed() -> None:
    """One more is refused before TOML is read; the message is then about dots and no longer about the key."""
    assert problem("a" + ".a" * toml.MOST_DOTS + " = 1").startswith("there is no key a")
    assert problem("a" + ".a" * (toml.MOST_DOTS + 1) + " = 1").startswith("expected lines of at most 100 dots")


def test_a_sum_has_as_many_parts_as_are_allowed() -> None:
    """In a file the claim and its key are named."""
    sums = [" + ".join(["wte"] * number) for number in (quantities.MOST_ADDENDS, quantities.MOST_ADDENDS + 1)]
    assert len(parsed(changed("quantity", f'"{sums[0]}"')).claims[0].quantity.over) == quantities.MOST_ADDENDS
    assert problem(changed("quantity", f'"{sums[1]}"')).endswith("quantity: expected a sum of at most 8 parts, got 9")


def test_a_damaged_file_is_read_or_refused_in_a_sentence() -> None:
    """Hundreds of copies of the article's claims with bytes changed, dropped, doubled and moved; no other error."""
    whole = Path(files.ARTICLE).read_bytes()
    chance = random.Random(20261126)
    said = [said_of(damaged(whole, chance)) for _ in range(300)]
    assert all(each.isprintable() and len(each) < 500 for each in said)
    assert 15 < said.count("") < 285


def said_of(content: bytes) -> str:
    """Return what is wrong with a file, nothing where it is read and judged."""
    try:
        report.judge(parsed(content))
    except UnreadableInputError as error:
        return str(error)
    return ""


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Return a file with one to four changes of a few bytes."""
    content = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        start, place, length = chance.randrange(len(content)), chance.randrange(len(content)), chance.randint(1, 12)
        piece = content[start : start + length]
        kind = chance.randrange(4)
        if kind == 0:
            content[start] = chance.randrange(256)
        elif kind == 1:
            del content[start : start + length]
        else:
            content[place : place + length * (kind - 2)] = piece  # put in between, or over what stood there
    return bytes(content)
