"""Which files of a tree may be manifests, by name, and which component each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

_SUFFIXES = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
COMPONENT_FILES = _KUSTOMIZATIONS | {"Chart.yaml"}
# Files of other tools that are never manifests, and can be larger than all manifests together.
_FOREIGN = frozenset({"package-lock.json", "package.json", "tsconfig.json", "composer.json", "angular.json"})
_FOREIGN_FOLDERS = frozenset({"node_modules", ".git"})


def is_candidate(path: str) -> bool:
    """True if a file of that name may be a manifest, or say something about manifests."""
    *folders, name = path.split("/")
    if name in _FOREIGN or not _FOREIGN_FOLDERS.isdisjoint(folders):
        return False
    return name in _KUSTOMIZATIONS or name.lower().endswith(_SUFFIXES)


def component_roots(paths: Iterable[str]) -> Callable[[str], str]:
    """A function from a file's path to the directory of its component, "" at the top.

    That is the nearest ancestor that holds a kustomization or a chart, else the file's own directory.
    """
    roots = frozenset(directory(path) for path in paths if path.rpartition("/")[2] in COMPONENT_FILES)

    @cache
    def root_of(folder: str) -> str | None:
        if folder in roots:
            return folder
        return root_of(directory(folder)) if folder else None

    def root(path: str) -> str:
        own = directory(path)
        found = root_of(own)
        return own if found is None else found

    return root


def directory(path: str) -> str:
    """The directory of a path with forward slashes, "" at the top."""
    return path.rpartition("/")[0]
