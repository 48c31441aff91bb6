"""Which file of a folder, or of a repository, is the checkpoint, and which config lies beside it.

Names decide here, and what is in the files in `formats`. `choose` serves the hub as well.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints import formats
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import UnreadableInputError, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpt2calc.listing import TensorListing

CONFIGS = ("config.json", "hparams.json")
"""transformers' name for a config, and OpenAI's."""

INDEX, DATA = ".index.json", re.compile(r"\.data-\d{5}-of-\d{5}$")

RANKS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"model\.safetensors",
        r"model\.safetensors\.index\.json",
        r"pytorch_model\.bin",
        r"pytorch_model\.bin\.index\.json",
        r".+\.safetensors\.index\.json",
        r".+\.bin\.index\.json",
        r"(?!.*-\d{5}-of-\d{5}).+\.safetensors",
        r"ckpt\.pt",
        r"(?!optimizer|scheduler|rng_state|scaler|training_args|.*-\d{5}-of-\d{5}).+\.(?:bin|ckpt|pt|pth)",
        r"(?!mmproj).+\.gguf",
        r".+\.index",
    )
)
"""The files that hold a checkpoint: the first four in the order of transformers, the others by how they are used."""

PART = re.compile(r".+-\d{5}-of-\d{5}\.(?:safetensors|bin|pt)|.+\.data-\d{5}-of-\d{5}", re.DOTALL)
"""The files that hold a part of a checkpoint, and of which none is read without the index that names them."""

MOST_NAMED = 4
"""How many names a message gives."""


class Chosen(NamedTuple):
    """The file of a folder that is read, and the others that hold a checkpoint as well."""

    name: str
    others: tuple[str, ...]

    @property
    def note(self) -> str:
        """What a reader should know of the others; empty where there is none."""
        return f"{shortened(self.name)} was read, and not {_listed(self.others)}" if self.others else ""


def choose(where: str, names: Iterable[str]) -> Chosen:
    """Return which of the files in a folder is read.

    Law: the first rank that a file has; two of one rank are not chosen between.

    Args:
        where: the folder, or the repository, as errors name it.
        names: the names of its files.

    Raises:
        UnreadableInputError: none is a checkpoint, or several are.

    Source: transformers, modeling_utils.py, `_get_resolved_checkpoint_files`.

    >>> choose("gpt2", ("config.json", "pytorch_model.bin", "model.safetensors"))
    Chosen(name='model.safetensors', others=('pytorch_model.bin',))
    """
    names = sorted(name for name in names if not name.startswith("."))
    ranked = [[name for name in names if rank.fullmatch(name)] for rank in RANKS]
    best = next((found for found in ranked if found), [])
    if len(best) > 1:
        raise UnreadableInputError(where, f"expected one checkpoint, got {_listed(best)}: name the one that is meant")
    if not best:
        raise UnreadableInputError(where, f"expected {formats.SUPPORTED}, got {_instead(names)}")
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
        chosen = choose(path, _names(path))
        listing = _open(os.path.join(path, chosen.name))
        return listing._replace(name=printable(path), notes=(*listing.notes, *filter(None, (chosen.note,))))
    listing = _open(path)
    return listing._replace(name=printable(listing.name))


def companion_config(path: str) -> str | None:
    """Return the config beside a file or in a folder; None where there is none."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    places = (os.path.join(folder, name) for name in CONFIGS)
    return next((place for place in places if os.path.isfile(place)), None)


def holds_checkpoint(path: str) -> bool:
    """Return whether a folder has a file that is a checkpoint by its name, or a part of one, supported or not.

    Raises:
        UnreadableInputError: the folder cannot be read.
    """
    looks = (PART, *RANKS)
    return any(formats.unsupported(name) or any(look.fullmatch(name) for look in looks) for name in _names(path))


def is_prefix(path: str) -> bool:
    """Return whether a path, which is none of a file, is the prefix of a TensorFlow checkpoint."""
    return not os.path.lexists(path) and os.path.isfile(path + ".index")


def _open(path: str) -> TensorListing:
    if path.endswith(INDEX):
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


def _is_shard(name: str, index: str) -> bool:
    """Return whether a name is one that the shards of an index have; of a file that is no index, nothing is."""
    return index.endswith(INDEX) and name.startswith(index.removesuffix(INDEX).rpartition(".")[0] + "-")


def _instead(names: list[str]) -> str:
    """Return what a folder has in the place of a checkpoint."""
    parts = [name for name in names if PART.fullmatch(name)]
    if parts:
        return f"{_listed(parts)} without the index"
    unsupported = [name for name in names if formats.unsupported(name)]
    return f"{_listed(unsupported)}, which is not supported" if unsupported else _listed(names) or "no files"


def _listed(names: Iterable[str]) -> str:
    """Return a few names, and how many more there are."""
    names = tuple(names)
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(map(shortened, names[:MOST_NAMED])) + more
