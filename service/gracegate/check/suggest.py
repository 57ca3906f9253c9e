"""Fixes to suggestions: merged by place, anchored in the diff, and proved by evaluating what they make of the files.

A suggestion leaves this module only after its text was applied, the result parsed back and compared with the intended
change (manifests.edits does that), and the rules evaluated again: its findings are gone and nothing new has come.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gracegate.check.examine import Key
from gracegate.check.sightings import Sighting
from gracegate.manifests.documents import Manifest
from gracegate.manifests.edits import Edited, LineEdit, Refused, apply_edits, edit, has_final_newline, newline_style
from gracegate.model import SEVERITY_ORDER, Document, Hunk, Operation, Suggestion

Reevaluate = Callable[[Mapping[str, str]], Sequence[Sighting]]
"""Takes the changed files' new texts and returns the head's sightings as they would be with them."""

MAX_LINES = 60
CONTEXT = 3
NO_NEWLINE = "\n\\ No newline at end of file"


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a fix: `edits` and `diff` if it holds, `suggestion` if it can be posted, else a `reason`."""

    path: str = ""
    diff: str | None = None
    edits: tuple[LineEdit, ...] = ()
    suggestion: Suggestion | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What fixes are planned on: head's files, its documents, and the hunks by path (None: there is no diff)."""

    manifests: Mapping[str, Manifest]
    documents: Sequence[Document]
    hunks: Mapping[str, tuple[Hunk, ...] | None] | None

    def hunks_of(self, path: str) -> tuple[Hunk, ...]:
        """The hunks in which an insertion is preferred; empty where there is no diff."""
        return (self.hunks or {}).get(path) or ()


@dataclass(frozen=True, slots=True)
class _Group:
    """Findings whose edits belong together, the edits once they are planned, or the reason why there are none."""

    path: str
    sightings: tuple[Sighting, ...]
    operations: tuple[tuple[Document, Operation], ...]
    edited: Edited | None = None
    reason: str | None = None

    @property
    def edits(self) -> tuple[LineEdit, ...]:
        return () if self.edited is None else self.edited.edits

    @property
    def objects(self) -> frozenset[Key]:
        return frozenset(_key(document) for document, _ in self.operations)

    @property
    def first(self) -> int:
        return min(e.start_line for e in self.edits)

    @property
    def last(self) -> int:
        return max(e.end_line for e in self.edits)


def prove(
    sightings: Sequence[Sighting], head: Sequence[Sighting], ground: Ground, reevaluate: Reevaluate
) -> dict[str, Proof]:
    """A proof for each of `sightings` by id; `head` is all that was found at head before any fix."""
    proofs = {s.id: Proof(reason=reason) for s in sightings if (reason := _unfixable(s)) is not None}
    groups = _planned(_groups([s for s in sightings if s.id not in proofs], ground), ground)
    held = _refuted([g for g in groups if g.reason is None], head, ground, reevaluate)
    for group in [g for g in groups if g.reason is not None] + held:
        proof = _proof(group, ground)
        proofs.update({s.id: proof for s in group.sightings})
    return proofs


def _unfixable(sighting: Sighting) -> str | None:
    fix = sighting.violation.fix
    if fix is None:
        return "no_fix"
    if not fix.patch:
        return "advice_only"
    return None if fix.klass == "safe" else "assumes"


def _groups(sightings: Sequence[Sighting], ground: Ground) -> list[_Group]:
    """One group per spot; spots that need the same operation are one group."""
    homes: dict[object, int] = {}
    parent = list(range(len(sightings)))

    def home(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for number, sighting in enumerate(sightings):
        for key in (sighting.spot, *(_place(d, o) for d, o in _operations(sighting, ground))):
            parent[home(number)] = home(homes.setdefault(key, number))
    groups: dict[int, list[Sighting]] = defaultdict(list)
    for number, sighting in enumerate(sightings):
        groups[home(number)].append(sighting)
    return [_group(members, ground) for members in groups.values()]


def _group(sightings: Sequence[Sighting], ground: Ground) -> _Group:
    merged: dict[object, tuple[Document, Operation]] = {}
    conflict = False
    for document, operation in (pair for s in sightings for pair in _operations(s, ground)):
        place = _place(document, operation)
        agreed = _reconciled(merged[place][1], operation) if place in merged else operation
        conflict = conflict or agreed is None
        merged[place] = (document, agreed or operation)
    path = sightings[0].document.path
    elsewhere = any(document.path != path for document, _ in merged.values())
    reason = "other_file" if elsewhere else "conflicts" if conflict else None
    return _Group(path, tuple(sightings), tuple(merged.values()), reason=reason)


def _reconciled(one: Operation, other: Operation) -> Operation | None:
    """Two containers may ask for different grace periods of one Pod: the larger number serves both, and is proved."""
    if one == other:
        return one
    numbers = all(type(o.value) in {int, float} for o in (one, other))
    return max(one, other, key=lambda o: o.value) if numbers and "remove" not in {one.op, other.op} else None


def _operations(sighting: Sighting, ground: Ground) -> list[tuple[Document, Operation]]:
    fix = sighting.violation.fix
    return [] if fix is None else [(ground.documents[o.document], replace(o, document=0)) for o in fix.patch]


def _place(document: Document, operation: Operation) -> object:
    return (_key(document), operation.path)


def _key(document: Document) -> Key:
    return (document.path, document.number, document.pointer)


def _planned(groups: Iterable[_Group], ground: Ground) -> list[_Group]:
    """Plans each group's edits; groups whose lines overlap become one."""
    planned = [_plan(group, ground) for group in groups]
    by_path: dict[str, list[_Group]] = defaultdict(list)
    for group in planned:
        if group.reason is None:
            by_path[group.path].append(group)
    apart = [g for file_groups in by_path.values() for g in _apart(file_groups, ground)]
    return [g for g in planned if g.reason is not None] + apart


def _plan(group: _Group, ground: Ground) -> _Group:
    if group.reason is not None:
        return group
    try:
        edited = edit(ground.manifests[group.path], group.operations, ground.hunks_of(group.path))
    except Refused as refused:
        return replace(group, reason=refused.reason)
    return replace(group, edited=edited)


def _apart(groups: list[_Group], ground: Ground) -> list[_Group]:
    """Merges overlapping groups of one file until none overlap; one that cannot be merged gets no fix."""
    kept: list[_Group] = []
    refused: list[_Group] = []
    for group in sorted(groups, key=lambda g: (g.first, g.last)):
        if not kept or group.first > kept[-1].last:
            kept.append(group)
            continue
        merged = _plan(_group((*kept[-1].sightings, *group.sightings), ground), ground)
        if merged.reason is None and (len(kept) == 1 or merged.first > kept[-2].last):
            kept[-1] = merged
        else:
            refused.append(replace(group, reason=merged.reason or "overlaps"))
    return kept + refused


def _refuted(
    groups: Sequence[_Group], head: Sequence[Sighting], ground: Ground, reevaluate: Reevaluate
) -> list[_Group]:
    """Evaluates the rules on what the groups make: at most one group of an object at a time, then all together."""
    rounds = _rounds(groups)
    tried = [g for together in rounds for g in _round(together, head, ground, reevaluate)]
    held = [g for g in tried if g.reason is None]
    proved_together = len(rounds) <= 1 and len(held) == len(groups)
    if proved_together or not _faults(held, head, ground, reevaluate):
        return tried
    compatible: list[_Group] = []
    for group in held:
        if _faults([*compatible, group], head, ground, reevaluate):
            tried[tried.index(group)] = replace(group, reason="conflicts")
        else:
            compatible.append(group)
    return tried


def _rounds(groups: Iterable[_Group]) -> list[list[_Group]]:
    rounds: list[list[_Group]] = []
    taken: list[set[Key]] = []
    for group in groups:
        number = next((i for i, keys in enumerate(taken) if not keys & group.objects), len(rounds))
        if number == len(rounds):
            rounds.append([])
            taken.append(set())
        rounds[number].append(group)
        taken[number] |= group.objects
    return rounds


def _round(groups: Sequence[_Group], head: Sequence[Sighting], ground: Ground, reevaluate: Reevaluate) -> list[_Group]:
    """The groups of one round, with a reason where one does not hold; halved until the culprits stand alone."""
    faults = _faults(groups, head, ground, reevaluate)
    if not faults:
        return list(groups)
    if len(groups) == 1:
        return [replace(groups[0], reason=faults[0])]
    middle = len(groups) // 2
    halves = (groups[:middle], groups[middle:])
    return [g for half in halves for g in _round(half, head, ground, reevaluate)]


def _faults(groups: Sequence[_Group], head: Sequence[Sighting], ground: Ground, reevaluate: Reevaluate) -> list[str]:
    """Why these groups together do not hold, empty if they do."""
    if not groups:
        return []
    edits: dict[str, list[LineEdit]] = defaultdict(list)
    for group in groups:
        edits[group.path].extend(group.edits)
    texts = {path: apply_edits(ground.manifests[path].text, wanted) for path, wanted in edits.items()}
    before = {_same(s): SEVERITY_ORDER[s.violation.level] for s in head}
    after = {_same(s): SEVERITY_ORDER[s.violation.level] for s in reevaluate(texts)}
    left = any(_same(s) in after for g in groups for s in g.sightings)
    came = any(level > before.get(key, 0) for key, level in after.items())
    return [reason for reason, wrong in (("not_fixed", left), ("new_finding", came)) if wrong]


def _same(sighting: Sighting) -> object:
    return (sighting.identity, _key(sighting.document))


def _proof(group: _Group, ground: Ground) -> Proof:
    if group.reason is not None or group.edited is None:
        return Proof(group.path, reason=group.reason)
    manifest = ground.manifests[group.path]
    diff = _unified(group.path, manifest.text, group.edits)
    reason = _unpostable(group, manifest, ground)
    if reason is not None:
        return Proof(group.path, diff, group.edits, reason=reason)
    return Proof(group.path, diff, group.edits, _suggestion(group, manifest))


def _unpostable(group: _Group, manifest: Manifest, ground: Ground) -> str | None:
    """Why a proved fix cannot be a suggestion block of GitHub's, None if it can."""
    if newline_style(manifest.text) != "\n":
        return "crlf"
    if not has_final_newline(manifest.text) and group.last >= manifest.text.count("\n") + 1:
        return "no_final_newline"
    if group.last - group.first >= MAX_LINES:
        return "too_long"
    if ground.hunks is None:
        return None
    inside = any(h.start <= group.first and group.last <= h.end for h in ground.hunks_of(group.path))
    return None if inside else "outside_diff"


def _suggestion(group: _Group, manifest: Manifest) -> Suggestion:
    lines = manifest.text.split("\n")
    wanted = "\n".join(lines[group.first - 1 : group.last])
    shifted = [
        replace(e, start_line=e.start_line - group.first + 1, end_line=e.end_line - group.first + 1)
        for e in group.edits
    ]
    text = apply_edits(wanted, shifted)
    name = "\x1f".join((group.path, *sorted(s.id for s in group.sightings), text))
    return Suggestion(
        hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        group.path,
        group.first,
        group.last,
        text,
    )


def _unified(path: str, text: str, edits: Sequence[LineEdit]) -> str:
    """The unified diff of edits that do not overlap, with three lines of context and lines split at \\n alone."""
    lines = _ended(text.split("\n"))
    hunks: list[list[LineEdit]] = []
    for one in sorted(edits, key=lambda e: e.start_line):
        near = hunks and one.start_line - hunks[-1][-1].end_line <= 2 * CONTEXT
        if near:
            hunks[-1].append(one)
        else:
            hunks.append([one])
    shift, shown = 0, [f"--- a/{path}", f"+++ b/{path}"]
    for hunk in hunks:
        body = _hunk(lines, hunk)
        first = max(1, hunk[0].start_line - CONTEXT)
        old, new = (sum(line[0] in kinds for line in body) for kinds in (" -", " +"))
        shown += [f"@@ -{first},{old} +{first + shift},{new} @@", *body]
        shift += new - old
    return "\n".join(shown)


def _hunk(lines: Sequence[str], edits: Sequence[LineEdit]) -> list[str]:
    body: list[str] = []
    at = max(0, edits[0].start_line - 1 - CONTEXT)
    for one in edits:
        old = lines[one.start_line - 1 : one.end_line]
        new = _ended(one.lines) if old[-1].endswith(NO_NEWLINE) else list(one.lines)
        head = _shared(old, new)
        tail = _shared(old[head:][::-1], new[head:][::-1])
        body += [f" {line}" for line in [*lines[at : one.start_line - 1], *old[:head]]]
        body += [f"-{line}" for line in old[head : len(old) - tail]]
        body += [f"+{line}" for line in new[head : len(new) - tail]]
        body += [f" {line}" for line in old[len(old) - tail :]]
        at = one.end_line
    return body + [f" {line}" for line in lines[at : at + CONTEXT]]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _ended(lines: Sequence[str]) -> list[str]:
    """Without the nothing after the last newline, else with git's remark that there is none."""
    return list(lines[:-1]) if not lines or lines[-1] == "" else [*lines[:-1], lines[-1] + NO_NEWLINE]
