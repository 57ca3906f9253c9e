"""What a fix does to sources, and what it is meant to change in what is rendered of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gracegate.model import Operation, Origin, SourceLine

MAX_FIXES = 6
"""How many ways to make a fix are worth a rendering each."""


class SourceOperation(NamedTuple):
    """An operation on a file: its path counts from the root of the YAML document of that number.

    In a template, where `line` is not 0, it counts from the mapping of which a key stands on that line, from 1.
    """

    path: str
    number: int
    operation: Operation
    line: int = 0


class Change(NamedTuple):
    """What a fix does to each rendered mapping that was made of a place; the operation's path counts from there."""

    made_of: Origin | SourceLine
    operation: Operation


@dataclass(frozen=True, slots=True)
class SourceFix:
    """Operations on sources, and what they are meant to change in what is rendered."""

    operations: tuple[SourceOperation, ...]
    changes: tuple[Change, ...]


def joined_fixes(parts: Sequence[Sequence[SourceFix]]) -> tuple[SourceFix, ...]:
    """The ways to make all parts of an operation together: each part is made in the way that comes next for it."""
    if not parts or not all(parts):
        return ()
    chosen = ([ways[min(number, len(ways) - 1)] for ways in parts] for number in range(max(map(len, parts))))
    return tuple(
        SourceFix(tuple(o for fix in fixes for o in fix.operations), tuple(c for fix in fixes for c in fix.changes))
        for fixes in chosen
    )
