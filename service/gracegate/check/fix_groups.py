"""Fixes that belong together, one group per place, and the edits of their files.

Edits are made inside the diff where that is possible: GitHub takes a suggestion nowhere else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from gracegate.check.matches import Match
from gracegate.manifests import Change, Collection, SourceFix, SourceOperation, edit_source, joined_fixes, source_fixes
from gracegate.model import Document, DocumentKey, Hunk, NoSuggestion, Operation, Origin
from gracegate.yaml_edit import EditRefused, LineEdit

_Step = TypeVar("_Step", SourceOperation, Change)

MAX_HUNKS = 5
"""How many hunks near a place are tried for edits that belong together and are not in one hunk."""
FAR_APART = 8
"""Lines between two edits of a group from which on they are drawn together: a suggestion repeats all lines between."""

# White space may move, and an empty value may be replaced by the one that is added.
_REMOVABLE = re.compile(r"\s+|\{\s*\}|\[\s*\]|~|\bnull\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FixContext:
    """What fixes are made for: the head's files, its documents, and the hunks by path (None: there is no diff)."""

    files: Collection
    documents: Sequence[Document]
    hunks: Mapping[str, tuple[Hunk, ...] | None] | None

    def text(self, path: str) -> str:
        """The text of a file that a fix changes."""
        return self.files.places.text(path)

    def hunks_of(self, path: str) -> tuple[Hunk, ...]:
        """The hunks of a file; empty where there is no diff."""
        return (self.hunks or {}).get(path) or ()

    def operations(self, match: Match) -> list[tuple[Document, Operation]]:
        """The steps of a match's fix, each with the document that it changes."""
        fix = match.violation.fix
        return [] if fix is None else [(self.documents[o.document], replace(o, document=0)) for o in fix.patch]

    def source_fixes(self, match: Match) -> tuple[SourceFix, ...]:
        """The ways to make a match's fix in the sources, the best first; none where one is not known for each step."""
        return joined_fixes([self.ways(document, operation) for document, operation in self.operations(match)])

    def ways(self, document: Document, operation: Operation) -> tuple[SourceFix, ...]:
        """The ways to make one operation on a document in the sources, the best first."""
        if document.rendered is None:
            path = document.pointer + operation.path
            step = SourceOperation(document.path, document.number, replace(operation, path=path))
            return (SourceFix((step,), ()),)
        preferred = (self.hunks or {}).keys()
        return source_fixes(document, operation, self.files.components, self.files.places, preferred)


@dataclass(frozen=True, slots=True)
class FixGroup:
    """Matches whose fixes are one edit, with the edits, or with the reason why there are none.

    `fix` is how it is made, `others` are the ways to try after it.
    """

    path: str
    matches: tuple[Match, ...]
    objects: frozenset[DocumentKey]
    fix: SourceFix
    others: tuple[SourceFix, ...] = ()
    edits: tuple[LineEdit, ...] = ()
    reason: NoSuggestion | None = None

    @property
    def first_line(self) -> int:
        return min(e.start_line for e in self.edits)

    @property
    def last_line(self) -> int:
        return max(e.end_line for e in self.edits)

    def is_in_one_of(self, hunks: Iterable[Hunk]) -> bool:
        """Whether one of the hunks shows all lines of the edits."""
        return any(hunk.start <= self.first_line and self.last_line <= hunk.end for hunk in hunks)


def is_in_diff(group: FixGroup, context: FixContext) -> bool:
    """Whether one hunk shows all lines of a group's edits; always True where there is no diff."""
    return context.hunks is None or group.is_in_one_of(context.hunks_of(group.path))


def fix_groups(matches: Sequence[Match], context: FixContext) -> list[FixGroup]:
    """The fixes of `matches` in groups, with their edits or the reason why there are none; no two edit one line."""
    groups = [edit(group, context) for group in _group_matches(matches, context)]
    by_path: dict[str, list[FixGroup]] = defaultdict(list)
    for group in groups:
        if group.reason is None:
            by_path[group.path].append(group)
    resolved = [g for file_groups in by_path.values() for g in _resolve_overlaps(file_groups, context)]
    return [g for g in groups if g.reason is not None] + resolved


def _group_matches(matches: Sequence[Match], context: FixContext) -> list[FixGroup]:
    """One group per comment anchor; anchors that need the same operation are one group (a union-find over keys).

    What is only worth an info has a group of its own: a comment does not speak of it.
    """
    first_with_key: dict[object, int] = {}
    parents = list(range(len(matches)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for number, match in enumerate(matches):
        fixes = context.source_fixes(match)
        anchor = match.comment_anchor, match.violation.level == "info"
        for key in (anchor, *(map(_target, fixes[0].operations) if fixes else ())):
            parents[root(number)] = root(first_with_key.setdefault(key, number))
    groups: dict[int, list[Match]] = defaultdict(list)
    for number, match in enumerate(matches):
        groups[root(number)].append(match)
    return [_merge_fixes(members, context) for members in groups.values()]


def _merge_fixes(matches: Sequence[Match], context: FixContext) -> FixGroup:
    """One group with the operations of all matches, each once."""
    objects = frozenset(document.key for match in matches for document, _ in context.operations(match))
    fixes = [context.source_fixes(match) for match in matches]
    if not all(fixes):
        return FixGroup(matches[0].document.path, tuple(matches), objects, SourceFix((), ()), reason="unmapped")
    return next_way(FixGroup("", tuple(matches), objects, SourceFix((), ()), others=joined_fixes(fixes)))


def next_way(group: FixGroup) -> FixGroup:
    """The group with its next way to make its fix, which it must have."""
    way, *others = group.others
    operations = merged_operations(way.operations)
    changes = _each_once(way.changes, lambda change: (change.made_of, change.operation.path))
    paths = {step.path for step in way.operations}
    # What is not rendered is fixed where it is found.
    paths.update(match.document.path for match in group.matches if match.document.rendered is None)
    is_conflict = operations is None or changes is None
    reason: NoSuggestion | None = "other_file" if len(paths) > 1 else "conflicts" if is_conflict else None
    fix = SourceFix(operations or (), changes or ())
    return replace(group, path=min(paths), fix=fix, others=tuple(others), edits=(), reason=reason)


def merged_operations(operations: Iterable[SourceOperation]) -> tuple[SourceOperation, ...] | None:
    """The operations, one for each place; None where two of a place contradict each other."""
    return _each_once(operations, _target)


def _each_once(steps: Iterable[_Step], target: Callable[[_Step], object]) -> tuple[_Step, ...] | None:
    """The steps, one for each target; None where two of a target contradict each other."""
    merged: dict[object, _Step] = {}
    for step in steps:
        known = merged.get(target(step))
        common = step.operation if known is None else _common_operation(known.operation, step.operation)
        if common is None:
            return None
        merged[target(step)] = step._replace(operation=common)
    return tuple(merged.values())


def try_others(group: FixGroup, context: FixContext) -> FixGroup:
    """The group with the next way to make its fix that can be edited; as it is where it has one, or no other."""
    while group.reason is not None and group.others:
        group = edit(next_way(group), context)
    return group


def without_overlap(group: FixGroup, others: Iterable[FixGroup], context: FixContext) -> FixGroup:
    """The group, with a reason if it changes lines of one of the others."""
    of_file = [g for g in others if g.path == group.path and g.reason is None]
    if group.reason is None and any(_overlap(other, group, context) for other in of_file):
        return replace(group, reason="overlaps")
    return group


def _common_operation(one: Operation, other: Operation) -> Operation | None:
    """One operation in place of two; of two numbers (grace periods of one Pod, say) the larger one, None for others."""
    if one == other:
        return one
    are_numbers = all(type(o.value) in {int, float} for o in (one, other))
    return max(one, other, key=lambda o: o.value) if are_numbers and "remove" not in {one.op, other.op} else None


def _target(step: SourceOperation) -> object:
    return step.path, step.number, step.line, step.operation.path


def edit(group: FixGroup, context: FixContext) -> FixGroup:
    """The group with its edits, in one hunk of the diff where that is possible, or with a reason."""
    if group.reason is not None:
        return group
    hunks = context.hunks_of(group.path)
    try:
        edited = replace(group, edits=_edits(group, context, hunks))
        if not edited.edits:
            return replace(group, reason="not_fixed")
        if not edited.is_in_one_of(hunks):
            edited = _move_into_one_hunk(edited, context, hunks)
        edited = _draw_together(edited, context, hunks)
    except EditRefused as refused:
        return replace(group, reason=refused.reason)
    return edited if _keeps_content(edited, context) else replace(group, reason="would_change_more")


def _edits(group: FixGroup, context: FixContext, hunks: Sequence[Hunk]) -> tuple[LineEdit, ...]:
    return edit_source(context.files.places, group.path, group.fix.operations, hunks).edits


def _move_into_one_hunk(group: FixGroup, context: FixContext, hunks: Sequence[Hunk]) -> FixGroup:
    """The group with all its edits in one hunk; unchanged where none of the nearest hunks can take them all."""
    if len(hunks) > 1:
        nearest = sorted(hunks, key=lambda h: max(h.start - group.last_line, group.first_line - h.end))
        for hunk in nearest[:MAX_HUNKS]:
            moved = replace(group, edits=_edits(group, context, (hunk,)))
            if moved.is_in_one_of((hunk,)):
                return moved
    return group


def _draw_together(group: FixGroup, context: FixContext, hunks: Sequence[Hunk]) -> FixGroup:
    """The group with its additions next to the edits that have only one place, where they are far from them.

    Only in one hunk of the diff, of which a suggestion repeats all lines from the first edit to the last one.
    """
    edits = sorted(group.edits, key=lambda edit: edit.start_line)
    gaps = (after.start_line - before.end_line for before, after in pairwise(edits))
    if max(gaps, default=0) <= FAR_APART or not group.is_in_one_of(hunks):
        return group
    drawn = (
        replace(group, edits=_edits(group, context, (Hunk(edit.start_line, edit.end_line),))) for edit in group.edits
    )
    candidates = [group, *(other for other in drawn if other.is_in_one_of(hunks))]
    return min(candidates, key=lambda other: other.last_line - other.first_line)


def _keeps_content(group: FixGroup, context: FixContext) -> bool:
    """Whether fixes that only add keep all text of the edited lines in its order, comments included."""
    places = context.files.places
    if not all(
        step.operation.op == "add" and places.value_at(Origin(step.path, step.number, step.operation.path)) is None
        for step in group.fix.operations
    ):
        return True
    lines = context.text(group.path).split("\n")
    replaced = ((lines[e.start_line - 1 : e.end_line], e.lines) for e in group.edits)
    return all(_is_subsequence("\n".join(old), "\n".join(new)) for old, new in replaced)


def _is_subsequence(old: str, new: str) -> bool:
    characters = iter(new)
    return all(character in characters for character in _REMOVABLE.sub("", old))


def _resolve_overlaps(groups: Iterable[FixGroup], context: FixContext) -> list[FixGroup]:
    """Merges groups of one file that overlap; a group that cannot be merged, or still overlaps, gets a reason."""
    merged = [g for cluster in _overlapping_clusters(groups, context) for g in _merge_cluster(cluster, context)]
    result = [g for g in merged if g.reason is not None]
    still_open: list[FixGroup] = []
    for group in sorted((g for g in merged if g.reason is None), key=_line_range):
        still_open = [g for g in still_open if g.last_line >= group.first_line]
        if any(_overlap(g, group, context) for g in still_open):
            result.append(replace(group, reason="overlaps"))
        else:
            still_open.append(group)
            result.append(group)
    return result


def _overlapping_clusters(groups: Iterable[FixGroup], context: FixContext) -> list[list[FixGroup]]:
    """Lists of groups that overlap each other, directly or through another one of the list."""
    done: list[list[FixGroup]] = []
    still_open: list[list[FixGroup]] = []
    for group in sorted(groups, key=_line_range):
        done += [cluster for cluster in still_open if all(g.last_line < group.first_line for g in cluster)]
        still_open = [cluster for cluster in still_open if any(g.last_line >= group.first_line for g in cluster)]
        joined, others = [group], []
        for cluster in still_open:
            if any(_overlap(g, group, context) for g in cluster):
                joined = [*cluster, *joined]
            else:
                others.append(cluster)
        still_open = [*others, joined]
    return done + still_open


def _merge_cluster(groups: Sequence[FixGroup], context: FixContext) -> list[FixGroup]:
    """One group of all, edited once; where that fails, both halves, without the groups that still overlap."""
    if len(groups) == 1:
        return list(groups)
    merged = edit(_merge_fixes([match for group in groups for match in group.matches], context), context)
    if merged.reason is None:
        return [merged]
    middle = len(groups) // 2
    first, second = _merge_cluster(groups[:middle], context), _merge_cluster(groups[middle:], context)
    edited = [g for g in first if g.reason is None]
    return first + [
        replace(g, reason=merged.reason) if g.reason is None and any(_overlap(e, g, context) for e in edited) else g
        for g in second
    ]


def _line_range(group: FixGroup) -> tuple[int, int]:
    return group.first_line, group.last_line


def _overlap(one: FixGroup, other: FixGroup, context: FixContext) -> bool:
    """Whether two groups conflict: by their whole line ranges where both may be suggestions, else by their edits."""
    if one.first_line > other.last_line or other.first_line > one.last_line:
        return False
    if is_in_diff(one, context) and is_in_diff(other, context):
        return True
    return any(a.start_line <= b.end_line and b.start_line <= a.end_line for a in one.edits for b in other.edits)
