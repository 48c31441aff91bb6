"""Files of claims: what they can say, and what is said of those that are wrong."""

from __future__ import annotations

import pytest

import gpt2calc
from gpt2calc.claims import files, report
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each

CLAIM = """[[claim]]
id = "size"
says = "how many"
quantity = "total"
claimed = "124M"
"""
OWN = '[sizes.own]\nn_layer = 2\nn_embd = 64\nn_head = 4\nvocab_size = "100"\n'


def parsed(content: str | bytes) -> files.ClaimFile:
    """Read a file that is given as text or as bytes."""
    return files.from_bytes(content.encode() if isinstance(content, str) else content, "claims.toml")


def problem(content: str | bytes) -> str:
    """Return what is wrong with a file, without its name."""
    with pytest.raises(UnreadableInputError) as error:
        parsed(content)
    assert error.value.path == "claims.toml"
    assert str(error.value) == f"claims.toml: {error.value.problem}"
    assert str(error.value).isprintable()
    assert len(error.value.problem) < 400
    return error.value.problem


def changed(key: str, value: str | None) -> str:
    """Return the claim with one key set to something else, added, or left out."""
    lines = [line for line in CLAIM.splitlines() if not line.startswith(f"{key} =")]
    return "\n".join([*lines, *([f"{key} = {value}"] if value is not None else [])]) + "\n"


# What a file can say


def test_a_claim_is_about_the_four_sizes_unless_it_names_models() -> None:
    """In the file for all its claims, in the claim, or beside each figure; the nearest wins."""
    assert parsed(CLAIM).claims[0].models == files.FOUR == tuple(parsed(CLAIM).models)
    assert parsed('models = ["xl", "small"]\n' + CLAIM).claims[0].models == ("xl", "small")
    assert parsed('models = ["xl"]\n' + CLAIM + 'models = ["distilgpt2"]').claims[0].models == ("distilgpt2",)
    assert parsed(changed("claimed", '{ large = "774M" }')).claims[0].models == ("large",)


def test_a_model_is_any_that_ships_by_any_of_its_names() -> None:
    """The name in the file stays as it is written."""
    file = parsed(CLAIM + 'models = ["OpenAI-Community/gpt2", "gpt2"]')
    assert file.models["OpenAI-Community/gpt2"] == file.models["gpt2"] == gpt2calc.count("gpt2").dims


def test_a_file_can_give_the_sizes_of_models_of_its_own() -> None:
    """By the spellings of a config.json; what is left out is as in gpt2, and a name hides one that ships."""
    file = parsed(OWN.replace('"100"', "100") + CLAIM + 'models = ["own"]')
    assert file.models["own"] == gpt2calc.count(n_layer=2, n_embd=64, n_head=4, vocab_size=100).dims
    file = parsed("[sizes.gpt2]\nblock_size = 7\n" + CLAIM + 'models = ["gpt2"]')
    assert file.models["gpt2"] == gpt2calc.count("gpt2", n_positions=7).dims


def test_a_file_is_called_what_it_says_or_after_its_name() -> None:
    """The folder is no part of that."""
    assert parsed(CLAIM).title == "claims.toml"
    assert parsed('title = "What they said"\n' + CLAIM).title == "What they said"
    assert files.from_bytes(CLAIM.encode(), "folder/claims.toml").title == "claims.toml"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf" + CLAIM.encode(), id="a byte order mark"),
        pytest.param(CLAIM.replace("\n", "\r\n").encode(), id="the line ends of Windows"),
        pytest.param(CLAIM.rstrip().encode(), id="no last line end"),
        pytest.param(CLAIM.replace('"how many"', '"""\nhow\n   many"""').encode(), id="a text of several lines"),
        pytest.param(
            b'claim = [{id = "size", says = "how many", quantity = "total", claimed = "124M"}]', id="inline tables"
        ),
    ],
)
def test_the_same_claim_can_be_written_in_other_ways(content: bytes) -> None:
    """TOML as editors save it."""
    assert parsed(content).claims == parsed(CLAIM).claims


def test_what_would_break_a_line_or_colour_a_terminal_is_escaped() -> None:
    """In every text that is shown."""
    claim = parsed(changed("id", '"a\\u001b[31m"') + 'note = "b\\u0007"\nsource = "c\\u202e"\n').claims[0]
    assert (claim.id, claim.note, claim.source) == ("a\\x1b[31m", "b\\x07", "c\\u202e")


# What is wrong

WRONG: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "expected at least one [[claim]], and there is none"),
    "a comment alone": ("# nothing yet", "expected at least one [[claim]], and there is none"),
    "Windows-1252": (
        CLAIM.replace("how", "it’s how").encode("cp1252"),  # as a word processor writes it
        "expected TOML in UTF-8, got other bytes in line 3",
    ),
    "UTF-16": (CLAIM.encode("utf-16"), "expected TOML in UTF-8, got other bytes in line 1"),
    "a NUL": (b"a = \x00", "not TOML: "),
    "JSON": ('{"claim": []}', "not TOML: "),
    "a claim that is cut off": (
        CLAIM[:14],
        "not TOML: ",
    ),
    "a key that is there twice": (CLAIM + 'id = "b"', "not TOML: "),
    "one table for several": ("[claim]\nid = 1", "claim: expected tables under [[claim]], got {'id': 1}"),
    "a number for claims": ("claim = 3", "claim: expected tables under [[claim]], got 3"),
    "numbers for claims": ("claim = [1]", "claim: expected tables under [[claim]], got [1]"),
    "an unknown key of the file": ("claims = 1\n" + CLAIM, "there is no key claims: did you mean claim?"),
    "a strange key of the file": ("x = 1\n" + CLAIM, "there is no key x: known are title, models, sizes, claim"),
    "an unknown key of a claim": (CLAIM + "clamed = 1", "claim size: there is no key clamed: did you mean claimed?"),
    "an id that is there twice": (
        CLAIM + CLAIM,
        "claim size: expected an id of its own, got one that another claim has",
    ),
    "a title that is a number": (
        "title = 1\n" + CLAIM,
        "title: expected a text in quotes of 1 to 1,000 characters, got 1",
    ),
    "no id": (changed("id", None), "claim 1: expected a text under id, and there is none"),
    "an id that is a number": (
        changed("id", "3"),
        "claim 1: id: expected a text in quotes of 1 to 1,000 characters, got 3",
    ),
    "an empty text": (
        changed("says", '"  "'),
        "claim size: says: expected a text in quotes of 1 to 1,000 characters, got '  '",
    ),
    "no quantity": (changed("quantity", None), "claim size: expected a text under quantity, and there is none"),
    "a quantity that is a table": (
        changed("quantity", "{a = 1}"),
        "claim size: quantity: expected a text in quotes of 1 to 1,000 characters, got {'a': 1}",
    ),
    "an unknown quantity": (
        changed("quantity", '"share of mpl"'),
        "claim size: quantity: no quantity is called 'mpl': did you mean mlp?",
    ),
    "a quantity that divides by 0": (
        changed("quantity", '"mlp / head"').replace("124M", "2"),
        "claim size: small: expected a quotient, and mlp / head divides by 0",
    ),
    "nothing that is said": (
        changed("claimed", None),
        "claim size: expected one of claimed, equals, over_models, over_blocks, got none",
    ),
    "two things that are said": (
        CLAIM + 'equals = "wte"',
        "claim size: expected one of claimed, equals, over_models, over_blocks, got claimed and equals",
    ),
    "a figure without quotes": (
        changed("claimed", "124"),
        "claim size: claimed: small: expected a text in quotes of 1 to 1,000 characters, got 124",
    ),
    "no figure": (
        changed("claimed", '"lots"'),
        "claim size: claimed: small: expected a figure such as 124M, ~22 %, < 0.1 % or 10,000 to ~100,000, got 'lots'",
    ),
    "a figure in another unit": (
        changed("claimed", '"22 %"'),
        "claim size: claimed: small: expected a number of parameters such as 124M or 124,439,808, got '22 %'",
    ),
    "a share in millions": (
        changed("quantity", '"share of mlp"'),
        "claim size: claimed: small: expected a share of the total such as 22 %, got '124M'",
    ),
    "a ratio in millions": (
        changed("quantity", '"mlp / wte"'),
        "claim size: claimed: small: expected a ratio such as 2 or 1.99, got '124M'",
    ),
    "parameters in bytes": (
        changed("claimed", '"548 MB"'),
        "claim size: claimed: small: expected a number of parameters such as 124M or 124,439,808, got '548 MB'",
    ),
    "bytes in percent": (
        changed("quantity", '"convention.fp32_bytes"').replace("124M", "1 %"),
        "claim size: claimed: small: expected a number of bytes such as 548 MB, got '1 %'",
    ),
    "no figure for any model": (
        changed("claimed", "{}"),
        "claim size: claimed: expected figures for 1 to 50 models, got 0",
    ),
    "models twice": (
        changed("claimed", '{small = "1M"}') + 'models = ["xl"]',
        "claim size: expected models in claimed or in models, got both",
    ),
    "a model that is unknown": (
        CLAIM + 'models = ["gpt2-smal"]',
        "claim size: no model is called 'gpt2-smal': did you mean gpt2-small?",
    ),
    "a model without sizes": (
        OWN + CLAIM + 'models = ["owm"]',
        "claim size: no model is called 'owm': did you mean own?",
    ),
    "models that are a text": (
        CLAIM + 'models = "small"',
        'claim size: models: expected an array of names such as ["small", "xl"], got \'small\'',
    ),
    "no models": (
        CLAIM + "models = []",
        'claim size: models: expected an array of names such as ["small", "xl"], got []',
    ),
    "models that are numbers": (
        CLAIM + "models = [1, 2]",
        'claim size: models: expected an array of names such as ["small", "xl"], got [1, 2]',
    ),
    "a model that is there twice": (
        CLAIM + 'models = ["xl", "xl"]',
        "claim size: models: expected at most 50 names, each once, got 2",
    ),
    "sizes that are no table": (
        "sizes = 3\n" + CLAIM,
        "sizes: expected a table for each name under [sizes.NAME], got 3",
    ),
    "sizes without a name": (
        "[sizes]\nn_layer = 3\n" + CLAIM,
        "sizes: expected a table for each name under [sizes.NAME], got {'n_layer': 3}",
    ),
    "a size that is a text": (
        OWN + CLAIM + 'models = ["own"]',
        "claim size: sizes.own: vocab_size must be a whole number, 1 or more, got '100'",
    ),
    "a name of two lines": (
        '[sizes."a\\nb"]\nn_layer = 1\n' + CLAIM + 'models = ["a\\nb"]',
        "claim size: sizes.a\\nb: expected a model's name in one printable line",
    ),
    "a field that is unknown": (
        "[sizes.own]\nn_layerz = 3\n" + CLAIM + 'models = ["own"]',
        "claim size: sizes.own: there is no field n_layerz: did you mean n_layer?",
    ),
    "another unit on the other side": (
        changed("claimed", None) + 'equals = "convention.fp16_bytes"',
        (
            "claim size: equals: expected a number of parameters, as quantity is, got 'convention.fp16_bytes', "
            "which is a number of bytes"
        ),
    ),
    "another way over models": (
        changed("claimed", None) + 'over_models = "rises"',
        "claim size: over_models: expected same or grows or falls, got 'rises'",
    ),
    "another way over blocks": (
        changed("claimed", None) + 'over_blocks = "each"',
        "claim size: over_blocks: expected in each block or once, got 'each'",
    ),
    "one model to compare": (
        changed("claimed", None) + 'over_models = "grows"\nmodels = ["xl"]',
        "claim size: expected at least two models to compare, got xl alone",
    ),
    "arrays in arrays": (
        "a = " + "[" * 100000,
        "expected tables and arrays that nest a few levels deep, got too many levels",
    ),
    "tables in tables": (
        "a = " + "{a = " * 50000,
        "expected tables and arrays that nest a few levels deep, got too many levels",
    ),
    "a number of a quarter of a million digits": (
        "a = " + "9" * 250000,
        "expected whole numbers of at most 4,300 digits, got a longer one",
    ),
    "a number of a million digits": (
        "a = " + "9" * 10**6,
        "expected a file of at most 262,144 bytes, got more",
    ),
    "a hexadecimal number of as many": (
        changed("claimed", "0x" + "f" * 200000),
        (
            "claim size: claimed: small: expected a text in quotes of 1 to 1,000 characters, "
            "got a number of more than 4,300 digits"
        ),
    ),
    "a size of many digits": (
        "[sizes.own]\nn_layer = 1" + "0" * 4000 + "\n" + CLAIM + 'models = ["own"]',
        "claim size: sizes.own: n_layer must have at most 1000 digits",
    ),
    "a key of many parts": ("a" + ".a" * 120000 + " = 1", "expected lines of at most 100 dots, got one that has more"),
}
"""Each file with what its message begins with; the rest, where there is one, is in the words of tomllib or pydantic."""


@of_each("name", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(name: str) -> None:
    """With the claim, the key, what was expected and what was got; the file is named before it."""
    content, message = WRONG[name]
    if name == "a quantity that divides by 0":
        with pytest.raises(UnreadableInputError, match=f"^claims.toml: {message}$"):
            report.judge(parsed(content))
    else:
        assert problem(content).startswith(message)
