"""What a design starts from: a model, of which some sizes are searched and all others stay as they are.

A GPT-2 is a function of its dims. A model of another family is one where all its layers are of one kind, so that how
many there are of them is a size like any other; its closed forms in letters are compiled, and each shape that is
answered is read as a config.json again.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import general_conventions
from gpt2calc.algebra import Expression
from gpt2calc.architectures.runs import Layers
from gpt2calc.designs import family, measures
from gpt2calc.designs.report import Design
from gpt2calc.dims import Dims, from_fields, to_fields
from gpt2calc.errors import ConfigError
from gpt2calc.fields import CLASSES, DEFAULTS
from gpt2calc.model import FLAG, LAW, LIST, SIZE, Model, evaluated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpt2calc.designs.measures import Measure
    from gpt2calc.designs.search import RankedShape
    from gpt2calc.designs.targets import SizeTarget
    from gpt2calc.general_conventions import Convention
    from gpt2calc.sources import Source

INNER = ("intermediate_size", "moe_intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size", "expert_width")
"""What a width of the MLP, or of an expert, is called; the first that changes the model is searched."""

NEEDED = {"n_layer": "num_hidden_layers", "n_embd": "hidden_size", "n_head": "num_attention_heads"}
HEAD_SIZES = (64, 128)
"""The sizes of a head that a GPT-2's width may be a multiple of, unless something else is given."""

ROUND = 256
"""Of another family n_inner is a multiple of this, or of what of it the model's own is."""


class Gpt2:
    """A GPT-2 of certain dims."""

    find = staticmethod(measures.find)
    has_inner = True
    model_type = "gpt2"

    def __init__(self, source: Source) -> None:
        self.dims = source.dims
        self.vocab_size = self.dims.vocab_size
        self.members = family.gpts()
        self.bounds: dict[str, Any] = {
            "head_size": ", ".join(map(str, HEAD_SIZES)),
            "inner_ratio": Fraction(self.dims.n_inner, self.dims.n_embd),
        }

    def measure(
        self, convention: Convention, vocab_size: int, _: Callable[[int], int | None]
    ) -> Callable[[int], Measure]:
        """Return what gives the measure of a width, which is the same of all."""
        found = measures.of(convention, self.dims._replace(vocab_size=vocab_size))
        return lambda _: found

    def design(self, found: RankedShape, head_size: int, target: SizeTarget) -> Design:
        """Return a shape that was found as a design."""
        dims = self.dims._replace(
            **{name: getattr(found, name) for name in ("n_layer", "n_embd", "n_inner", "vocab_size")}
        )
        n_head = found.n_embd // head_size
        return Design(
            dims,
            found.n_layer,
            found.n_embd,
            found.n_inner,
            found.vocab_size,
            n_head,
            0,
            found.value,
            target.difference(found.value),
            _config(dims, n_head),
        )


def _config(dims: Dims, n_head: int) -> dict[str, Any]:
    """Return the fields of a config.json of a GPT-2, which every command and `Config` take."""
    fields = to_fields(dims)
    head, n_inner = fields.pop("head"), fields.pop("n_inner")
    sizes = {name: fields.pop(name) for name in DEFAULTS}
    usual = to_fields(from_fields({**DEFAULTS, "bias": fields["bias"]})) | {"bias": True}
    return {
        "model_type": "gpt2",
        "architectures": [next(name for name, having in CLASSES.items() if having == head)],
        **sizes,
        "n_head": n_head,
        "n_inner": None if n_inner == 4 * dims.n_embd else n_inner,
        **{name: value for name, value in fields.items() if value != usual[name]},
    }


class Letters(NamedTuple):
    """The sizes that are searched, and those that follow from them, by the letter that stands for each."""

    L: int
    d: int
    m: int
    h: int
    k: int
    e: int


class Other:
    """A model of another family.

    Args:
        source: where it is from.
        model: what is counted of it.
        asked: the fields that a person gives.

    Raises:
        ConfigError: its sizes do not allow such a search; the sentence says which and why.
    """

    def __init__(self, source: Source, model: Model, asked: Mapping[str, Any]) -> None:
        self.model, self.name, self.asked = model, source.name, asked
        self.given = {name: value for name, value in (source.given or {}).items() if not self._is_per_layer(value)}
        self.model_type = model.architecture.model_type
        self.rows = {row.name: row for row in model.architecture.sizes}
        self._refuse()
        sizes = model.sizes
        self.layers, self.width, self.heads = (sizes[name] for name in NEEDED.values())
        self.inner = next((name for name in INNER if self._changes(name)), "")
        self.has_inner = bool(self.inner)
        keys = sizes.get("num_key_value_heads", 0)
        self.keys = keys if self._is_size("num_key_value_heads") and keys != self.heads else 0
        self.own_head = sizes.get("head_dim", 0) if sizes.get("head_dim") != Fraction(self.width, self.heads) else 0
        self.vocab_size = sizes["vocab_size"]
        itself = family.Member(self.name, model, Fraction(self.width, self.layers))
        self.members = family.others(self.model_type) or (itself,)
        self.bounds: dict[str, Any] = {"head_size": str(max(self.width // self.heads, 1))}
        if self.inner:
            self.bounds |= {"inner_ratio": Fraction(sizes[self.inner], self.width)}
            self.bounds |= {"inner_multiple": gcd(sizes[self.inner], ROUND)}
        self._check()

    def find(self, name: str) -> Convention:
        """Return a convention by name, if it makes sense for the model.

        Raises:
            UnknownNameError, ConfigError: there is none of this name, or it counts experts where there are none.
        """
        found = measures.find_general(name)
        if found in general_conventions.ACTIVE and found not in general_conventions.of(self.model):
            raise ConfigError(f"{self.name} has no experts: {name} counts none of it", field="convention", got=name)
        return found

    def _refuse(self) -> None:
        """Raise where a depth and a width do not say what the model is."""
        model, kind = self.model, self.model_type
        if len({frozenset(own & self._tags()) for own in model.kinds()}) > 1 or len(model.stacks) != 1:
            words = sorted({" ".join(sorted(own & self._tags())) for own in model.kinds()})
            raise ConfigError(
                f"no design of {self.name}: its layers are of several kinds, {', '.join(words)}, and a depth does not "
                "say how many there are of each",
                field="family",
            )
        for name in NEEDED.values():
            if not self._is_size(name) or not model.sizes[name]:
                raise ConfigError(f"no design of {self.name}: a {kind} has no {name} to be searched", field="family")

    def _tags(self) -> frozenset[str]:
        return frozenset(tag for row in self.model.components() for tag in row.layers.split())

    def _is_per_layer(self, value: object) -> bool:
        """Whether a value is a list with an entry for each layer, which fits no other depth."""
        layers = self.model.sizes.get("num_hidden_layers")
        return isinstance(value, (list, tuple)) and len(value) == layers and layers > 1

    def _is_size(self, name: str) -> bool:
        return name in self.rows and self.rows[name].kind == SIZE

    def _changes(self, name: str) -> bool:
        """Whether a size of its own changes what the model holds."""
        if not self._is_size(name) or not isinstance(own := self.model.sizes[name], int):
            return False
        return bool(self.model.replace(**{name: own + 1}).total() != self.model.total())

    def _keys(self, heads: int) -> int:
        """Return how many heads of keys and values go with so many of queries, 0 where none do.

        Law: as many as the model has, or fewer, down to half of them, that divide the heads: nobody groups 33 heads by
        3 or by 11 where 32 are grouped by 8. What a person gives stays as it is.
        """
        if not self.keys:
            return heads
        least = self.keys if "num_key_value_heads" in self.asked else -(-self.keys // 2)
        return next((keys for keys in range(self.keys, least - 1, -1) if heads % keys == 0), 0)

    def _letters(self, shape: tuple[int, int, int], head_size: int) -> Letters:
        """Return the sizes of a shape, and what follows from them."""
        heads = shape[1] // head_size
        return Letters(*shape, heads, self._keys(heads), self.own_head or head_size)

    def _named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Return numbers, or letters, by the names of the sizes that they are of."""
        layers, width, inner, heads, keys, head = values
        found = {"num_hidden_layers": layers, "hidden_size": width, "num_attention_heads": heads}
        found |= {self.inner: inner} if self.inner else {}
        found |= {"num_key_value_heads": keys} if self._is_size("num_key_value_heads") else {}
        return found | ({"head_dim": head} if self._is_size("head_dim") else {})

    def _follows(self, name: str) -> bool:
        """Whether a size is what the ones above it make of it, and nobody says otherwise."""
        row = self.rows[name]
        law = row.default if isinstance(row.default, str) and row.default.startswith("= ") else ""
        return bool(law) and (row.kind == LAW or evaluated(law[2:], self.model.sizes) == self.model.sizes[name])

    def _lettered(self, vocab_size: int) -> Model:
        """Return the model with letters for what is searched, and for what follows from it by sums and products."""
        letters = self._named(tuple(map(Expression.letter, Letters._fields)))
        sizes = self._sizes({**letters, "vocab_size": vocab_size})
        (kind,) = {frozenset(own & self._tags()) for own in self.model.kinds()}
        layers = letters["num_hidden_layers"]
        return Model(self.model.architecture, sizes, lambda tags: layers if set(tags.split()) <= kind else 0)

    def _sizes(self, named: Mapping[str, Any]) -> dict[str, Any]:
        """Return every size, where some are these numbers or letters, and others follow from them."""
        sizes: dict[str, Any] = {}
        for row in self.model.architecture.sizes:
            own = sizes[row.name] = named.get(row.name, self.model.sizes[row.name])
            if row.name not in named and row.kind not in (LIST, FLAG) and self._follows(row.name):
                try:
                    sizes[row.name] = evaluated(row.default[2:], sizes)
                except (TypeError, ValueError):
                    sizes[row.name] = own  # a condition on letters: what comes of it is checked in each answer
        return sizes

    def _is_built(self, letters: Letters) -> bool:
        """Whether sizes go together, by what the architecture says that they must."""
        layers = self.model.architecture.layers
        sizes = {**self._sizes(self._named(letters)), "model_type": self.model_type}
        return not isinstance(layers, Layers) or all(must.holds(sizes) for must in layers.musts)

    def measure(
        self, convention: Convention, vocab_size: int, head: Callable[[int], int | None]
    ) -> Callable[[int], Measure | None]:
        """Return what gives the measure of a width, of which the heads follow; None where no keys go with them.

        Raises:
            ConfigError: what the convention counts may fall where a size grows.
        """
        way: Any = convention.value
        expression = Expression.of(way.of(self._lettered(vocab_size)))
        falls = [letters for letters, factor in expression.terms.items() if factor < 0 and {"L", "m"} & set(letters)]
        if falls and not expression.divides:
            raise ConfigError(
                f"no design of {self.name}: {convention.name} may fall where a size grows", field="family"
            )
        counted = expression.compiled(Letters._fields)

        def of_width(n_embd: int) -> Measure | None:
            letters = self._letters((1, n_embd, 1), head(n_embd) or n_embd)
            *_, heads, keys, own_head = letters
            if not keys or not self._is_built(letters):
                return None
            return lambda n_layer, n_embd, n_inner: int(counted(n_layer, n_embd, n_inner, heads, keys, own_head))

        return of_width

    def _check(self) -> None:
        """Raise where the letters do not give the model's own count."""
        inner = self.model.sizes[self.inner] if self.inner else 0
        own = (self.layers, self.width, inner, self.heads, self.keys or self.heads)
        counted = Expression.of(self._lettered(self.vocab_size).total()).compiled(Letters._fields)
        if counted(*own, self.own_head or self.width // self.heads) != self.model.total():
            raise ConfigError(
                f"no design of {self.name}: how many parameters a {self.model_type} has follows from its width and "
                "depth by more than sums and products",
                field="family",
            )

    def design(self, found: RankedShape, head_size: int, target: SizeTarget) -> Design:
        """Return a shape that was found as a design, read as a config.json is.

        Raises:
            ConfigError: what is read is another number than what was found.
        """
        from gpt2calc.architectures import reading

        letters = self._letters((found.n_layer, found.n_embd, found.n_inner), head_size)
        named = self._named(letters) | {"vocab_size": found.vocab_size}
        document = {
            name: value for name, value in self.given.items() if not (name in self.rows and self._follows(name))
        }
        model = reading.read({**document, "model_type": self.model_type}, named).model
        if (value := target.convention.value(model)) != found.value:
            raise ConfigError(f"no design of {self.name}: {found.value:,} was found, and its config counts {value:,}")
        config = {"model_type": self.model_type, **reading.rewritten(document, model)}
        if not model.score:
            config.pop("num_labels", None)
        return Design(
            model,
            found.n_layer,
            found.n_embd,
            found.n_inner,
            found.vocab_size,
            letters.h,
            letters.k if self.keys else 0,
            found.value,
            target.difference(found.value),
            config,
        )


def of(source: Source, asked: Mapping[str, Any]) -> Gpt2 | Other:
    """Return what a design starts from, a GPT-2 or another; `asked` are the fields that a person gives."""
    return Gpt2(source) if isinstance(source.counted, Dims) else Other(source, source.counted, asked)
