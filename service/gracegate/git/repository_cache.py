"""The folder of bare repositories: one job at a time uses one, and those used longest ago are deleted.

Beside a repository there may be a folder of what was made of its files. It goes with the repository.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from gracegate.errors import GitFailed
from gracegate.git.process import Git

# Each pack slows every look-up, and fetching the trees again is cheaper than repacking.
_MAX_PACKS = 100
_NEW = 3600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class RepositoryCache:
    """Repositories in `folder`, at most `max_bytes` of them; `seconds` bounds the wait for one that is in use."""

    folder: Path
    max_bytes: int
    seconds: float
    sleep: Callable[[float], None] = time.sleep
    _sizes: dict[str, tuple[float, int]] = field(default_factory=dict, init=False)

    @contextmanager
    def lock(self, url: str) -> Iterator[Path]:
        """Lock the repository of a URL against other threads and processes; gives its folder, which may not exist."""
        name = _name(url)
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        # Earlier versions let other users read it.
        with suppress(PermissionError):
            self.folder.chmod(0o700)
        deadline = time.monotonic() + self.seconds
        with (self.folder / f"{name}.lock").open("w") as file:
            while not _try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise GitFailed(f"another job used the cached repository for more than {self.seconds:g} s")
                self.sleep(0.05)
            yield self.folder / f"{name}.git"

    def made(self, url: str) -> Path:
        """The folder for what is made of a repository's files, which may not exist. Any number of jobs use it at once,
        and it may be deleted at any moment."""
        return self.folder / f"{_name(url)}.made"

    def shrink(self) -> None:
        """Delete the repositories used longest ago until the rest fits; one that is in use stays."""
        oldest_first = sorted(self._names(), key=self._last_use)
        sizes = {name: self._size(name) for name in oldest_first}
        total = sum(sizes.values())
        for name in oldest_first[:-1]:
            if total <= self.max_bytes:
                return
            if self._try_delete(name):
                total -= sizes[name]

    def delete_unused(self, urls: Collection[str] | None, seconds: float) -> int:
        """Delete the repositories of other URLs than these, if they are given, and those that were not used for so many
        seconds; returns how many. One that was used in the last hour stays: its URL may be new."""
        wanted = None if urls is None else set(map(_name, urls))
        now = time.time()
        deleted = 0
        for name in self._names():
            idle = now - self._last_use(name)
            is_unwanted = wanted is not None and name not in wanted and idle > _NEW
            if (is_unwanted or idle > seconds) and self._try_delete(name):
                deleted += 1
        return deleted

    def _names(self) -> set[str]:
        return {path.stem for pattern in ("*.git", "*.made") for path in self.folder.glob(pattern)}

    def _folders(self, name: str) -> tuple[Path, Path]:
        return self.folder / f"{name}.git", self.folder / f"{name}.made"

    def _size(self, name: str) -> int:
        repository, made = self._folders(name)
        modified = _modified(made)
        # There may be thousands of files, and each fetch asks: only a folder that changed since is counted again.
        if self._sizes.get(name, (0.0, 0))[0] != modified:
            self._sizes[name] = modified, sum(map(_size, made.rglob("*")))
        return sum(map(_size, repository.rglob("*"))) + self._sizes.get(name, (0.0, 0))[1]

    def _last_use(self, name: str) -> float:
        return max(map(_modified, self._folders(name)))

    def _try_delete(self, name: str) -> bool:
        with (self.folder / f"{name}.lock").open("w") as file:
            if not _try_lock(file.fileno()):
                return False
            for folder in self._folders(name):
                shutil.rmtree(folder, ignore_errors=True)
            return True


def prepare_repository(git: Git) -> None:
    """Create the repository, or make an existing one usable again. The caller has locked it."""
    folder = git.folder
    if folder.exists():
        # A git that was killed leaves locks and temporary files behind.
        for pattern in ("**/*.lock", "objects/**/tmp_*"):
            for path in folder.glob(pattern):
                path.unlink(missing_ok=True)
        if sum(1 for _ in (folder / "objects" / "pack").glob("*.pack")) > _MAX_PACKS:
            shutil.rmtree(folder)
    if not (folder / "HEAD").exists():
        folder.mkdir(exist_ok=True)
        git.run("init", "--bare", "--quiet", "--template=", ".")
    os.utime(folder)


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:24]


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _modified(folder: Path) -> float:
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
