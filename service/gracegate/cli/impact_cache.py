"""What `policy impact` keeps for the next run: what it has read of repositories, and what rules have found in them.

It has pickles, which are only read of files that nobody else can write.
"""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gracegate import __version__
from gracegate.check import EVALUATION_FAILURES, FoundByRules
from gracegate.file_cache import FileCache
from gracegate.manifests import ReadCache
from gracegate.model import Limits

_MAX_BYTES = 500_000_000
_FASTEST = 1


class ImpactCache:
    """Files in `folder`, or nothing where that is None."""

    def __init__(self, folder: Path | None) -> None:
        self._files = None if folder is None else FileCache(folder, _MAX_BYTES)

    def found(self, key: tuple[str, ...], find: Callable[[], FoundByRules]) -> FoundByRules:
        """What `find` finds, now or before; `key` names all that this depends on."""
        file = self._file("found", key)
        known = file.load()
        if isinstance(known, FoundByRules):
            return known
        found = find()
        if not any(problem.code in EVALUATION_FAILURES for problem in found.problems):
            file.save(found)
        return found

    def reading(self, repository: Path, limits: Limits) -> RepositoryReading:
        """What was read of a repository with these limits."""
        return RepositoryReading(self._file("read", (str(repository.resolve()), repr(limits))))

    def _file(self, kind: str, key: tuple[str, ...]) -> _File:
        name = hashlib.sha256("\0".join((__version__, *key)).encode()).hexdigest()
        return _File(self._files, f"{kind}-{name}")


class RepositoryReading:
    """What is read of one repository: of the last run at first, which is loaded when it is needed."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._cache: ReadCache | None = None
        self._known = 0

    @property
    def cache(self) -> ReadCache:
        if self._cache is None:
            known = self._file.load()
            manifests, components = known if isinstance(known, tuple) else ({}, None)
            self._known = len(manifests)
            self._cache = ReadCache(manifests) if components is None else ReadCache(manifests, components)
        return self._cache

    def save(self) -> None:
        """Keep what was read for the next run, if anything was."""
        if self._cache is not None and len(self._cache.manifests) > self._known:
            self._file.save((self._cache.manifests, self._cache.components))


@dataclass(frozen=True, slots=True)
class _File:
    """A value in one file of the cache."""

    files: FileCache | None
    name: str

    def load(self) -> Any:
        """What was saved, None where there is nothing or it cannot be used."""
        content = None if self.files is None else self.files.read(self.name)
        if content is None:
            return None
        try:
            return pickle.loads(zlib.decompress(content))  # noqa: S301 - ours, see the module's text
        except Exception:  # noqa: BLE001 - whatever is wrong with it: it is read anew
            return None

    def save(self, value: object) -> None:
        if self.files is not None:
            self.files.write(self.name, zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), _FASTEST))
