"""The pickle machine's state: the bytes, a stack with marks, a memo, and what may be called.

It must not know an opcode: that is `opcodes`. An author of a hostile file chooses every opcode, so nothing here costs
more than the opcodes that ask for it: nothing is copied or compared that a pickle can refer to twice, and no container
is hashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.errors import shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Call: TypeAlias = Callable[[tuple[object, ...]], object]
    """What may be called: a function of the arguments' tuple."""

    Other: TypeAlias = "Callable[[Global, tuple[object, ...], bool], Opaque]"
    """What gives an object that is not built, by its class, its arguments, and whether it is certain to be a class."""

MOST_OPCODES = 500_000
"""How many opcodes a pickle may have whatever it is of. The machine runs as many in less than a second."""

OPCODES_A_TENSOR = 48
"""How many more for each file that a zip has beside the pickle, as each tensor's values are one. PyTorch writes 40."""

MOST_GLOBAL_BYTES = 1000
"""For the module, and for the name."""

NOTHING = object()
"""What lies in the memo under a number that was left out. It is of no use to whoever gets it."""


class RefusedError(Exception):
    """A pickle asks for something that it does not get: one sentence, without the file's name."""


class TruncatedError(Exception):
    """The bytes end before the pickle does."""


class Global:
    """A name in a module, as a pickle gives it. It is never imported."""

    __slots__ = ("_module", "_name")

    def __init__(self, module: str, name: str) -> None:
        # Not joined, since a pickle can have many names made of two long texts.
        self._module, self._name = module, name

    @property
    def name(self) -> str:
        """The module and the name, with a dot between them."""
        return f"{self._module}.{self._name}"

    @property
    def parts(self) -> tuple[str, str]:
        """The module, and the name."""
        return self._module, self._name


class Opaque:
    """What stands for an object that nothing here builds, or a value that is of no use; its class is only named."""

    __slots__ = ("of",)

    def __init__(self, of: Global) -> None:
        self.of = of


class Record:
    """An object of a dataclass that a reader knows, as the name of its class and its state. It hashes by what it is."""

    __slots__ = ("of", "state")

    def __init__(self, of: str) -> None:
        self.of, self.state = of, None

    state: object

    @classmethod
    def made(cls, of: str) -> Call:
        """Return what makes one of a class, whatever the arguments."""
        return lambda _: cls(of)


class Machine:
    """One pickle on its way to a value.

    Args:
        data: the pickle, and what follows it.
        calls: what may be called, by module and name.
        persistent: what gives the value that a persistent id stands for.
        most: how many opcodes it may have.
        other: what stands for an object of a class that is not among `calls`; None where there may be none.
    """

    def __init__(  # a machine has these parts
        self,
        data: bytes,
        calls: Mapping[str, Call],
        persistent: Callable[[object], object],
        most: int = MOST_OPCODES,
        other: Other | None = None,
    ) -> None:
        # A number of at most 8 bytes may be read before the end is checked for: zero is no opcode, so that the machine
        # stops in the padding.
        self.data = data + bytes(16)
        self.end = len(data)
        self.calls = calls
        self.persistent = persistent
        self.most = most
        self.other = other
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        # A list, since numbers hash to what their author chooses, and a dictionary can be made slow with them.
        self.memo: list[object] = []

    def take(self, at: int, count: int) -> bytes:
        """Return bytes that must be there."""
        if at + count > self.end:
            raise TruncatedError
        return self.data[at : at + count]

    def line(self, at: int) -> tuple[str, int]:
        """Return a line of text, and the place behind it."""
        stop = self.data.find(b"\n", at, min(at + MOST_GLOBAL_BYTES + 1, self.end))
        if stop < 0 and self.end - at <= MOST_GLOBAL_BYTES:
            raise TruncatedError
        if stop < 0:
            raise RefusedError(f"expected names of at most {MOST_GLOBAL_BYTES:,} bytes, got a longer one")
        return text(self.data[at:stop]), stop + 1

    def pop_mark(self) -> list[object]:
        """Take what lies on the stack since the last mark."""
        found, self.stack = self.stack, self.marks.pop()
        return found

    def remember(self, index: int) -> None:
        """Note the value on top of the stack under a number. Picklers count up; optimized pickles leave numbers out."""
        memo = self.memo
        if index == len(memo):
            memo.append(self.stack[-1])
            return
        # Five bytes can name the place 2³² - 1: without a bound, the list would be filled up to it.
        if index >= self.most:
            raise RefusedError(f"expected numbers below {self.most:,} in the memo, got {index:,}")
        memo.extend([NOTHING] * (index + 1 - len(memo)))
        memo[index] = self.stack[-1]

    def call(self, function: object, arguments: object, *, is_new: bool = False) -> None:
        """Push what a call comes to, or what stands for an object that is not built.

        Args:
            function: what is called, as the pickle gives it.
            arguments: a tuple.
            is_new: whether an object of a class is made, and not a function called, or a class that may be one.

        Raises:
            RefusedError: the name is not in the table, and of no class whose objects are harmless.
        """
        if type(function) is Global and type(arguments) is tuple:
            known = self.calls.get(function.name)
            if known is not None:
                self.stack.append(known(arguments))
                return
            if self.other is not None:
                self.stack.append(self.other(function, arguments, is_new))
                return
        raise refused(function, is_new=is_new)


def refused(function: object, *, is_new: bool) -> RefusedError:
    """Return the error for a call of what may not be called, or for an object of a class that may not be one."""
    if is_new:
        got = f"an object of {kind(function)}, a class that would have to be imported"
        return RefusedError(f"expected only calls that rebuild tensors, got {got}")
    return RefusedError(f"expected only calls that rebuild tensors, got {kind(function)}")


def kind(value: object) -> str:
    """Return what a value is, for a message; never the value, which may be endless.

    >>> kind({}), kind(Global("os", "system")), kind(None)
    ('a dict', 'os.system', 'None')
    """
    if type(value) is Global:
        return shortened(value.name)
    if type(value) is Opaque:
        return f"an object of {shortened(value.of.name)}"
    name = type(value).__name__
    return "None" if value is None else f"an {name}" if name[0] in "aeiou" else f"a {name}"


def text(found: bytes) -> str:
    """Return the text of bytes in UTF-8."""
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(f"expected text in UTF-8, got {shown(found[:60])}") from None
