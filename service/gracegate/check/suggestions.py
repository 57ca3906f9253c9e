"""Fixes to suggestions: grouped by place, verified by evaluating the fixed files, placed in the diff.

A suggestion leaves this module only after its text was applied, the result parsed back and compared with the intended
change (`edit_source` does that), and the rules evaluated again: its findings are gone, no error or warning is new.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from gracegate.check.diffs import unified_diff
from gracegate.check.fix_groups import FixContext, FixGroup, fix_groups, is_in_diff, try_others, without_overlap
from gracegate.check.matches import Match
from gracegate.manifests import Change
from gracegate.model import SEVERITY_ORDER, DocumentKey, NoSuggestion, Suggestion
from gracegate.yaml import has_final_newline, newline_style
from gracegate.yaml_edit import LineEdit, apply_edits

Reevaluate = Callable[[Mapping[str, str], Sequence[Change]], Sequence[Match] | NoSuggestion]
"""Takes the new texts of changed files and what they are to change in what is rendered; returns the matches of the
head with them, or why they do not change it so."""

MAX_SUGGESTION_LINES = 60
"""A longer suggestion is hard to read in a comment. Without a diff there are no comments, and no limit."""

_GENERATED = re.compile(r"\bdo not (?:manually )?(?:edit|modify|change)\b|\bauto-?generated\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FixOutcome:
    """The result for a fix: `edits` and `diff` if it is verified, `suggestion` if GitHub can take it, or a `reason`.

    A file that a program writes gets no `edits`.
    """

    path: str = ""
    diff: str | None = None
    edits: tuple[LineEdit, ...] = ()
    suggestion: Suggestion | None = None
    reason: NoSuggestion | None = None


def verify_fixes(
    matches: Sequence[Match], head: Sequence[Match], context: FixContext, reevaluate: Reevaluate
) -> dict[str, FixOutcome]:
    """The outcome for each of `matches` by id; `head` are all matches of the head before any fix."""
    outcomes = {m.id: FixOutcome(reason=reason) for m in matches if (reason := _why_not_fixable(m)) is not None}
    groups = fix_groups([m for m in matches if m.id not in outcomes], context)
    for group in _verify_ways(groups, head, context, reevaluate):
        outcome = _outcome(group, context)
        outcomes.update({m.id: outcome for m in group.matches})
    return outcomes


def edits_by_path(outcomes: Mapping[str, FixOutcome]) -> dict[str, set[LineEdit]]:
    """The edits of all verified fixes, which can be applied together."""
    # Findings of one group have the same edits, so that sets are needed.
    edits: dict[str, set[LineEdit]] = defaultdict(set)
    for outcome in outcomes.values():
        edits[outcome.path].update(outcome.edits)
    return {path: file_edits for path, file_edits in edits.items() if file_edits}


def _why_not_fixable(match: Match) -> NoSuggestion | None:
    fix = match.violation.fix
    if fix is None:
        return "no_fix"
    if not fix.patch:
        return "advice_only"
    return None if fix.fix_class == "safe" else "assumes"


def _verify_ways(
    groups: Sequence[FixGroup], head: Sequence[Match], context: FixContext, reevaluate: Reevaluate
) -> list[FixGroup]:
    """The groups, each in the first of its ways that is verified together with those before, or with a reason."""
    settled: list[FixGroup] = []
    pending = list(groups)
    while pending:
        edited = [without_overlap(try_others(group, context), settled, context) for group in pending]
        tried = _verify([g for g in edited if g.reason is None], settled, head, context, reevaluate)
        results = [*(g for g in edited if g.reason is not None), *tried]
        settled += [g for g in results if g.reason is None or not g.others]
        pending = [g for g in results if g.reason is not None and g.others]
    return settled


def _verify(
    groups: Sequence[FixGroup],
    settled: Sequence[FixGroup],
    head: Sequence[Match],
    context: FixContext,
    reevaluate: Reevaluate,
) -> list[FixGroup]:
    """The groups, with a reason where it fails: at most one group per object at a time, then all together. Those that
    are `settled` are there each time."""
    verified_before = [g for g in settled if g.reason is None]

    def failures(tried: Sequence[FixGroup]) -> list[NoSuggestion]:
        if not tried:
            return []
        together = [*verified_before, *tried]
        changes = [change for group in together for change in group.fix.changes]
        fixed = reevaluate(_fixed_texts(together, context), changes)
        return [fixed] if isinstance(fixed, str) else _failure_reasons(together, head, fixed)

    rounds = _split_into_rounds(groups)
    results = [g for together in rounds for g in _verify_round(together, failures)]
    verified = [g for g in results if g.reason is None]
    was_one_evaluation = len(rounds) <= 1 and len(verified) == len(groups)
    if was_one_evaluation or not failures(verified):
        return results
    compatible: list[FixGroup] = []
    for group in verified:
        if failures([*compatible, group]):
            results[results.index(group)] = replace(group, reason="conflicts")
        else:
            compatible.append(group)
    return results


def _split_into_rounds(groups: Iterable[FixGroup]) -> list[list[FixGroup]]:
    """Rounds in which each object is changed by one group at most."""
    rounds: list[list[FixGroup]] = []
    objects: list[set[DocumentKey]] = []
    for group in groups:
        number = next((i for i, keys in enumerate(objects) if not keys & group.objects), len(rounds))
        if number == len(rounds):
            rounds.append([])
            objects.append(set())
        rounds[number].append(group)
        objects[number] |= group.objects
    return rounds


def _verify_round(
    groups: Sequence[FixGroup], failures: Callable[[Sequence[FixGroup]], list[NoSuggestion]]
) -> list[FixGroup]:
    """The groups of one round; those that fail are found by halving and get a reason."""
    reasons = failures(groups)
    if not reasons:
        return list(groups)
    if len(groups) == 1:
        return [replace(groups[0], reason=reasons[0])]
    middle = len(groups) // 2
    return [g for half in (groups[:middle], groups[middle:]) for g in _verify_round(half, failures)]


def _fixed_texts(groups: Iterable[FixGroup], context: FixContext) -> dict[str, str]:
    edits: dict[str, list[LineEdit]] = defaultdict(list)
    for group in groups:
        edits[group.path].extend(group.edits)
    return {path: apply_edits(context.text(path), file_edits) for path, file_edits in edits.items()}


def _failure_reasons(groups: Sequence[FixGroup], head: Sequence[Match], fixed: Sequence[Match]) -> list[NoSuggestion]:
    """Why the fixes of these groups fail, empty if they do not; `fixed` are the matches of the fixed files."""
    before = {_key(m): SEVERITY_ORDER[m.violation.level] for m in head}
    after = {_key(m): SEVERITY_ORDER[m.violation.level] for m in fixed}
    is_left = any(_key(m) in after for g in groups for m in g.matches)
    has_new = any(level > before.get(key, 0) for key, level in after.items())
    reasons: tuple[tuple[NoSuggestion, bool], ...] = (("not_fixed", is_left), ("new_finding", has_new))
    return [reason for reason, applies in reasons if applies]


def _key(match: Match) -> object:
    return (match.identity, match.document.key)


def _outcome(group: FixGroup, context: FixContext) -> FixOutcome:
    if group.reason is not None:
        return FixOutcome(group.path, reason=group.reason)
    text = context.text(group.path)
    diff = unified_diff(group.path, text, group.edits)
    if _is_generated(text):
        return FixOutcome(group.path, diff, reason="generated")
    reason = _why_not_suggestible(group, text, context)
    suggestion = _suggestion(group, text) if reason is None else None
    return FixOutcome(group.path, diff, group.edits, suggestion, reason)


def _is_generated(text: str) -> bool:
    """Whether the comments at the top of a file say that a program writes it, as `Code generated by x. DO NOT EDIT.`"""
    lines = (line.strip(" \t\r\ufeff") for line in text.split("\n"))
    return any(_GENERATED.search(line) for line in takewhile(lambda line: line in {"", "---"} or line[0] == "#", lines))


def _why_not_suggestible(group: FixGroup, text: str, context: FixContext) -> NoSuggestion | None:
    """Why a verified fix cannot be a suggestion on GitHub, None if it can."""
    if newline_style(text) != "\n":
        return "crlf"
    if not has_final_newline(text) and group.last_line >= text.count("\n") + 1:
        return "no_final_newline"
    if context.hunks is not None and group.last_line - group.first_line >= MAX_SUGGESTION_LINES:
        return "too_long"
    return None if is_in_diff(group, context) else "outside_diff"


def _suggestion(group: FixGroup, source: str) -> Suggestion:
    first, last = group.first_line, group.last_line
    edits = [replace(e, start_line=e.start_line - first + 1, end_line=e.end_line - first + 1) for e in group.edits]
    text = apply_edits("\n".join(source.split("\n")[first - 1 : last]), edits)
    fingerprint = "\x1f".join((group.path, *sorted(m.id for m in group.matches), text))
    suggestion_id = hashlib.sha256(fingerprint.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return Suggestion(suggestion_id, group.path, first, last, text)
