"""Trees and changes from git: fetched from a server, read from a repository, or read from a directory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gracegate.git.hunks import hunks_of_patch
from gracegate.git.local import (
    find_merge_base,
    find_remotes,
    find_top_level,
    latest_changes,
    read_changes,
    read_commit_tree,
    resolve_commit,
)
from gracegate.git.objects import PathFilter, ReadLimits
from gracegate.git.process import GitCommandError
from gracegate.git.worktree import read_paths, read_work_tree

if TYPE_CHECKING:
    from gracegate.git.fetch import TreeFetcher
    from gracegate.git.patches import make_patches
    from gracegate.git.version import installed_version

__all__ = [
    "GitCommandError",
    "PathFilter",
    "ReadLimits",
    "TreeFetcher",
    "find_merge_base",
    "find_remotes",
    "find_top_level",
    "hunks_of_patch",
    "installed_version",
    "latest_changes",
    "make_patches",
    "read_changes",
    "read_commit_tree",
    "read_paths",
    "read_work_tree",
    "resolve_commit",
]

_LATER = {"TreeFetcher": "fetch", "installed_version": "version", "make_patches": "patches"}
"""The modules of names, imported when these are used: a check of files fetches nothing."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(name)
