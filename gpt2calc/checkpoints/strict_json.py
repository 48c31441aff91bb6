"""JSON of which two readers see the same: no key twice, no number or text that some readers take and others do not.

It must not know what a document is about: that is `safetensors` and `shards`.
"""

from __future__ import annotations

from typing import Any, NoReturn

from gpt2calc.errors import UnreadableInputError, shown
from gpt2calc.listing import BYTES_A_TENSOR, MOST_TENSORS

MOST_JSON_BYTES = 100_000_000
"""How many bytes a document may have: what safetensors' own library takes of a header."""

SMALL_JSON_BYTES = 2**20
"""A document that has no more is read whatever it holds. A longer one must be so for its tensors: of one byte of JSON,
Python makes up to 30 bytes of objects."""

VALUES_A_TENSOR = 16
"""How many values, by the commas and brackets around them, a longer document may have for each of its tensors."""


def parse(file_name: str, content: bytes, what: str, tensor: bytes) -> dict[str, Any]:
    """Return the JSON object that some bytes are.

    Law: what Python reads more freely than the standard, or than serde_json, which safetensors' own library reads with,
    is refused: NaN and infinities, numbers over a float's, half a surrogate pair, a key that is given twice. The whole
    number -0 is the float -0.0. What is longer than `SMALL_JSON_BYTES` is in proportion to its tensors, in bytes and in
    values, or nothing is made of it.

    Args:
        file_name: what errors name.
        content: the bytes.
        what: what they are, such as `a header`.
        tensor: a character that occurs once or more for each tensor.

    Raises:
        UnreadableInputError: they are no such object.

    Source: RFC 8259; serde_json, src/de.rs.

    >>> parse("x", b'{"a": [1, -0]}', "a header", b":")
    {'a': [1, -0.0]}
    """
    if len(content) > SMALL_JSON_BYTES:
        _check_proportion(file_name, content, what, content.count(tensor))
    return _decoded(file_name, content, what)


def _decoded(file_name: str, content: bytes, what: str) -> dict[str, Any]:
    from json import JSONDecodeError, JSONDecoder, dumps  # formats without JSON do without

    try:
        text = content.decode()
        # The hook for -0 is called for each number and so is slow; a file's header rarely has a minus.
        whole = _whole if "-" in text else None
        decoder = JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_float, parse_int=whole)
        document = decoder.decode(text)
        if "\\u" in text:
            dumps(document, ensure_ascii=False).encode()  # fails where half of a surrogate pair stands alone
    except UnicodeDecodeError as error:
        problem = f"expected {what} in UTF-8, got other bytes at its offset {error.start:,}"
    except UnicodeEncodeError:
        problem = f"expected {what} in Unicode, got half of a surrogate pair"
    except JSONDecodeError as error:
        problem = f"expected {what} in JSON, got something else at its character {error.pos:,}: {error.msg}"
    except RecursionError:
        problem = f"expected {what} of a few levels, got JSON that is nested too deeply"
    except ValueError as error:  # from the hooks, and from Python, which converts at most 4,300 digits
        problem = f"expected {what} that all read alike, got another: {error}"
    else:
        if isinstance(document, dict):
            return document
        problem = f"expected {what} that is a JSON object, got {brief(document)}"
    raise UnreadableInputError(file_name, problem)


def _check_proportion(file_name: str, content: bytes, what: str, tensors: int) -> None:
    most = min(SMALL_JSON_BYTES + tensors * BYTES_A_TENSOR, MOST_JSON_BYTES)
    values = sum(map(content.count, (b",", b"[", b"{")))
    if tensors > MOST_TENSORS + 16:  # a few are there for no tensor: exactly, it is counted once it is parsed
        problem = f"{what} of at most {MOST_TENSORS:,} tensors, got {tensors:,}"
    elif len(content) > most:
        problem = f"{what} of at most {most:,} bytes for as many tensors as it names, got {len(content):,}"
    elif values > SMALL_JSON_BYTES + tensors * VALUES_A_TENSOR:
        problem = f"{what} of at most {VALUES_A_TENSOR} values for each tensor, got {values:,} in all"
    else:
        return
    raise UnreadableInputError(file_name, f"expected {problem}")


def brief(value: object) -> str:
    """Return what a message shows of a value, however deep and long it is.

    >>> brief([1, 2]), brief([[]]), brief({"a": 1}), brief("F32")
    ('[1, 2]', 'an array of others', 'an object', "'F32'")
    """
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list) and (len(value) > 8 or any(isinstance(part, (dict, list)) for part in value)):
        return "an array of others"
    return shown(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"{shown(key)} is given twice")
            seen.add(key)
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _float(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        raise ValueError(f"{shown(text)} is too large a number")
    return number


def _whole(text: str) -> float:
    return -0.0 if text == "-0" else int(text)
