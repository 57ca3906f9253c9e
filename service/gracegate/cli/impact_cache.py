"""What `policy impact` keeps for the next run: what it has read of repositories, and what rules have found in them.

It is the user's own cache and has pickles, so it is only read from a folder that nobody else can write to.
"""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gracegate import __version__
from gracegate.check import EVALUATION_FAILURES, FoundByRules
from gracegate.manifests import ReadCache
from gracegate.model import Limits
from gracegate.module_cache import is_private

_MAX_BYTES = 500_000_000
"""Of all files; those that were not used for longest go first."""
_FASTEST = 1


class ImpactCache:
    """Files in `folder`, or nothing where that is None."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def found(self, key: tuple[str, ...], find: Callable[[], FoundByRules]) -> FoundByRules:
        """What `find` finds, now or before; `key` names all that this depends on."""
        file = self._file("found", key)
        known = _load(file)
        if isinstance(known, FoundByRules):
            return known
        found = find()
        if not any(problem.code in EVALUATION_FAILURES for problem in found.problems):
            _save(file, found)
        return found

    def reading(self, repository: Path, limits: Limits) -> RepositoryReading:
        """What was read of a repository with these limits."""
        return RepositoryReading(self._file("read", (str(repository.resolve()), repr(limits))))

    def shrink(self) -> None:
        """Delete files until the others are within the limit."""
        if self._folder is None or not self._folder.is_dir():
            return
        left = _MAX_BYTES
        for path in sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True):
            left -= path.stat().st_size
            if left < 0:
                path.unlink(missing_ok=True)

    def _file(self, kind: str, key: tuple[str, ...]) -> Path | None:
        if self._folder is None:
            return None
        name = hashlib.sha256("\0".join((__version__, *key)).encode()).hexdigest()
        return self._folder / f"{kind}-{name}"


class RepositoryReading:
    """What is read of one repository: of the last run at first, which is loaded when it is needed."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._cache: ReadCache | None = None
        self._known = 0

    @property
    def cache(self) -> ReadCache:
        if self._cache is None:
            known = _load(self._file)
            manifests, components = known if isinstance(known, tuple) else ({}, None)
            self._known = len(manifests)
            self._cache = ReadCache(manifests) if components is None else ReadCache(manifests, components)
        return self._cache

    def save(self) -> None:
        """Keep what was read for the next run, if anything was."""
        if self._cache is not None and len(self._cache.manifests) > self._known:
            _save(self._file, (self._cache.manifests, self._cache.components))


def _load(file: Path | None) -> Any:
    """What was saved in a file, None where there is nothing or it cannot be used."""
    if file is None:
        return None
    try:
        if not is_private(file.parent):
            return None
        data = file.read_bytes()
        file.touch()
        return pickle.loads(zlib.decompress(data))  # noqa: S301 - ours, see the module's text
    except Exception:  # noqa: BLE001 - whatever is wrong with it: it is read anew
        return None


def _save(file: Path | None, value: object) -> None:
    if file is None:
        return
    with suppress(OSError):  # no room: the next run reads it again
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        building = file.with_name(f"building-{file.name}")
        building.write_bytes(zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), _FASTEST))
        building.replace(file)
