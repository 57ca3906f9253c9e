"""Fixes to suggestions: merged by place, anchored in the diff, and proved by evaluating what they make of the files.

A suggestion leaves this module only after its text was applied, the result parsed back and compared with the intended
change (manifests.edits does that), and the rules evaluated again: its findings are gone and nothing new has come.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gracegate.check.diffs import unified
from gracegate.check.fix_groups import FixContext, FixGroup, may_be_posted, planned
from gracegate.check.matches import Match
from gracegate.manifests import Manifest
from gracegate.model import SEVERITY_ORDER, DocumentKey, NoSuggestion, Suggestion
from gracegate.yaml import has_final_newline, newline_style
from gracegate.yaml_edit import LineEdit, apply_edits

Reevaluate = Callable[[Mapping[str, str]], Sequence[Match]]
"""Takes the changed files' new texts and returns the head's sightings as they would be with them."""

MAX_LINES = 60
"""A comment on more lines than this is read by nobody; where there is no diff, there are no comments."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a fix: `edits` and `diff` if it holds, `suggestion` if it can be posted, else a `reason`."""

    path: str = ""
    diff: str | None = None
    edits: tuple[LineEdit, ...] = ()
    suggestion: Suggestion | None = None
    reason: NoSuggestion | None = None


def prove(
    sightings: Sequence[Match], head: Sequence[Match], ground: FixContext, reevaluate: Reevaluate
) -> dict[str, Proof]:
    """A proof for each of `sightings` by id; `head` is all that was found at head before any fix."""
    proofs = {s.id: Proof(reason=reason) for s in sightings if (reason := _unfixable(s)) is not None}
    groups = planned([s for s in sightings if s.id not in proofs], ground)
    held = _refuted([g for g in groups if g.reason is None], head, ground, reevaluate)
    for group in [g for g in groups if g.reason is not None] + held:
        proof = _proof(group, ground)
        proofs.update({s.id: proof for s in group.sightings})
    return proofs


def _unfixable(sighting: Match) -> NoSuggestion | None:
    fix = sighting.violation.fix
    if fix is None:
        return "no_fix"
    if not fix.patch:
        return "advice_only"
    return None if fix.fix_class == "safe" else "assumes"


def _refuted(
    groups: Sequence[FixGroup], head: Sequence[Match], ground: FixContext, reevaluate: Reevaluate
) -> list[FixGroup]:
    """Evaluates the rules on what the groups make: at most one group of an object at a time, then all together."""
    rounds = _rounds(groups)
    tried = [g for together in rounds for g in _round(together, head, ground, reevaluate)]
    held = [g for g in tried if g.reason is None]
    proved_together = len(rounds) <= 1 and len(held) == len(groups)
    if proved_together or not _faults(held, head, ground, reevaluate):
        return tried
    compatible: list[FixGroup] = []
    for group in held:
        if _faults([*compatible, group], head, ground, reevaluate):
            tried[tried.index(group)] = replace(group, reason="conflicts")
        else:
            compatible.append(group)
    return tried


def _rounds(groups: Iterable[FixGroup]) -> list[list[FixGroup]]:
    rounds: list[list[FixGroup]] = []
    taken: list[set[DocumentKey]] = []
    for group in groups:
        number = next((i for i, keys in enumerate(taken) if not keys & group.objects), len(rounds))
        if number == len(rounds):
            rounds.append([])
            taken.append(set())
        rounds[number].append(group)
        taken[number] |= group.objects
    return rounds


def _round(
    groups: Sequence[FixGroup], head: Sequence[Match], ground: FixContext, reevaluate: Reevaluate
) -> list[FixGroup]:
    """The groups of one round, with a reason where one does not hold; halved until the culprits stand alone."""
    faults = _faults(groups, head, ground, reevaluate)
    if not faults:
        return list(groups)
    if len(groups) == 1:
        return [replace(groups[0], reason=faults[0])]
    middle = len(groups) // 2
    halves = (groups[:middle], groups[middle:])
    return [g for half in halves for g in _round(half, head, ground, reevaluate)]


def _faults(
    groups: Sequence[FixGroup], head: Sequence[Match], ground: FixContext, reevaluate: Reevaluate
) -> list[NoSuggestion]:
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
    reasons: tuple[tuple[NoSuggestion, bool], ...] = (("not_fixed", left), ("new_finding", came))
    return [reason for reason, wrong in reasons if wrong]


def _same(sighting: Match) -> object:
    return (sighting.identity, sighting.document.key)


def _proof(group: FixGroup, ground: FixContext) -> Proof:
    if group.reason is not None or group.edited is None:
        return Proof(group.path, reason=group.reason)
    manifest = ground.manifests[group.path]
    diff = unified(group.path, manifest.text, group.edits)
    reason = _unpostable(group, manifest, ground)
    if reason is not None:
        return Proof(group.path, diff, group.edits, reason=reason)
    return Proof(group.path, diff, group.edits, _suggestion(group, manifest))


def _unpostable(group: FixGroup, manifest: Manifest, ground: FixContext) -> NoSuggestion | None:
    """Why a proved fix cannot be a suggestion block of GitHub's, None if it can."""
    if newline_style(manifest.text) != "\n":
        return "crlf"
    if not has_final_newline(manifest.text) and group.last >= manifest.text.count("\n") + 1:
        return "no_final_newline"
    if ground.hunks is not None and group.last - group.first >= MAX_LINES:
        return "too_long"
    return None if may_be_posted(group, ground) else "outside_diff"


def _suggestion(group: FixGroup, manifest: Manifest) -> Suggestion:
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
