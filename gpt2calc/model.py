"""What a model is, whatever its architecture: named sizes, layers that carry tags, and two derivations in rows.

An architecture states its sizes, which layers it has, its components by algebra and its tensors by name and shape. It
must not know any: they are files of `architectures`, and a config is read by `architectures.reading`.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import groupby
from math import lcm, prod

from gpt2calc.algebra import Expression
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType
    from typing import Any, Protocol, TypeAlias

    Number: TypeAlias = Any
    """Whatever adds and multiplies: a Python int, a letter of `algebra.Expression`, a symbol of sympy."""

    class LayersOf(Protocol):
        """Which layers a model has."""

        def __call__(self, model: Model, /) -> tuple[Stack, ...]:
            """Return them, by stacks."""

    class NotesOf(Protocol):
        """What a reader should know of a model beyond its counts."""

        def __call__(self, model: Model, /) -> tuple[str, ...]:
            """Return a sentence for each thing."""


SIZE, FLAG, WORD, LIST, FIXED, LAW = "size", "flag", "word", "list", "fixed", "law"
"""What a `Size` holds: a whole number; 0 or 1, said as true or false; a word; a list with an entry a layer, or of the
numbers of layers; what may only have its default; what no document gives, and a law does."""

REFUSED, ABSENT = "refused", "absent"
"""What null is: an error, or the same as no value; it can be a value or a law, too."""

SAME = "a list with the same for each layer"
"""Among the words of a size, that it can be given so."""

AHEAD, FURTHER = "ahead", "num_nextn_predict_layers"
"""The tag of layers that files hold beyond a model's own, and what configs call their number."""

WEIGHT, BIAS, BUFFER, SCALE = "weight", "bias", "buffer", "scale"
TOKEN_EMBEDDING, POSITION_EMBEDDING, OUTPUT_HEAD = "token_embedding", "position_embedding", "output_head"
LAYER_EMBEDDING = "layer_embedding"
"""What a component can be to whoever asks for a part of a model, and does not know its names."""

GROUPS = ("embedding", "attention", "cross_attention", "mlp", "experts", "router", "ssm", "layer_norm", "head", "other")
"""The groups that every component belongs to one of, in the order they are shown; RMSNorm is in layer_norm."""


class Size(NamedTuple):
    """One field of a config that shapes depend on, or a number that follows from others.

    Args:
        name: what transformers calls it.
        kind: SIZE, FLAG, WORD, LIST, FIXED or LAW.
        default: its value where a document has none, "= " and a law of the sizes above it, or None where it is needed.
        letter: what stands for it where a formula is written; its name, unless given.
        null: what null is.
        spellings: the other names that transformers gives it.
        least: the least that it can be.
        words: what a word, or an entry of a list, can be; of a SIZE, what says the same as no value, such as "auto".
        help: what it is, in a few words.
    """

    name: str
    kind: str = SIZE
    default: Any = None
    letter: str = ""
    null: Any = REFUSED
    spellings: tuple[str, ...] = ()
    least: int = 1
    words: tuple[str, ...] = ()
    help: str = ""


class Component(NamedTuple):
    """A row of the first derivation: what each layer with certain tags holds of one component, by algebra.

    Args:
        name: what the component is called.
        group: one of `GROUPS`.
        weights, biases: what one copy holds.
        layers: the tags that a layer must have, such as "moe"; "" for what stands outside of all layers, once.
        times: how many copies stand there; 0 where it is absent.
        used: how many of them a token passes, where it does not pass all; 0 where nobody says. None where it does.
        part: TOKEN_EMBEDDING, POSITION_EMBEDDING, LAYER_EMBEDDING, OUTPUT_HEAD or "".
        source: where it is defined.
    """

    name: str
    group: str
    weights: Number
    biases: Number = 0
    layers: str = ""
    times: Number = 1
    used: Number | None = None
    part: str = ""
    source: str = ""


class Tensor(NamedTuple):
    """A row of the second derivation: a tensor as files hold it.

    Args:
        template: its name, with `{layer}` where the prefix and number of a layer go, and `{n}` for those of copies.
        component: the component that it is a tensor of.
        shape: its shape.
        layers: the tags that a layer must have; "" for what stands outside of all layers.
        times: how many copies there are, numbered by `{n}`.
        when: 0 where it is absent, else 1.
        role: WEIGHT, BIAS, BUFFER or SCALE: a buffer, or a scale of quantized elements, is in files, and no parameter.
        plain: 1 where quantizers leave it as it is, which no config says.
        dtype: what it is stored as, where that is not what the model is.
        packed: how many elements of the model one stored element is.
    """

    template: str
    component: str
    shape: tuple[Number, ...]
    layers: str = ""
    times: Number = 1
    when: Number = 1
    role: str = WEIGHT
    plain: Number = 0
    dtype: str = ""
    packed: Number = 1


class Listed(NamedTuple):
    """One tensor of a model."""

    name: str
    shape: tuple[int, ...]
    component: str
    role: str

    @property
    def numel(self) -> int:
        """The number of elements, as `torch.Tensor.numel()` gives it."""
        return prod(self.shape)


class Run(NamedTuple):
    """Layers one after the other, of which the i-th has the tags `pattern[i % len(pattern)]`; `length` is how many.

    Where there are none, the pattern says what they would have.
    """

    pattern: tuple[frozenset[str], ...]
    length: int

    def kinds(self) -> Counter[frozenset[str]]:
        """Return how many of the layers have which tags, without walking more of them than the pattern has.

        >>> Run((frozenset({"moe"}), frozenset({"dense"})), 10**12 + 1).kinds()[frozenset({"moe"})]
        500000000001
        """
        whole, rest = divmod(self.length, len(self.pattern))
        found = Counter({own: n * whole for own, n in Counter(self.pattern).items()} if whole else {})
        return found + Counter(self.pattern[:rest])


class Stack(NamedTuple):
    """Numbered layers under one prefix."""

    prefix: str
    runs: tuple[Run, ...]

    def layers(self) -> Iterator[frozenset[str]]:
        """Yield the tags of each layer."""
        return (run.pattern[i % len(run.pattern)] for run in self.runs for i in range(run.length))


class Merge(NamedTuple):
    """A tensor of a live module that files hold in several: stacked over `{n}`, then put together along `axis`.

    One of a single stored tensor without `{n}` is that tensor under another name.
    """

    live: str
    stored: tuple[str, ...]
    axis: int = 0


class Ahead(NamedTuple):
    """Layers that files hold beyond a model's own, and that transformers does not build: they predict further tokens.

    Args:
        tags: what else each of them is, by the tags of a model's own layers, whose rows it has as well.
        components: the first derivation of what they have beside those; in layers of the tag AHEAD, or outside of all.
        tensors: the second.
        number: the size that says how many there are; "" where no config does, and files hold one or none.
        prefix: what stands before their numbers; "" where they are numbered on from a model's own.
    """

    tags: frozenset[str]
    components: Callable[[Model], list[Component]]
    tensors: Callable[[Model], list[Tensor]]
    number: str = FURTHER
    prefix: str = ""


def no_notes(_: Model) -> tuple[str, ...]:
    """Return nothing, of a model of which there is nothing to say."""
    return ()


class Architecture(NamedTuple):
    """What one model type is made of.

    Args:
        model_type: as a config.json says it.
        classes: transformers' classes that are counted, each with its head.
        body: what stands before the names of all but the head, with which the base model alone does without.
        sizes: every size, those that follow from others after these.
        layers: which layers there are; all that sees lists, and what refuses sizes that do not go together. As
            `architectures.runs.Layers`, it is data.
        components: the first derivation; it knows no name and no shape of a tensor.
        tensors: the second; it knows no closed form.
        merges: which tensors a live module of transformers keeps in one, or calls otherwise.
        notes: what a reader should know of a model beyond its counts.
        live_body: what a live module calls the body, where files call it otherwise.
        ahead: what files hold beyond the model's own layers; None where none is known.
    """

    model_type: str
    classes: Mapping[str, str]
    body: str
    sizes: tuple[Size, ...]
    layers: LayersOf
    components: Callable[[Model], list[Component]]
    tensors: Callable[[Model], list[Tensor]]
    merges: tuple[Merge, ...] = ()
    notes: NotesOf = no_notes
    live_body: str = ""
    ahead: Ahead | None = None


class Model:
    """One model of an architecture: its sizes are attributes, and both derivations can be asked of it.

    Args:
        architecture: what it is a model of.
        sizes: a number for each size, by name; lists and words as they are.
        count: how many layers have all of certain tags, a letter in a proof; None to count them.
    """

    __slots__ = ("_count", "_tagged", "architecture", "sizes", "stacks")

    def __init__(
        self, architecture: Architecture, sizes: Mapping[str, Any], count: Callable[[str], Number] | None = None
    ) -> None:
        self.architecture = architecture
        self.sizes = sizes
        self._count = count
        self.stacks: tuple[Stack, ...] = () if count else architecture.layers(self)
        self._tagged: Counter[frozenset[str]] = Counter()  # in the order in which they come
        for run in (run for stack in self.stacks for run in stack.runs):
            self._tagged.update(run.kinds())

    def __getattr__(self, name: str) -> Any:
        try:
            return self.sizes[name]
        except KeyError:
            raise AttributeError(name) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self.architecture.model_type, *self.sizes.items()))

    def _key(self) -> tuple[object, ...]:
        return self.architecture, dict(self.sizes), self._count

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep a model in another process, which `__getattr__` would be in the way of."""
        return Model, (self.architecture, dict(self.sizes))

    def count(self, tags: str) -> Number:
        """Return how many layers have all the tags; 1 for what stands outside of all layers."""
        if not tags:
            return 1
        if self._count:
            return self._count(tags)
        wanted = frozenset(tags.split())
        return sum(n for own, n in self._tagged.items() if wanted <= own)

    def components(self) -> list[Component]:
        """Return the rows of the first derivation, absent ones among them."""
        return self.architecture.components(self)

    def total(self) -> Number:
        """Return the number of parameters, by algebra."""
        return sum(self.count(row.layers) * row.times * (row.weights + row.biases) for row in self.components())

    def numel(self, *, role: str = "", rank: int | None = None, component: str = "") -> Number:
        """Return the sum of `numel()` over the parameters, by listing shapes; over those that fit what is asked."""
        return sum(
            self.count(row.layers) * row.when * row.times * prod(row.shape)
            for row in self.architecture.tensors(self)
            if row.role == (role or row.role)
            and (role == BUFFER or row.role != BUFFER)
            and rank in (None, len(row.shape))
            and component in ("", row.component)
        )

    def tensors(self, *, live: bool = False) -> list[Tensor]:
        """Return the rows of the second derivation that are present, `live` as a module of transformers has them."""
        rows = [row for row in self.architecture.tensors(self) if row.when and row.times and self.count(row.layers)]
        return merged(rows, self.architecture.merges) if live else rows

    def size(self, *, live: bool = False) -> int:
        """Return how many tensors there are, without listing them; buffers among them."""
        return sum(self.count(row.layers) * row.times for row in self.tensors(live=live))

    def listing(self, *, live: bool = False) -> Iterator[Listed]:
        """Yield every tensor, named, shaped and ordered as files of transformers hold them, or a live module does."""
        body = f"{self.architecture.body}."
        if self.sizes.get("head", "lm") == "none":
            renamed = (body, "")
        else:
            renamed = (body, f"{self.architecture.live_body}.") if live and self.architecture.live_body else ("", "")
        for in_layers, rows in groupby(self.tensors(live=live), key=lambda row: bool(row.layers)):
            parts = list(rows)
            if not in_layers:
                yield from _named(parts, "", *renamed)
                continue
            wanted = [frozenset(row.layers.split()) for row in parts]
            for stack in self.stacks:
                for i, tags in enumerate(stack.layers()):
                    present = [row for row, needed in zip(parts, wanted, strict=True) if needed <= tags]
                    yield from _named(present, f"{stack.prefix}.{i}", *renamed)

    def replace(self, **sizes: Any) -> Model:
        """Return the same model with other numbers; what follows from them is not computed anew."""
        return Model(self.architecture, {**self.sizes, **sizes}, self._count)

    def document(self) -> dict[str, Any]:
        """Return a config.json from which the same model is read."""
        architecture = self.architecture
        named = next(name for name, head in architecture.classes.items() if head == self.sizes.get("head", "lm"))
        found: dict[str, Any] = {"model_type": architecture.model_type, "architectures": [named]}
        for row in architecture.sizes:
            value = self.sizes[row.name]
            if row.kind in (LAW, FIXED) or row.name == "head" or value is None:
                continue
            is_null = row.kind == SIZE and value < row.least  # which null alone says, as of a rank that there is not
            found[row.name] = (
                None if is_null else list(value) if row.kind == LIST else bool(value) if row.kind == FLAG else value
            )
        return found

    def letters(self) -> dict[str, str]:
        """Return the letter of every size that is a number, by the size's name."""
        return {row.name: row.letter or row.name for row in self.architecture.sizes if self._is_number(row)}

    def lettered(self) -> Model:
        """Return the model with letters for its sizes, and for how many layers have which tags; flags stay numbers.

        A size that is as many times another as it is where nobody gives it is written so, as m is 4d in a GPT-2.
        """
        letters: dict[str, Number] = {name: Expression.letter(letter) for name, letter in self.letters().items()}
        for row in self.architecture.sizes:
            law = row.default[2:] if isinstance(row.default, str) and row.default.startswith("= ") else ""
            is_multiple = law and not set(law) & set("/%(<>=!") and " if " not in law and row.name in letters
            if is_multiple and evaluated(law, self.sizes) == self.sizes[row.name]:
                letters[row.name] = evaluated(law, letters)
        return Model(self.architecture, {**self.sizes, **letters}, self._letter)

    def kinds(self) -> list[frozenset[str]]:
        """Return the kinds of layers, each by its tags, in the order in which they come; of what could, if none do."""
        patterns = (own for stack in self.stacks for run in stack.runs for own in run.pattern)
        return list(self._tagged) or list(dict.fromkeys(patterns))

    def number(self, tags: frozenset[str]) -> int:
        """Return how many layers have these tags and no other."""
        return self._tagged[tags]

    def layer_letters(self) -> dict[str, int]:
        """Return the letter of every kind of layer that a component asks for, with how many there are of the kind."""
        asked = {row.layers for row in self.components() if row.layers and row.times}
        return {self._layer_letter(tags): self.count(tags) for tags in sorted(asked) if self._letter(tags)}

    def _is_number(self, row: Size) -> bool:
        value = self.sizes[row.name]
        is_constant = row.kind == LAW and value == 0  # of a part that the architecture does not have
        return row.kind in (SIZE, LAW) and bool(row.letter) and isinstance(value, int) and not is_constant

    def _letter(self, tags: str) -> Number:
        # A model of no layers keeps what one would hold.
        is_there = any(set(tags.split()) <= own for own in self.kinds())
        return Expression.letter(self._layer_letter(tags)) if is_there else 0

    def _layer_letter(self, tags: str) -> str:
        """Return L where all layers have the tags, and else L and the tags that not all have."""
        rest = sorted(tag for tag in tags.split() if not all(tag in own for own in self.kinds()))
        return "_".join(("L", *rest))


def evaluated(law: str, values: Mapping[str, Any]) -> Any:
    """Return what a law of the tables comes to, from the sizes that it names."""
    return eval(_compiled(law), {**KNOWN, **values})  # noqa: S307  # no user's text


KNOWN: dict[str, Any] = {"__builtins__": {}, "int": int, "lcm": lcm, "len": len}
"""What laws may call."""


@cache
def _compiled(law: str) -> CodeType:
    """Return a law as code; `compile` would first make Python's own classes for syntax, a fifteenth of all start-up."""
    code: CodeType = eval(f"lambda: {law}", {}).__code__  # noqa: S307  # as above
    return code


def _named(rows: list[Tensor], layer: str, before: str, after: str) -> Iterator[Listed]:
    """Yield the tensors of rows that stand in one place: copies one after the other, each with all its tensors.

    What their names begin with is `after` where it was `before`.
    """
    for (copies, _), alike in groupby(rows, key=_copied):
        together = list(alike)
        for n in range(1 if copies is None else copies):
            for row in together:
                name = row.template.format(layer=layer, n=n)
                name = after + name.removeprefix(before) if name.startswith(before) else name
                yield Listed(name, row.shape, row.component, row.role)


def _copied(row: Tensor) -> tuple[Number | None, str]:
    """Return how many copies there are of what a tensor stands in, and what that is called before its number."""
    before, copied, _ = row.template.partition("{n}")
    return (row.times, before) if copied else (None, "")


def merged(rows: list[Tensor], merges: tuple[Merge, ...]) -> list[Tensor]:
    """Return rows as a live module names them: where several are one tensor there, the one stands for the first."""
    found = list(rows)
    for merge in merges:
        for tags in dict.fromkeys(row.layers for row in rows if row.template in merge.stored):
            parts = [row for row in found if row.template in merge.stored and row.layers == tags]
            first = parts[0]
            shape = list(first.shape)
            shape[merge.axis] = sum(part.shape[merge.axis] for part in parts)
            copies = (first.times,) if "{n}" in first.template else ()
            found[found.index(first)] = first._replace(
                template=merge.live, shape=(*copies, *shape), times=1 if copies else first.times
            )
            found = [row for row in found if row not in parts[1:]]
    return found
