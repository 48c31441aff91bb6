"""Which commit is frozen, and how its package comes to lie in a folder of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

FROZEN = "5de858dafb5e7c707c48bf1b85c76acc2d409dbd"
"""The commit that the tree is held against. Another one makes every explanation in `explained.toml` void."""

ROOT = Path(__file__).resolve().parents[2]


def default_cache() -> Path:
    """Return where built packages are kept: outside of the repository, so that nothing here finds them by accident."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "gpt2calc-oracle"


def installed(commit: str, cache: Path) -> Path:
    """Return the folder that holds the package of a commit, built from its wheel the first time it is asked for.

    Nothing but the package is in it: libraries are those of the running environment, for both sides alike.

    Raises:
        SystemExit: git does not have the commit, or its wheel cannot be built.
    """
    name = _output("git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", problem=f"no commit {commit}")
    digits = name.decode().strip()
    there = cache / digits
    if there.is_dir():
        return there
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        tree, package = Path(folder, "tree"), Path(folder, "package")
        archive = _output("git", "archive", digits, problem=f"commit {digits} cannot be read")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(tree, filter="data")
        build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(tree))
        _output(*build, problem=f"the wheel of {digits} cannot be built")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as content:  # a wheel of pure Python lies as it is installed
            content.extractall(package)
        try:
            package.rename(there)
        except OSError:  # another run was faster
            if not there.is_dir():
                raise
    return there


def _output(*command: str, problem: str) -> bytes:
    """Return what a command prints."""
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if ran.returncode:
        raise SystemExit(f"oracle: {problem}\n{(ran.stderr or ran.stdout).decode(errors='replace')[-2000:]}".rstrip())
    return ran.stdout
