"""The files of one version of a policy set, and which files of a folder or repository these are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gracegate.archives import ArchiveLimits
from gracegate.errors import RepositoryError

MAX_BYTES = 20_000_000
"""Of all files of a policy set together."""
LIMITS = ArchiveLimits("a policy set", 5_000, MAX_BYTES)
SET_FOLDERS = ("cases", "data", "lib", "rules")
"""What a policy set has at its top, beside the folders of other tools."""
_SUFFIXES = (".rego", ".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """A version of a policy set: `name` is what it is called where it gives itself no name, `commit` that of git or the
    digest of a bundle, "" for a folder, and `files` are by path inside the set."""

    name: str
    commit: str
    files: Mapping[str, bytes]


def is_policy_file(path: str) -> bool:
    """Whether a policy set may need this file; the path is relative to its top."""
    *folders, name = path.split("/")
    if name.startswith(".") or any(folder.startswith(".") or folder == "node_modules" for folder in folders):
        return False
    return name.endswith(_SUFFIXES) or path.startswith("data/")


def read_folder(folder: Path) -> PolicyFiles:
    """The version that is in a folder now. Raises RepositoryError where there is none, or it has too much."""
    if not folder.is_dir():
        raise RepositoryError("there is no such folder of policies", file=str(folder))
    files: dict[str, bytes] = {}
    size = 0
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        if not is_policy_file(name):
            continue
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise RepositoryError(f"cannot be read: {error.strerror}", file=str(path)) from error
        size += len(files[name])
        LIMITS.check(len(files), size, str(folder))
    return PolicyFiles(folder.resolve().name, "", files)


def _paths(folder: Path) -> Iterator[Path]:
    """The files below a folder; no link is followed, which could lead anywhere."""
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in sorted(names) if not (path := Path(top, name)).is_symlink())
