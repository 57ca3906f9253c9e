"""The folder of bare repositories: one job at a time in each, leftovers removed, the least used ones let go."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gracegate.errors import GitFailed
from gracegate.git.process import Git

# Old packs cost a look-up each, and fetching the trees anew is cheaper than packing them together.
_MOST_PACKS = 100


@dataclass(frozen=True, slots=True)
class RepositoryCache:
    """Repositories below `folder`, at most `size` bytes of them; `seconds` bounds the wait for one in use."""

    folder: Path
    size: int
    seconds: float
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def held(self, url: str) -> Iterator[Path]:
        """The folder for a URL's repository, held by this job alone, among threads and processes."""
        name = hashlib.sha256(url.encode()).hexdigest()[:24]
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + self.seconds
        with (self.folder / f"{name}.lock").open("w") as file:
            while not _locked(file.fileno()):
                if time.monotonic() > deadline:
                    raise GitFailed(f"the repository's cache was in use for more than {self.seconds:g} s")
                self.sleep(0.05)
            yield self.folder / f"{name}.git"

    def shrink(self) -> None:
        """Removes the repositories used longest ago until the rest fits; one that is in use stays."""
        oldest_first = sorted(self.folder.glob("*.git"), key=_last_use)
        sizes = {folder: sum(map(_size, folder.rglob("*"))) for folder in oldest_first}
        total = sum(sizes.values())
        for folder in oldest_first[:-1]:
            if total <= self.size:
                return
            if _removed(folder):
                total -= sizes[folder]


def make_ready(git: Git) -> None:
    """Makes the repository where there is none, and what is there fit for use; the caller holds it."""
    folder = git.folder
    if folder.exists():
        _clean(folder)
        if sum(1 for _ in (folder / "objects" / "pack").glob("*.pack")) > _MOST_PACKS:
            shutil.rmtree(folder)
    if not (folder / "HEAD").exists():
        folder.mkdir(exist_ok=True)
        git.run("init", "--bare", "--quiet", "--template=", ".")
    os.utime(folder)


def _clean(folder: Path) -> None:
    """Removes what a killed git left; nobody else works here while the lock is held."""
    for pattern in ("**/*.lock", "objects/**/tmp_*"):
        for left in folder.glob(pattern):
            left.unlink(missing_ok=True)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _removed(folder: Path) -> bool:
    with folder.with_suffix(".lock").open("w") as file:
        if not _locked(file.fileno()):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True


def _last_use(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(path: Path) -> int:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return 0
    return facts.st_size if stat.S_ISREG(facts.st_mode) else 0
