"""Fixes that belong together, one group per place, and the edits of their files.

Edits are made inside the diff where that is possible: GitHub takes a suggestion nowhere else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gracegate.check.matches import Match, value_at
from gracegate.manifests import EditedManifest, Manifest, edit_manifest
from gracegate.model import Document, DocumentKey, Hunk, NoSuggestion, Operation
from gracegate.yaml_edit import EditRefused, LineEdit

MAX_HUNKS = 5
"""How many hunks near a place are tried for edits that belong together and are not in one hunk."""

# White space may move, and an empty value may be replaced by the one that is added.
_REMOVABLE = re.compile(r"\s+|\{\s*\}|\[\s*\]|~|\bnull\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FixContext:
    """What fixes are made for: the head's files, its documents, and the hunks by path (None: there is no diff)."""

    manifests: Mapping[str, Manifest]
    documents: Sequence[Document]
    hunks: Mapping[str, tuple[Hunk, ...] | None] | None

    def hunks_of(self, path: str) -> tuple[Hunk, ...]:
        """The hunks of a file; empty where there is no diff."""
        return (self.hunks or {}).get(path) or ()

    def operations(self, match: Match) -> list[tuple[Document, Operation]]:
        """The steps of a match's fix, each with the document that it changes."""
        fix = match.violation.fix
        return [] if fix is None else [(self.documents[o.document], replace(o, document=0)) for o in fix.patch]


@dataclass(frozen=True, slots=True)
class FixGroup:
    """Matches whose fixes are one edit, with the edited file, or with the reason why there is none."""

    path: str
    matches: tuple[Match, ...]
    operations: tuple[tuple[Document, Operation], ...]
    edited: EditedManifest | None = None
    reason: NoSuggestion | None = None

    @property
    def edits(self) -> tuple[LineEdit, ...]:
        return () if self.edited is None else self.edited.edits

    @property
    def objects(self) -> frozenset[DocumentKey]:
        return frozenset(document.key for document, _ in self.operations)

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
    groups = [_edit(group, context) for group in _group_matches(matches, context)]
    by_path: dict[str, list[FixGroup]] = defaultdict(list)
    for group in groups:
        if group.reason is None:
            by_path[group.path].append(group)
    resolved = [g for file_groups in by_path.values() for g in _resolve_overlaps(file_groups, context)]
    return [g for g in groups if g.reason is not None] + resolved


def _group_matches(matches: Sequence[Match], context: FixContext) -> list[FixGroup]:
    """One group per comment anchor; anchors that need the same operation are one group (a union-find over keys)."""
    first_with_key: dict[object, int] = {}
    parents = list(range(len(matches)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    for number, match in enumerate(matches):
        for key in (match.comment_anchor, *(_target(d, o) for d, o in context.operations(match))):
            parents[root(number)] = root(first_with_key.setdefault(key, number))
    groups: dict[int, list[Match]] = defaultdict(list)
    for number, match in enumerate(matches):
        groups[root(number)].append(match)
    return [_merge_fixes(members, context) for members in groups.values()]


def _merge_fixes(matches: Sequence[Match], context: FixContext) -> FixGroup:
    """One group with the operations of all matches, each once."""
    merged: dict[object, tuple[Document, Operation]] = {}
    has_conflict = False
    for document, operation in (pair for match in matches for pair in context.operations(match)):
        target = _target(document, operation)
        common = _common_operation(merged[target][1], operation) if target in merged else operation
        has_conflict = has_conflict or common is None
        merged[target] = (document, common or operation)
    path = matches[0].document.path
    is_elsewhere = any(document.path != path for document, _ in merged.values())
    reason: NoSuggestion | None = "other_file" if is_elsewhere else "conflicts" if has_conflict else None
    return FixGroup(path, tuple(matches), tuple(merged.values()), reason=reason)


def _common_operation(one: Operation, other: Operation) -> Operation | None:
    """One operation in place of two; of two numbers (grace periods of one Pod, say) the larger one, None for others."""
    if one == other:
        return one
    are_numbers = all(type(o.value) in {int, float} for o in (one, other))
    return max(one, other, key=lambda o: o.value) if are_numbers and "remove" not in {one.op, other.op} else None


def _target(document: Document, operation: Operation) -> object:
    return (document.key, operation.path)


def _edit(group: FixGroup, context: FixContext) -> FixGroup:
    """The group with its edits, in one hunk of the diff where that is possible, or with a reason."""
    if group.reason is not None:
        return group
    manifest, hunks = context.manifests[group.path], context.hunks_of(group.path)
    try:
        edited = replace(group, edited=edit_manifest(manifest, group.operations, hunks))
        if not edited.edits:
            return replace(group, reason="not_fixed")
        if not edited.is_in_one_of(hunks):
            edited = _move_into_one_hunk(edited, manifest, hunks)
    except EditRefused as refused:
        return replace(group, reason=refused.reason)
    return edited if _keeps_content(edited, manifest) else replace(group, reason="would_change_more")


def _move_into_one_hunk(group: FixGroup, manifest: Manifest, hunks: Sequence[Hunk]) -> FixGroup:
    """The group with all its edits in one hunk; unchanged where none of the nearest hunks can take them all."""
    if len(hunks) > 1:
        nearest = sorted(hunks, key=lambda h: max(h.start - group.last_line, group.first_line - h.end))
        for hunk in nearest[:MAX_HUNKS]:
            moved = replace(group, edited=edit_manifest(manifest, group.operations, (hunk,)))
            if moved.is_in_one_of((hunk,)):
                return moved
    return group


def _keeps_content(group: FixGroup, manifest: Manifest) -> bool:
    """Whether fixes that only add keep all text of the edited lines in its order, comments included."""
    if not all(o.op == "add" and value_at(d.object, o.path) is None for d, o in group.operations):
        return True
    lines = manifest.text.split("\n")
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
    merged = _edit(_merge_fixes([match for group in groups for match in group.matches], context), context)
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
