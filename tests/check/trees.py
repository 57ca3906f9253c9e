"""Trees and diffs out of texts, as git and GitHub would give them."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping

from gracegate.model import FileDiff, Hunk, SourceFile, Tree

CONTEXT = 3


def tree(files: Mapping[str, str]) -> Tree:
    return Tree({path: SourceFile(path, text.encode(), _blob(text)) for path, text in files.items()})


def diff(base: Mapping[str, str], head: Mapping[str, str]) -> tuple[FileDiff, ...]:
    changes = []
    for path in sorted(base.keys() | head.keys()):
        if path not in head:
            changes.append(FileDiff(path, "removed", None, ()))
        elif base.get(path) != head[path]:
            hunks = tuple(_hunks(base.get(path, ""), head[path]))
            changes.append(FileDiff(path, "modified" if path in base else "added", None, hunks))
    return tuple(changes)


def _hunks(old: str, new: str):
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if group[-1][4] > group[0][3]:
            yield Hunk(group[0][3] + 1, group[-1][4])


def _blob(text: str) -> str:
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
