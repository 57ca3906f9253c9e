"""Trees and changes from git: fetched from a server, read from a repository, or read from a directory."""

from __future__ import annotations

from gracegate.git.fetch import TreeFetcher
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
from gracegate.git.objects import ReadLimits
from gracegate.git.patches import make_patches
from gracegate.git.sources import SourceFetcher
from gracegate.git.version import installed_version
from gracegate.git.worktree import read_paths, read_work_tree

__all__ = [
    "ReadLimits",
    "SourceFetcher",
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
