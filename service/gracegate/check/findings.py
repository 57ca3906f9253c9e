"""Matches -> findings: what several roots have of one source is one finding, on a line that this change shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gracegate.check import profiles
from gracegate.check.matches import Match, MatchGroup, group_matches
from gracegate.check.trees import ComparedTrees
from gracegate.model import (
    SEVERITY_ORDER,
    FileDiff,
    Finding,
    FixedFinding,
    Place,
    Pointer,
    RelatedPlace,
    Rendered,
    Status,
)

_STATUS_ORDER: dict[Status, int] = {"pre-existing": 0, "worsened": 1, "introduced": 2, "present": 2}


@dataclass(frozen=True, slots=True)
class FoundMatches:
    """A finding and the matches that it stands for; `lead` is the worst of them, of which the finding speaks."""

    finding: Finding
    lead: Match
    matches: tuple[Match, ...]


def findings_of(trees: ComparedTrees) -> tuple[FoundMatches, ...]:
    """The findings of this change, and the pre-existing ones in documents that it changes, by file and line."""
    return _findings_of(trees.head.matches, trees)


def shadow_findings(trees: ComparedTrees) -> tuple[Finding, ...]:
    """The findings that this change would have if no rule were in mode `shadow`, of those rules."""
    return tuple(found.finding for found in _findings_of(trees.head.shadow_matches, trees))


def _findings_of(matches: Sequence[Match], trees: ComparedTrees) -> tuple[FoundMatches, ...]:
    found = [_found(group, members, trees) for group in group_matches(matches) if (members := _shown(group, trees))]
    return tuple(sorted(found, key=lambda f: (f.finding.file, f.finding.line, f.finding.rule, f.finding.id)))


def fixed_findings(trees: ComparedTrees) -> tuple[FixedFinding, ...]:
    """The base's findings that the head no longer has although what was at fault is there, and was evaluated."""
    if trees.comparison is None or trees.base is None:
        return ()
    unread = {p.file for p in trees.head.collection.problems}
    fixed = {match.id for match in trees.comparison.fixed}
    left = {group.id for group in group_matches(trees.head.matches)}
    return tuple(
        FixedFinding(group.id, first.violation.rule, first.document.path, first.document.source_ref, first.container)
        for group in group_matches(trees.base.matches)
        if (first := next((match for match in group.matches if match.id in fixed), None)) is not None
        and group.id not in left
        and first.target in trees.evaluated_targets
        and first.violation.rule not in trees.head.failed
        and "" not in unread
        and first.document.path not in unread
    )


def _shown(group: MatchGroup, trees: ComparedTrees) -> list[Match]:
    """The matches that the finding of a group is about: waived ones only if all are."""
    shown = [
        m for m in group.matches if _status(m, trees) != "pre-existing" or m.document.key in trees.changed_documents
    ]
    return [match for match in shown if trees.waiver(match) is None] or shown


def _status(match: Match, trees: ComparedTrees) -> Status:
    return "present" if trees.comparison is None else trees.comparison.statuses[match.id]


def _is_inherited(match: Match, trees: ComparedTrees) -> bool:
    return trees.comparison is not None and match.id in trees.comparison.inherited


def _found(group: MatchGroup, members: Sequence[Match], trees: ComparedTrees) -> FoundMatches:
    lead = max(
        members,
        key=lambda match: (
            _STATUS_ORDER[_status(match, trees)],
            not _is_inherited(match, trees),
            SEVERITY_ORDER[match.violation.level],
        ),
    )
    return FoundMatches(_finding(group.id, lead, members, trees), lead, tuple(members))


def _finding(finding_id: str, lead: Match, members: Iterable[Match], trees: ComparedTrees) -> Finding:
    violation, status = lead.violation, _status(lead, trees)
    policies = trees.request.policies_of(violation.rule)
    rules_url = trees.request.rules_urls.get(policies.name)
    rule = policies.catalog.rules[violation.rule]
    is_new = status in {"introduced", "worsened"}
    is_note = is_new and profiles.is_note(
        violation.rule,
        trees.request.config,
        is_regression=lead.id in trees.regressions,
        is_improvement=lead.id in trees.improvements,
    )
    is_inherited = _is_inherited(lead, trees)
    severity = "info" if is_note else "warning" if is_inherited and violation.level == "error" else violation.level
    message = violation.message
    rendered = lead.document.rendered
    if rendered is not None and is_inherited:
        message = f"{message} The fault is not new, `{rendered.root.name}` is."
    file, place = source = trees.locate(lead.document, _decisive_pointer(lead))
    if rendered is not None and is_new and (cause := _cause(lead, rendered, file, trees)) is not None:
        file, place = cause
    related = [*_related_places(lead, trees)]
    anchor = lead.comment_anchor
    if (file, place) != source:
        related.insert(0, RelatedPlace(lead.document.source_ref, source[0], source[1].line))
        anchor = f"{file}\x1f{anchor}"
    return Finding(
        id=finding_id,
        rule=violation.rule,
        severity=severity,
        status=status,
        file=file,
        line=place.line,
        end_line=place.end_line,
        column=place.column,
        object=lead.document.source_ref,
        container=lead.container,
        message=message,
        comment_anchor=anchor,
        target=lead.target,
        is_note=is_note,
        related=tuple(related),
        confidence=violation.confidence,
        fix=violation.fix,
        waiver=trees.waiver(lead),
        blocks_from=violation.blocks_from,
        title=rule.title,
        description=rule.description,
        rule_url=f"{rules_url}/{violation.rule}.md" if rules_url else None,
        roots=_root_names(members, source[0]),
        policy_set=policies.name,
        owner=rule.owner,
    )


def _decisive_pointer(match: Match) -> Pointer:
    """The pointer of a violation, or of what is missing there in a rendered object: a patch may have taken it away."""
    violation = match.violation
    if match.document.rendered is None or violation.fix is None or not violation.fix.patch:
        return violation.pointer
    first = violation.fix.patch[0]
    is_here = first.document == violation.document and first.path[: len(violation.pointer)] == violation.pointer
    return first.path if is_here and first.op == "add" else violation.pointer


def _root_names(members: Iterable[Match], file: str) -> tuple[str, ...]:
    """The roots that have the fault; none where that is the one that the file lies in."""
    roots = {match.document.rendered.root for match in members if match.document.rendered is not None}
    is_own = len(roots) == 1 and all(not r.applied_by and file.startswith(f"{r.directory}/".lstrip("/")) for r in roots)
    return () if is_own else tuple(sorted(root.name for root in roots))


def _cause(match: Match, rendered: Rendered, file: str, trees: ComparedTrees) -> tuple[str, Place] | None:
    """Where this change made what it found in a file that it does not change; None where the place itself is right."""
    scope, request = trees.scope, trees.request
    if scope is None or request.diff is None or (file in scope.head_paths and not _is_inherited(match, trees)):
        return None
    collection = trees.head.collection
    read = collection.components.files_of(rendered.root)
    changed = {diff.path: diff for diff in request.diff if diff.path in read and diff.path in request.head.files}
    pointer = match.violation.pointer
    for length in range(len(pointer), -1, -1):
        for origin in rendered.origins.get(pointer[:length], ()):
            if origin.path in changed and not _is_inherited(match, trees):
                return origin.path, collection.places.place(origin, pointer[length:])
    own = collection.components.file_of(rendered.root)
    path = own if own in changed else next(iter(sorted(changed)), None)
    if path is None:
        return None
    line = _first_changed_line(changed[path], trees)
    return path, Place(line, line)


def _first_changed_line(diff: FileDiff, trees: ComparedTrees) -> int:
    """The first line of a file, from 1, that differs from the base's; the last one where only lines were cut off."""
    base = trees.request.base
    former = base.files.get(diff.previous_path or diff.path) if base is not None else None
    old = [] if former is None else former.data.splitlines()
    new = trees.request.head.files[diff.path].data.splitlines()
    same = next((number for number, lines in enumerate(zip(new, old, strict=False)) if lines[0] != lines[1]), len(old))
    return max(1, min(same + 1, len(new)))


def _related_places(match: Match, trees: ComparedTrees) -> Iterator[RelatedPlace]:
    documents = trees.head.collection.documents
    for index, pointer, note in match.violation.related:
        file, place = trees.locate(documents[index], pointer)
        yield RelatedPlace(documents[index].source_ref, file, place.line, note)
