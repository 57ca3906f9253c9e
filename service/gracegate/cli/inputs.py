"""Reads what kustomizations and charts are rendered from, beside the manifests that a command was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate import git
from gracegate.manifests import (
    ReadCache,
    chart_folders,
    is_candidate,
    is_documentation,
    may_be_read,
    missing_inputs,
    read_components,
    unread_inputs,
    unread_sources,
)
from gracegate.model import Limits, PinnedSource, Tree

if TYPE_CHECKING:
    from gracegate.render_sources import SourceFetcher

_ROUNDS = 20
"""Of bases that name other bases elsewhere; more would be a riddle, not a repository."""

ReadTree = Callable[[Callable[[str], bool]], Tree]
"""Reads the files of a tree whose paths are wanted."""


def read_files(top: Path, names: Iterable[str], limits: Limits, cache: ReadCache) -> Tree:
    """The manifests among `names` (from `top`), and what roots among them are rendered from, wherever that is."""
    tree = git.read_paths(top, names, is_candidate)
    known: set[str] = set()
    for _ in range(_ROUNDS):
        components = read_components(tree, limits, cache.components)
        wanted = {path for path in missing_inputs(components, None) - known if _is_inside(top, path)}
        folders = {path for path in chart_folders(components) - known if _is_inside(top, path.rstrip("/"))}
        if not wanted and not folders:
            break
        known |= wanted | folders
        found = git.read_paths(top, sorted(wanted), is_candidate)
        of_charts = git.read_paths(top, sorted(folders), lambda path: not is_documentation(path))
        tree = _join(tree, _join(found, of_charts))
    return tree


def read_changed(read: ReadTree, changed: Collection[str], limits: Limits, cache: ReadCache) -> Tree:
    """A tree of a revision, with what the roots that read a changed file are rendered from."""
    tree = read(may_be_read)
    also = unread_inputs(read_components(tree, limits, cache.components), changed, tree.others)
    return read(lambda path: may_be_read(path) or path in also) if also else tree


def fetch_sources(
    trees: Sequence[Tree],
    changed: Collection[str] | None,
    fetcher: SourceFetcher | None,
    limits: Limits,
    cache: ReadCache,
) -> Sequence[Tree]:
    """The trees with what roots need from elsewhere which read a changed file (None: all roots)."""
    if fetcher is None:
        return trees
    for _ in range(_ROUNDS):
        components = [read_components(tree, limits, cache.components) for tree in trees]
        wanted: dict[PinnedSource, frozenset[str]] = {}
        for one in components:
            for source, paths in unread_sources(one, changed, fetcher.sources).items():
                wanted[source] = wanted.get(source, frozenset()) | paths
        if not wanted:
            break
        fetched = {**trees[0].fetched, **fetcher.fetch(wanted)}
        trees = [replace(tree, fetched=fetched) for tree in trees]
    return trees


def _is_inside(top: Path, path: str) -> bool:
    """Whether there is such a file or directory, and no link on the way, which could lead anywhere."""
    full = top / path
    return bool(path) and os.path.lexists(full) and os.path.realpath(full) == str(Path(os.path.realpath(top), path))


def _join(one: Tree, other: Tree) -> Tree:
    problems = dict.fromkeys((*one.problems, *other.problems))
    return Tree({**one.files, **other.files}, tuple(problems))
