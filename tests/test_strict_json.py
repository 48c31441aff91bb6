"""JSON is read where all readers of JSON read the same, and refused everywhere else."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic_core import from_json

from gpt2calc.checkpoints import strict_json
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each


def parse(text: str | bytes) -> dict[str, Any]:
    """Read a document."""
    return strict_json.parse("x.json", text.encode() if isinstance(text, str) else text, "a header", b"{")


def problem(text: str | bytes) -> str:
    """Return what is wrong with a document that must be refused, in one short and printable line."""
    with pytest.raises(UnreadableInputError) as caught:
        parse(text)
    assert caught.value.path == "x.json"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    return caught.value.problem


GOOD = {
    "nothing": "{}",
    "every kind of value": '{"a": [1, -1, 0.5, 1e3, true, false, null, "", {}, []]}',
    "spaces of every kind": ' \t\r\n{ "a" :\n1 }\n',
    "escapes": r'{"\u00e9": "\n\t\"\\\/\b\f\r", "\ud83d\ude00": "\u0000"}',
    "letters as they are": '{"é😀": "\x7f\u2028"}',
    "an empty key": '{"": 1}',
    "the same key in two objects": '{"a": {"b": 1}, "b": {"a": 1}}',
    "keys that differ in case, or in how é is composed": '{"a": 1, "A": 2, "\u00e9": 3, "e\u0301": 4}',
    "whole numbers of any size": '{"a": [18446744073709551615, -9223372036854775809, 100000000000000000000000]}',
    "the largest float": '{"a": 1.7976931348623157e308}',
    "a number that is too small to tell from zero": '{"a": 1e-400}',
    "a long number": '{"a": 1.' + "0" * 5000 + "}",
}


@of_each("case", GOOD)
def test_what_all_read_alike_is_read(case: str) -> None:
    """And so as pydantic's reader reads it, which is written in Rust."""
    assert parse(GOOD[case]) == from_json(GOOD[case])


def test_minus_zero_is_a_float() -> None:
    """As serde_json has it, so that it is not taken for a size; -0 within other text is left alone."""
    found = parse('{"a": [-0, 0, -1, -0.0], "b": "-0"}')
    assert [type(each) for each in found["a"]] == [float, int, int, float]
    assert math.copysign(1, found["a"][0]) == -1
    assert found["b"] == "-0"


BAD: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "expected a header in JSON, got something else at its character 0: Expecting value"),
    "a byte order mark": ("\ufeff{}", "expected a header in JSON, got something else at its character 0"),
    "an array": ("[1, 2]", "expected a header that is a JSON object, got [1, 2]"),
    "text": ('"x"', "expected a header that is a JSON object, got 'x'"),
    "null": ("null", "expected a header that is a JSON object, got null"),
    "a long array": (f"[{'1,' * 999}1]", "expected a header that is a JSON object, got an array of others"),
    "something after it": ("{} x", "at its character 3: Extra data"),
    "a second document": ("{}{}", "at its character 2: Extra data"),
    "a zero byte after it": ("{}\0", "at its character 2: Extra data"),
    "single quotes": ("{'a': 1}", "at its character 1: Expecting property name"),
    "a comma at the end": ('{"a": 1,}', "at its character"),
    "a comment": ('{"a": 1} // one', "at its character 9: Extra data"),
    "a number that begins with 0": ('{"a": 01}', "at its character 7: Expecting ',' delimiter"),
    "a number that begins with +": ('{"a": +1}', "at its character 6: Expecting value"),
    "a number that ends with a point": ('{"a": 1.}', "at its character 7"),
    "another space": ('{\u00a0"a": 1}', "at its character 1"),
    "a line break in text": ('{"a": "\n"}', "at its character 7: Invalid control character"),
    "an escape that is none": (r'{"a": "\x41"}', r"at its character 7: Invalid \escape"),
    "an escape that ends early": (r'{"a": "\u00"}', r"Invalid \uXXXX escape"),
    "NaN": ('{"a": NaN}', "got another: NaN is no number of JSON"),
    "an infinity": ('{"a": Infinity}', "got another: Infinity is no number of JSON"),
    "a negative infinity": ('{"a": -Infinity}', "got another: -Infinity is no number of JSON"),
    "a float that is too large": ('{"a": 1.8e308}', "got another: '1.8e308' is too large a number"),
    "a float that is too small": ('{"a": -1e309}', "got another: '-1e309' is too large a number"),
    "a whole number that Python does not convert": ('{"a": ' + "9" * 4301 + "}", "got another: Exceeds the limit"),
    "a key twice": ('{"a": 1, "b": 2, "a": 1}', "got another: 'a' is given twice"),
    "a key twice, further in": ('{"a": [{"b": {"c": 1, "c": 2}}]}', "got another: 'c' is given twice"),
    "a key twice, once escaped": (r'{"a": 1, "\u0061": 2}', "got another: 'a' is given twice"),
    "a key that is not printable twice": ('{"\x1b": 1, "\\u001b": 2}', "at its character 2: Invalid control character"),
    "a key with an escape twice": (r'{"\u001b": 1, "\u001b": 2}', r"got another: '\x1b' is given twice"),
    "the first half of a pair": (r'{"a": "\ud83d"}', "expected a header in Unicode, got half of a surrogate pair"),
    "the second half of a pair": (r'{"a": "\ude00"}', "expected a header in Unicode, got half of a surrogate pair"),
    "a pair the other way round": (r'{"\ude00\ud83d": 1}', "expected a header in Unicode, got half of a surrogate"),
    "half a pair in an array": (r'{"a": [["\ud83d "]]}', "expected a header in Unicode, got half of a surrogate pair"),
    "Latin-1": ('{"é": 1}'.encode("latin-1"), "expected a header in UTF-8, got other bytes at its offset 2"),
    "UTF-16": ("{}".encode("utf-16"), "expected a header in UTF-8, got other bytes at its offset 0"),
    "a surrogate in UTF-8": (b'{"\xed\xa0\xbd": 1}', "expected a header in UTF-8, got other bytes at its offset 2"),
    "an overlong character": (b'{"\xc0\xaf": 1}', "expected a header in UTF-8, got other bytes at its offset 2"),
    "a character that is cut off": (b'{"\xe2\x82', "expected a header in UTF-8, got other bytes at its offset 2"),
    "deep arrays": ('{"a": ' + "[" * 10**5 + "]" * 10**5 + "}", "of a few levels, got JSON that is nested too deeply"),
    "deep objects": ('{"a":' * 10**5, "of a few levels, got JSON that is nested too deeply"),
}


@of_each("case", BAD)
def test_what_some_read_otherwise_is_refused(case: str) -> None:
    """By a sentence that says where, or what it is."""
    text, expected = BAD[case]
    assert expected in problem(text)


@pytest.mark.parametrize(("digits", "read"), [(4299, True), (4300, True), (4301, False)])
def test_whole_numbers_have_as_many_digits_as_python_converts(digits: int, read: bool) -> None:  # noqa: FBT001 - a case
    """One digit more is refused and no traceback."""
    text = '{"a": ' + "9" * digits + "}"
    if read:
        assert parse(text) == {"a": 10**digits - 1}
    else:
        assert "Exceeds the limit" in problem(text)


def test_a_document_that_is_cut_off_anywhere_is_refused() -> None:
    """No prefix of an object is one."""
    text = r'{"é": [1, -2.5e3, {"b": "\ud83d\ude00"}], "": null}'.encode()
    assert parse(text)
    for size in range(len(text)):
        problem(text[:size])


def test_a_byte_that_is_no_utf_8_is_refused_wherever_it_stands() -> None:
    """It is not replaced, and not skipped."""
    text = '{"é": ["a", 1]}'.encode()
    for at in range(len(text) + 1):
        assert "expected a header in UTF-8" in problem(text[:at] + b"\xff" + text[at:])
