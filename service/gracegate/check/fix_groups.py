"""Fixes that belong together, one group for each place, and the edits of their files that they come to.

A group's edits come into the diff where they can: GitHub takes a suggestion nowhere else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gracegate.check.matches import Match, follow
from gracegate.manifests import EditedManifest, Manifest, edit_manifest
from gracegate.model import Document, DocumentKey, Hunk, NoSuggestion, Operation
from gracegate.yaml_edit import EditRefused, LineEdit

MAX_HUNKS = 5
"""How many hunks near a place are tried for edits that belong together but did not come into one."""


# White space moves, and an empty value gives way to what is put into it.
_NOTHING = re.compile(r"\s+|\{\s*\}|\[\s*\]|~|\bnull\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FixContext:
    """What fixes are planned on: head's files, its documents, and the hunks by path (None: there is no diff)."""

    manifests: Mapping[str, Manifest]
    documents: Sequence[Document]
    hunks: Mapping[str, tuple[Hunk, ...] | None] | None

    def hunks_of(self, path: str) -> tuple[Hunk, ...]:
        """The hunks in which an insertion is preferred; empty where there is no diff."""
        return (self.hunks or {}).get(path) or ()


@dataclass(frozen=True, slots=True)
class FixGroup:
    """Findings whose edits belong together, the edits once they are planned, or the reason why there are none."""

    path: str
    sightings: tuple[Match, ...]
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
    def first(self) -> int:
        return min(e.start_line for e in self.edits)

    @property
    def last(self) -> int:
        return max(e.end_line for e in self.edits)


def planned(sightings: Sequence[Match], ground: FixContext) -> list[FixGroup]:
    """The groups of some findings with their edits or the reason why there are none; no two edit the same lines."""
    plans = [_plan(group, ground) for group in _groups(sightings, ground)]
    by_path: dict[str, list[FixGroup]] = defaultdict(list)
    for group in plans:
        if group.reason is None:
            by_path[group.path].append(group)
    apart = [g for file_groups in by_path.values() for g in _apart(file_groups, ground)]
    return [g for g in plans if g.reason is not None] + apart


def _groups(sightings: Sequence[Match], ground: FixContext) -> list[FixGroup]:
    """One group per comment anchor; anchors that need the same operation are one group."""
    homes: dict[object, int] = {}
    parent = list(range(len(sightings)))

    def home(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for number, sighting in enumerate(sightings):
        for key in (sighting.comment_anchor, *(_place(d, o) for d, o in _operations(sighting, ground))):
            parent[home(number)] = home(homes.setdefault(key, number))
    groups: dict[int, list[Match]] = defaultdict(list)
    for number, sighting in enumerate(sightings):
        groups[home(number)].append(sighting)
    return [_group(members, ground) for members in groups.values()]


def _group(sightings: Sequence[Match], ground: FixContext) -> FixGroup:
    merged: dict[object, tuple[Document, Operation]] = {}
    conflict = False
    for document, operation in (pair for s in sightings for pair in _operations(s, ground)):
        place = _place(document, operation)
        agreed = _reconciled(merged[place][1], operation) if place in merged else operation
        conflict = conflict or agreed is None
        merged[place] = (document, agreed or operation)
    path = sightings[0].document.path
    elsewhere = any(document.path != path for document, _ in merged.values())
    reason: NoSuggestion | None = "other_file" if elsewhere else "conflicts" if conflict else None
    return FixGroup(path, tuple(sightings), tuple(merged.values()), reason=reason)


def _reconciled(one: Operation, other: Operation) -> Operation | None:
    """Two containers may ask for different grace periods of one Pod: the larger number serves both, and is proved."""
    if one == other:
        return one
    numbers = all(type(o.value) in {int, float} for o in (one, other))
    return max(one, other, key=lambda o: o.value) if numbers and "remove" not in {one.op, other.op} else None


def _operations(sighting: Match, ground: FixContext) -> list[tuple[Document, Operation]]:
    fix = sighting.violation.fix
    return [] if fix is None else [(ground.documents[o.document], replace(o, document=0)) for o in fix.patch]


def _place(document: Document, operation: Operation) -> object:
    return (document.key, operation.path)


def _plan(group: FixGroup, ground: FixContext) -> FixGroup:
    if group.reason is not None:
        return group
    manifest, hunks = ground.manifests[group.path], ground.hunks_of(group.path)
    try:
        plan = replace(group, edited=edit_manifest(manifest, group.operations, hunks))
        if not plan.edits:
            return replace(group, reason="not_fixed")
        plan = plan if _is_inside(plan, hunks) else _gathered(plan, manifest, hunks)
    except EditRefused as refused:
        return replace(group, reason=refused.reason)
    return plan if _keeps_lines(plan, manifest) else replace(group, reason="would_change_more")


def _gathered(group: FixGroup, manifest: Manifest, hunks: Sequence[Hunk]) -> FixGroup:
    """The same group with all its edits in one hunk, if they can be; as it is where none holds them all."""
    if len(hunks) > 1:
        near = sorted(hunks, key=lambda h: max(h.start - group.last, group.first - h.end))
        for hunk in near[:MAX_HUNKS]:
            gathered = replace(group, edited=edit_manifest(manifest, group.operations, (hunk,)))
            if _is_inside(gathered, (hunk,)):
                return gathered
    return group


def _is_inside(group: FixGroup, hunks: Iterable[Hunk]) -> bool:
    return any(hunk.start <= group.first and group.last <= hunk.end for hunk in hunks)


def _keeps_lines(group: FixGroup, manifest: Manifest) -> bool:
    """Whether fixes that only add leave all that stands on their lines, and in order: comments are text too."""
    if not all(o.op == "add" and follow(d.object, o.path) is None for d, o in group.operations):
        return True
    lines = manifest.text.split("\n")
    return all(_is_within("\n".join(lines[e.start_line - 1 : e.end_line]), "\n".join(e.lines)) for e in group.edits)


def _is_within(old: str, new: str) -> bool:
    left = iter(new)
    return all(character in left for character in _NOTHING.sub("", old))


def _apart(groups: Iterable[FixGroup], ground: FixContext) -> list[FixGroup]:
    """Merges groups of one file that overlap; what cannot be merged, or overlaps even so, gets no fix."""
    joined = [g for cluster in _clusters(groups, ground) for g in _joined(cluster, ground)]
    done = [g for g in joined if g.reason is not None]
    near: list[FixGroup] = []
    for group in sorted((g for g in joined if g.reason is None), key=_lines):
        near = [g for g in near if g.last >= group.first]
        if any(_overlap(g, group, ground) for g in near):
            done.append(replace(group, reason="overlaps"))
        else:
            near.append(group)
            done.append(group)
    return done


def _clusters(groups: Iterable[FixGroup], ground: FixContext) -> list[list[FixGroup]]:
    """Groups that overlap, or overlap the same ones."""
    closed: list[list[FixGroup]] = []
    near: list[list[FixGroup]] = []
    for group in sorted(groups, key=_lines):
        closed += [cluster for cluster in near if all(g.last < group.first for g in cluster)]
        near = [cluster for cluster in near if any(g.last >= group.first for g in cluster)]
        met, apart = [group], []
        for cluster in near:
            if any(_overlap(g, group, ground) for g in cluster):
                met = [*cluster, *met]
            else:
                apart.append(cluster)
        near = [*apart, met]
    return closed + near


def _joined(groups: Sequence[FixGroup], ground: FixContext) -> list[FixGroup]:
    """One group of all, planned once; where that does not hold, halves, and of those that overlap the first."""
    if len(groups) == 1:
        return list(groups)
    whole = _plan(_group([s for group in groups for s in group.sightings], ground), ground)
    if whole.reason is None:
        return [whole]
    middle = len(groups) // 2
    first, rest = _joined(groups[:middle], ground), _joined(groups[middle:], ground)
    kept = [g for g in first if g.reason is None]
    return first + [
        replace(g, reason=whole.reason) if g.reason is None and any(_overlap(k, g, ground) for k in kept) else g
        for g in rest
    ]


def _lines(group: FixGroup) -> tuple[int, int]:
    return group.first, group.last


def _overlap(one: FixGroup, other: FixGroup, ground: FixContext) -> bool:
    """Whether two fixes get in each other's way: by all lines between where each may be a suggestion, else by edits."""
    if one.first > other.last or other.first > one.last:
        return False
    if may_be_posted(one, ground) and may_be_posted(other, ground):
        return True
    return any(a.start_line <= b.end_line and b.start_line <= a.end_line for a in one.edits for b in other.edits)


def may_be_posted(group: FixGroup, ground: FixContext) -> bool:
    """Whether the diff shows all lines of a group in one hunk; always so where there is no diff to say it."""
    return ground.hunks is None or _is_inside(group, ground.hunks_of(group.path))
