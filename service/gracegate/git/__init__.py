"""Trees and changes out of git: fetched from a server, read from a repository, or taken from a directory."""

from __future__ import annotations

from gracegate.git.fetch import TreeFetcher
from gracegate.git.hunks import hunks_of_patch
from gracegate.git.local import changed, merge_base, resolve, revision_tree, top_level
from gracegate.git.objects import Bounds, Wanted
from gracegate.git.worktree import uncommitted_tree, working_tree

__all__ = [
    "Bounds",
    "TreeFetcher",
    "Wanted",
    "changed",
    "hunks_of_patch",
    "merge_base",
    "resolve",
    "revision_tree",
    "top_level",
    "uncommitted_tree",
    "working_tree",
]
