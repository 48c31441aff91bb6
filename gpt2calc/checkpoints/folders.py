"""Which file of a folder, or of a repository, is the checkpoint, and which config lies beside it.

Names decide here, and what is in the files in `formats`. `choose` serves the hub as well.
"""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints import formats
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import UnreadableInputError, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gpt2calc.listing import TensorListing

CONFIGS = ("config.json", "hparams.json")
"""transformers' name for a config, and OpenAI's."""

INDEX = re.compile(r"(?P<stem>.+?)(?:\.safetensors|\.bin)?\.index(?P<variant>\.[^./]+)?\.json", re.DOTALL)
"""The index of a sharded checkpoint, `model.safetensors.index.json`, or of a variant of it, `….index.fp16.json`."""

DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
"""The end of the name of a data file of TensorFlow, in the place of which its index has `.index`."""

RANKS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"model\.safetensors",
        r"model\.safetensors\.index\.json",
        r"pytorch_model\.bin",
        r"pytorch_model\.bin\.index\.json",
        r".+\.safetensors\.index(?:\.[^./]+)?\.json",
        r".+\.bin\.index(?:\.[^./]+)?\.json",
        r"(?!.*-\d{5}-of-\d{5}).+\.safetensors",
        r"ckpt\.pt",
        r"(?!optimizer|scheduler|rng_state|scaler|training_args|.*-\d{5}-of-\d{5}).+\.(?:bin|ckpt|pt|pth)",
        r"(?!mmproj).+\.gguf",
        r".+\.index",
    )
)
"""The files that hold a checkpoint: the first four in the order of transformers, the others by how they are used."""

ENDINGS = (".safetensors", ".json", ".bin", ".ckpt", ".pt", ".pth", ".gguf", ".index")
"""How the names of these files end. No other name is held against the patterns, of which a folder can have many."""

PART = re.compile(r".+-\d{5}-of-\d{5}\.(?:safetensors|bin|pt)|.+\.data-\d{5}-of-\d{5}", re.DOTALL)
"""The files that hold a part of a checkpoint, and of which none is read without the index that names them."""

MOST_NAMED_FILES = 4
"""How many names a message gives."""

MOST_SEARCHED_ENTRIES = 1000
"""How many entries of sub-folders are looked through for weights, to say where they lie."""

ELSEWHERE: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r".+\.distcp", re.DOTALL),
        "python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt makes one file of it",
    ),
    (
        re.compile(r".+\.(?:incomplete|part|partial|crdownload|download|aria2|tmp)", re.DOTALL),
        "a download of {name} was broken off: fetch it again",
    ),
    (re.compile(r".+\.(?:pkl|pickle|tar|state_dict|weights|model)", re.DOTALL), "if {name} holds the weights, name it"),
)
"""What a folder has in the place of a checkpoint, and what helps."""


class Chosen(NamedTuple):
    """The file of a folder that is read, and the others that hold a checkpoint as well."""

    name: str
    others: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a reader should know of the others; empty where there is none."""
        return f"{shortened(self.name)} was read, and not {_listed(self.others)}" if self.others else ""


def choose(where: str, names: Iterable[str], inside: Callable[[], Iterable[str]] = tuple) -> Chosen:
    """Return which of the files in a folder is read.

    Law: the first rank that a file has; two of one rank are not chosen between. What lies in its sub-folders is not
    chosen, and said where there is nothing else.

    Args:
        where: the folder, or the repository, as errors name it.
        names: the names of its files and folders.
        inside: gives the paths of what lies in its sub-folders; asked only where no file is a checkpoint.

    Raises:
        UnreadableInputError: none is a checkpoint, or several are.

    Source: transformers, modeling_utils.py, `_get_resolved_checkpoint_files`.

    >>> choose("gpt2", ("config.json", "pytorch_model.bin", "model.safetensors"))
    Chosen(name='model.safetensors', others=('pytorch_model.bin',))
    """
    there = sorted(names)
    names = [name for name in there if not name.startswith(".")]
    likely = [name for name in names if name.endswith(ENDINGS)]
    ranked = [[name for name in likely if rank.fullmatch(name)] for rank in RANKS]
    best = next((found for found in ranked if found), [])
    if len(best) > 1:
        raise UnreadableInputError(where, f"expected one checkpoint, got {_listed(best)}: name the one that is meant")
    if not best:
        got, advice = _instead(there, inside)
        raise UnreadableInputError(where, f"expected {formats.SUPPORTED}, got {got}: no weights were read; {advice}")
    ranked.append([name for name in names if formats.unsupported(name)])
    others = dict.fromkeys(name for found in ranked for name in found if name != best[0])
    return Chosen(best[0], tuple(name for name in others if not _is_shard(name, best[0])))


def open_listing(path: str) -> TensorListing:
    """Return what a checkpoint on disk holds.

    Args:
        path: a folder, a file, the index of a sharded checkpoint, or TensorFlow's prefix such as `model.ckpt`.

    Raises:
        UnreadableInputError: it cannot be read, or is no checkpoint.
    """
    if os.path.isdir(path):
        chosen = choose(path, _names(path), lambda: _inside(path))
        listing = _open(os.path.join(path, chosen.name))
        return listing._replace(name=printable(path), notes=(*listing.notes, *filter(None, (chosen.note,))))
    listing = _open(path)
    return listing._replace(name=printable(listing.name))


def companion_config(path: str) -> str | None:
    """Return the config beside a file or in a folder; None where there is none."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    paths = (os.path.join(folder, name) for name in CONFIGS)
    # A link that leads nowhere is one too, so that it is said and not passed over; a folder of that name is none.
    return next((candidate for candidate in paths if os.path.lexists(candidate) and not os.path.isdir(candidate)), None)


def is_index(path: str) -> bool:
    """Return whether a path is that of the index of a sharded checkpoint.

    >>> is_index("gpt2/model.safetensors.index.fp16.json"), is_index("gpt2/config.json")
    (True, False)
    """
    return INDEX.fullmatch(path) is not None


def is_prefix(path: str) -> bool:
    """Return whether a path, which is none of a file, is the prefix of a TensorFlow checkpoint."""
    return not os.path.lexists(path) and os.path.isfile(path + ".index")


def _open(path: str) -> TensorListing:
    if is_index(path):
        from gpt2calc.checkpoints import shards  # most checkpoints are one file

        return shards.read(path, formats.read)
    path = path + ".index" if is_prefix(path) else DATA.sub(".index", path)
    with LocalFile(path) as file:
        return formats.read(file, _sizes(path) if path.endswith(".index") else None)


def _sizes(path: str) -> dict[str, int]:
    """Return the sizes of the files beside an index of TensorFlow, by their names."""
    folder = os.path.dirname(path) or os.curdir
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.stat().st_size for entry in entries if DATA.search(entry.name) and entry.is_file()
            }
    except OSError as error:
        raise UnreadableInputError(folder, f"cannot be read: {error.strerror}") from None


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise UnreadableInputError(folder, f"cannot be read: {error.strerror}") from None


def _inside(folder: str) -> list[str]:
    """Return the paths of files in the sub-folders of a folder, two levels down and not too many."""
    found: list[str] = []
    for here, inner, names in islice(os.walk(folder), MOST_SEARCHED_ENTRIES):
        path = os.path.relpath(here, folder).replace(os.sep, "/")
        if path.count("/"):
            inner.clear()
        if path != os.curdir:
            found += [f"{path}/{name}" for name in names[:MOST_SEARCHED_ENTRIES]]
    return sorted(found)


def _is_shard(name: str, index: str) -> bool:
    """Return whether a name is one that the shards of an index have; of a file that is no index, nothing is."""
    found = INDEX.fullmatch(index)
    return found is not None and name.startswith(f"{found['stem']}{found['variant'] or ''}-")


def _instead(there: list[str], inside: Callable[[], Iterable[str]]) -> tuple[str, str]:
    """Return what a folder has in the place of a checkpoint, and what helps."""
    names = [name for name in there if not name.startswith(".")]
    parts = [name for name in names if PART.fullmatch(name)]
    if parts:
        return f"{_listed(parts)} without the index", "fetch the index too, which says what each part holds"
    unsupported = [name for name in names if formats.unsupported(name)]
    if unsupported:
        return f"{_listed(unsupported)}, which is not supported", "save the model as safetensors"
    got = _listed(names) or "no files"
    for look, advice in ELSEWHERE:
        found = next((name for name in there if look.fullmatch(name)), None)
        if found:
            return got, advice.format(name=shortened(found))
    looks = (*RANKS, *(look for look, _ in ELSEWHERE), PART)
    deeper = [path for path in inside() if any(look.fullmatch(path.rpartition("/")[2]) for look in looks)]
    if deeper:
        return got, f"there is {_listed(deeper)} in its sub-folders: verify that one"
    config = next((name for name in CONFIGS if name in names), None)
    ending = f"; naming {config} itself judges the config alone" if config else ""
    return got, f"they are looked for in files like model.safetensors, *.bin, *.pt, *.ckpt, *.gguf, *.index{ending}"


def _listed(names: Iterable[str]) -> str:
    """Return a few names, and how many more there are."""
    names = tuple(names)
    more = f" and {len(names) - MOST_NAMED_FILES:,} more" if len(names) > MOST_NAMED_FILES else ""
    return ", ".join(map(shortened, names[:MOST_NAMED_FILES])) + more
