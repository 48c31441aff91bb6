"""JSON of which two readers see the same: no key twice, no number or text that some readers take and others do not.

It must not know what a document is about: that is `safetensors` and `shards`.
"""

from __future__ import annotations

from typing import Any, NoReturn

from gpt2calc.errors import UnreadableInputError, shown

MOST_JSON_BYTES = 2**20
"""How many bytes a document may have. The header of gpt2-xl has 58 kB, its index 50 kB; 700 blocks fit. Of
one byte of JSON, Python makes up to 30 bytes of objects, and what is listed is to be judged within a second."""


def parse(file_name: str, content: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object that some bytes are.

    Law: what Python reads more freely than the standard, or than serde_json, which safetensors' own library reads with,
    is refused: NaN and infinities, numbers over a float's, half a surrogate pair, a key that is given twice. The whole
    number -0 is the float -0.0.

    Args:
        file_name: what errors name.
        content: the bytes.
        what: what they are, such as `a header`.

    Raises:
        UnreadableInputError: they are no such object.

    Source: RFC 8259; serde_json, src/de.rs.

    >>> parse("x", b'{"a": [1, -0]}', "a header")
    {'a': [1, -0.0]}
    """
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
