"""What a checkpoint of PyTorch may call: a row for each function that rebuilds a tensor, or a container of them.

Each only notes what it is asked for: a `Tensor` is a shape over a `Storage`, and a storage is a key with a number of
bytes. It must not know where the bytes of a storage lie: that is `torch_files`.

Source: PyTorch 2.13, torch/_utils.py and torch/serialization.py; those of older releases where they wrote otherwise.
"""

from __future__ import annotations

import sys
from _compat_pickle import IMPORT_MAPPING
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints.layout import DTYPES, span
from gpt2calc.checkpoints.machine import Global, Opaque, RefusedError, kind, refused
from gpt2calc.errors import shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sized

    from gpt2calc.checkpoints.machine import Call

STORAGES: dict[str, str] = {
    f"{module}.{name}Storage": dtype
    for name, dtype in (
        ("Double", "float64"),
        ("Float", "float32"),
        ("Half", "float16"),
        ("BFloat16", "bfloat16"),
        ("Long", "int64"),
        ("Int", "int32"),
        ("Short", "int16"),
        ("Char", "int8"),
        ("Byte", "uint8"),
        ("Bool", "bool"),
        ("ComplexDouble", "complex128"),
        ("ComplexFloat", "complex64"),
        ("QInt32", "qint32"),
        ("QInt8", "qint8"),
        ("QUInt8", "quint8"),
        ("Untyped", "uint8"),
    )
    for module in ("torch", "torch.cuda", "torch.storage")
}
"""The classes of storages, each with the dtype of its elements; PyTorch counts an untyped one in bytes."""

MOST_NAMED = 3
"""How many classes a note names."""

MOST_DIMENSIONS = 8
"""A GPT-2 has tensors of at most five. PyTorch takes 64, and a pickle that has so many in each of a hundred thousand
calls would take seconds to read."""

INT64_MAX = 2**63 - 1
"""PyTorch's sizes are int64."""

MOST_KEY_CHARACTERS = 100
"""Keys are numbers, or addresses in memory."""

REPLACING = frozenset(("data", "real", "imag", "__class__"))
"""The attributes of a tensor that, where they are set, change what it is."""

HARMLESS = frozenset(
    f"{module}.{name}"
    for module, names in (
        ("argparse", "Namespace"),
        ("types", "SimpleNamespace"),
        ("collections", "deque"),
        ("datetime", "datetime date time timedelta timezone"),
        ("decimal", "Decimal"),
        ("fractions", "Fraction"),
        ("uuid", "UUID"),
        ("pathlib", "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"),
        ("pathlib._local", "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"),
        ("_io", "BytesIO StringIO"),
        ("io", "BytesIO StringIO"),
        ("builtins", "object range slice"),
        ("numpy", "dtype ndarray"),
        ("numpy.core.multiarray", "scalar _reconstruct"),
        ("numpy._core.multiarray", "scalar _reconstruct"),
        ("numpy.core.numeric", "_frombuffer"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy.random._pickle", "__randomstate_ctor __generator_ctor __bit_generator_ctor"),
    )
    for name in names.split()
)
"""The classes and functions of the standard library and numpy whose objects are met in checkpoints: configs, scalars,
times and the states of random generators. Nothing builds them."""

OWN_MODULES = ("torch.distributed", "torch.optim")
"""The modules of PyTorch whose classes are called for values that hold no tensor, such as the member of an enumeration.
Those of its other modules may be tensors of a kind that is not known."""

NOT_OTHERS = sys.stdlib_module_names.union(name.partition(".")[0] for name in IMPORT_MAPPING)
"""Modules that belong to Python, and what Python 2 called them, as protocol 2 writes them: only what is `HARMLESS` may
be asked for of them."""

RECONSTRUCTORS = ("copyreg._reconstructor", "copy_reg._reconstructor")
"""What protocols before 2 make an object of a class by: its class, the one that it is like, and its state."""

MOST_ITEMS = 500_000
"""How many items dictionaries may be called with, all in all: a pickle can call with the same items many times."""


class Storage(NamedTuple):
    """Values without a shape: `numel` of a dtype, `start` bytes behind the beginning of what has the key."""

    key: str
    dtype: str
    numel: int
    start: int = 0

    @property
    def nbytes(self) -> int:
        """How many bytes it takes."""
        return self.numel * DTYPES[self.dtype][1]


class Tensor(NamedTuple):
    """A shape over a storage. `start` is in bytes, from where what has the storage's key begins.

    A tensor that was saved from the meta device has no storage, and nothing of it is in the file.
    """

    storage: Storage | None
    start: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str


class Rebuilding:
    """What one checkpoint calls, and the storages that it names: each key once, with what it was first named as."""

    def __init__(self) -> None:
        self.storages: dict[str, Storage] = {}
        self.objects: dict[tuple[str, str], int] = {}
        self.calls: dict[str, Call] = {
            **CALLS,
            "collections.OrderedDict": self._ordered_dict,
            "collections.Counter": self._counter,
            "collections.defaultdict": self._default_dict,
            "torch._tensor._rebuild_from_type_v2": self._from_type,
        }
        self._items = 0

    def other(self, of: Global, arguments: tuple[object, ...], is_new: bool) -> Opaque:  # noqa: FBT001  # as a `machine.Other` is called
        """Return what stands for an object of a class: of anybody's own, or one that is known to be harmless.

        Nothing is imported and nothing is called. A function, or a class of Python itself that is not known, is refused
        all the same: a checkpoint has no use for it.

        Raises:
            RefusedError: it is such a one.
        """
        name, (module, last) = of.name, of.parts
        if name in RECONSTRUCTORS and arguments and type(arguments[0]) is Global:
            return self.other(arguments[0], (), True)
        if name not in HARMLESS:
            root, is_class = module.partition(".")[0], last.lstrip("_")[:1].isupper()
            is_own = root not in NOT_OTHERS and (root != "torch" or is_new or module.startswith(OWN_MODULES))
            if not is_own or not (is_new or is_class):
                raise refused(of, is_new=is_new)
        self.objects[of.parts] = self.objects.get(of.parts, 0) + 1
        return Opaque(of)

    @property
    def note(self) -> str:
        """What a reader should know of the objects that were not built; empty where there were none."""
        if not self.objects:
            return ""
        names = [shortened(".".join(parts)) for parts in islice(self.objects, MOST_NAMED)]
        more = f" and {len(self.objects) - MOST_NAMED:,} classes more" if len(self.objects) > MOST_NAMED else ""
        count = sum(self.objects.values())
        what = "1 object was" if count == 1 else f"{count:,} objects were"
        return f"{what} not built, and nothing in {'it' if count == 1 else 'them'} is listed: {', '.join(names)}{more}"

    def persistent(self, found: object) -> Storage:
        """Return the storage that a persistent id stands for."""
        match found if type(found) is tuple else None:
            case ("storage", Global() as of, str() as key, str(), int() as numel) if len(key) <= MOST_KEY_CHARACTERS:
                return self._storage(of, key, numel)
            case ("storage", Global() as of, str() as key, str(), int() as numel, view) if (
                len(key) <= MOST_KEY_CHARACTERS
            ):
                return _view(self._storage(of, key, numel), view)
            case ("module", Global() as of, *_):
                raise RefusedError(f"expected a state_dict, got a whole model of the class {shortened(of.name)}")
        raise RefusedError("expected the id of a storage: its class, key, device and number of elements")

    def _storage(self, of: Global, key: str, numel: int) -> Storage:
        dtype = STORAGES.get(of.name)
        if dtype is None:
            raise RefusedError(f"expected a storage of a known class, got {shortened(of.name)}")
        if not 0 <= numel <= INT64_MAX:
            raise RefusedError(f"expected a number of elements for storage {shown(key)}, got {shown(numel)}")
        storage = Storage(key, dtype, numel)
        # A key has one entry in the file: with two sizes or dtypes, what a tensor is would depend on which is believed.
        if self.storages.setdefault(key, storage) != storage:
            first = self.storages[key]
            raise RefusedError(
                f"expected storage {shown(key)} to be {first.numel:,} elements of {first.dtype} wherever it is named, "
                f"got {numel:,} of {dtype}"
            )
        return storage

    def _ordered_dict(self, arguments: tuple[object, ...]) -> object:
        """Python 2 gives the items with the call."""
        found: dict[object, object] = {}
        if not arguments:
            return found
        items = arguments[0]
        if len(arguments) != 1 or type(items) is not list:
            raise RefusedError("expected an OrderedDict of a list of items, got one of something else")
        self._take(items)
        for item in items:
            if type(item) not in (list, tuple) or len(item) != 2:
                raise RefusedError(f"expected pairs as the items of an OrderedDict, got {kind(item)}")
            # Only text is hashed: numbers hash to what their author chooses, and can make a dictionary slow.
            found[item[0] if type(item[0]) is str else object()] = item[1]
        return found

    def _counter(self, arguments: tuple[object, ...]) -> object:
        """Take what a Counter begins with; whoever pickles one gives it with the call."""
        match arguments:
            case ():
                return {}
            case (dict() as begins,):
                return self._copied(begins)
        raise RefusedError("expected a Counter of nothing or of a dict, got one of something else")

    def _default_dict(self, arguments: tuple[object, ...]) -> object:
        """Take what a defaultdict begins with, behind what makes its defaults, which is not called."""
        match arguments:
            case () | (Global() | None,):
                return {}
            case (Global() | None, dict() as begins):
                return self._copied(begins)
        raise RefusedError("expected a defaultdict of a function, and perhaps a dict, got one of something else")

    def _copied(self, begins: dict[object, object]) -> dict[object, object]:
        # Counted before the copy: with a few bytes, a pickle can ask for one large dictionary again and again.
        self._take(begins)
        return dict(begins)

    def _take(self, items: Sized) -> None:
        self._items += len(items)
        if self._items > MOST_ITEMS:
            raise RefusedError(f"expected at most {MOST_ITEMS:,} items that dictionaries are called with, got more")

    def _from_type(self, arguments: tuple[object, ...]) -> object:
        """Rebuild a tensor that carries attributes, or is of a class that changes nothing of how it is stored."""
        match arguments:
            case (Global() as function, Global() as of, tuple() as inner, state) if of.name in PLAIN:
                _refuse_other_data(state)
                rebuild = TENSORS.get(function.name)
                if rebuild is None:
                    raise RefusedError(f"expected only calls that rebuild tensors, got {shortened(function.name)}")
                return rebuild(inner)
            case (Global(), Global() as of, *_):
                raise RefusedError(f"expected plain tensors, got one of the class {shortened(of.name)}")
        raise RefusedError("expected a call that rebuilds a tensor, got one with other arguments")


def _view(storage: Storage, view: object) -> Storage:
    """Return the part of a storage that one of the legacy format may be: its key, where it begins, and its length."""
    if view is None:
        return storage
    match view:
        case (str(), int() as start, int() as numel) if start >= 0 and numel >= 0 and start + numel <= storage.numel:
            return storage._replace(numel=numel, start=start * DTYPES[storage.dtype][1])
    raise RefusedError(f"expected a view within the {storage.numel:,} elements of storage {shown(storage.key)}")


def _tensor(arguments: tuple[object, ...]) -> Tensor:
    """Take the storage, the offset in it, the shape and the strides; what follows says nothing of how it is stored."""
    match arguments:
        case (Storage() as storage, int() as offset, shape, stride, *_):
            return _over(storage, storage.dtype, offset, shape, stride)
    raise _other_arguments(arguments)


def _tensor_of_dtype(arguments: tuple[object, ...]) -> Tensor:
    """Take the dtype as well: one that has no class of storages lies in an untyped one."""
    match arguments:
        case (Storage() as storage, int() as offset, shape, stride, _, _, Global() as dtype, *_):
            return _over(storage, _dtype(dtype), offset, shape, stride)
    raise _other_arguments(arguments)


def _meta_tensor(arguments: tuple[object, ...]) -> Tensor:
    match arguments:
        case (Global() as dtype, shape, stride, _):
            return Tensor(None, 0, *_shape(shape, stride), _dtype(dtype))
    raise _other_arguments(arguments)


def _first(arguments: tuple[object, ...]) -> object:
    """Return the tensor that a parameter is made of."""
    match arguments:
        case (Tensor() as tensor, *_):
            return tensor
    raise _other_arguments(arguments)


def _with_state(arguments: tuple[object, ...]) -> object:
    """Return the tensor that a parameter is made of, which carries attributes."""
    tensor = _first(arguments)
    for state in arguments[3:]:
        _refuse_other_data(state)
    return tensor


def _moved(arguments: tuple[object, ...]) -> object:
    """Return the tensor that PyTorch moves to a device, where it keeps its dtype there."""
    match arguments:
        case (Tensor() as tensor, Global() as dtype, *_):
            if (made := _dtype(dtype)) != tensor.dtype:
                raise RefusedError(f"expected a tensor of {tensor.dtype} to keep its dtype, got one made {made}")
            return tensor
    raise _other_arguments(arguments)


def _refuse_other_data(state: object) -> None:
    """Raise where the attributes that a tensor carries would give it other values, shape or dtype than its storage."""
    # Python gives the state of an object with slots as a tuple: its attributes, and those in slots.
    parts = state if type(state) is tuple else (state,)
    for part in parts:
        if part is not None and (type(part) is not dict or not REPLACING.isdisjoint(part)):
            raise RefusedError("expected attributes that leave a tensor as it is stored, got others")


def _other_arguments(arguments: tuple[object, ...]) -> RefusedError:
    got = ", ".join(kind(argument) for argument in arguments[:4])
    return RefusedError(f"expected a storage, an offset, a shape and strides to rebuild a tensor from, got {got}")


def _over(storage: Storage, dtype: str, offset: int, shape: object, stride: object) -> Tensor:
    """Return a tensor that lies within its storage."""
    sizes, steps = _shape(shape, stride)
    width = DTYPES[dtype][1]
    reached = span(sizes, steps)
    if offset < 0 or (reached and (offset + reached) * width > storage.nbytes):
        raise RefusedError(
            f"expected a tensor within the {storage.nbytes:,} bytes of storage {shown(storage.key)}, "
            f"got one from byte {shown(offset * width)} to {shown((offset + reached) * width)}"
        )
    # A tensor without elements has no first one, and PyTorch lets its offset point anywhere.
    return Tensor(storage, storage.start + (offset * width if reached else 0), sizes, steps, dtype)


def _shape(shape: object, stride: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sizes, steps = sizes_of(shape), sizes_of(stride)
    # The product is exact, and short, since there are few sizes, each of which fits in int64.
    if len(sizes) != len(steps) or prod(sizes) > INT64_MAX:
        raise RefusedError(
            f"expected at most {INT64_MAX} elements and a stride for each size, got more or another number"
        )
    return sizes, steps


def sizes_of(found: object) -> tuple[int, ...]:
    """Return the sizes of a tensor, once they are some.

    Raises:
        RefusedError: they are none.
    """
    if type(found) is not tuple or len(found) > MOST_DIMENSIONS:
        raise RefusedError(f"expected a tuple of at most {MOST_DIMENSIONS} sizes, got {kind(found)}")
    for size in found:
        # By type and not isinstance, to which True is an int.
        if type(size) is not int or not 0 <= size <= INT64_MAX:
            got = shown(size) if type(size) is int else kind(size)
            raise RefusedError(f"expected sizes of 0 to {INT64_MAX:,}, got {got}")
    return found


def _dtype(found: Global) -> str:
    module, _, name = found.name.rpartition(".")
    if module != "torch" or name not in DTYPES:
        raise RefusedError(f"expected a dtype of PyTorch, got {shortened(found.name)}")
    return name


def _size(arguments: tuple[object, ...]) -> object:
    if len(arguments) != 1:
        raise RefusedError("expected a torch.Size of one tuple")
    return arguments[0]


def _nothing(arguments: tuple[object, ...]) -> object:
    """Stand for a value that says nothing of a tensor."""
    del arguments
    return None


def _items(arguments: tuple[object, ...]) -> object:
    """Return what a set is made of: there may be tensors in it, which are no model's, and are told."""
    return arguments[0] if len(arguments) == 1 and isinstance(arguments[0], (list, tuple)) else None


TENSORS: dict[str, Callable[[tuple[object, ...]], object]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
    "torch._utils._rebuild_qtensor": _tensor,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta_tensor,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _moved,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _with_state,
    "torch.nn.parameter.Parameter": _first,
}
"""The functions of PyTorch that give a tensor."""

CALLS: dict[str, Callable[[tuple[object, ...]], object]] = {
    **TENSORS,
    "torch.Size": _size,
    "torch.device": _nothing,
    "torch.serialization._get_layout": _nothing,
    "builtins.set": _items,
    "builtins.frozenset": _items,
    "builtins.bytearray": _nothing,
    "builtins.complex": _nothing,
    "__builtin__.set": _items,
    "__builtin__.frozenset": _items,
    "__builtin__.bytearray": _nothing,
    "__builtin__.complex": _nothing,
    "_codecs.encode": _nothing,
}
"""What may be called, beside dictionaries that begin with items; what is no tensor and holds none comes to nothing."""

PLAIN = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")
"""The classes whose tensors are stored as every tensor is."""
