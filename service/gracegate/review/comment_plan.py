"""What to say in the pull request: a report and our earlier comments in, comments to post, edit and strike out."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gracegate.model import SEVERITY_ORDER, FileDiff, Finding, Hunk, PostedComment, Problem, Report, Suggestion

MAX_LINE_COMMENTS = 20
MAX_FILE_COMMENTS = 5

_MARKER = re.compile(r"<!-- gracegate:v1 state=(open|fixed) f=([0-9a-f,]+) mac=([0-9a-f]{32}) -->\s*\Z")


@dataclass(frozen=True, slots=True)
class NewComment:
    """One comment to post. Lines are the head's; both are None for a comment on the whole file."""

    path: str
    line: int | None
    start_line: int | None
    findings: tuple[Finding, ...]
    suggestion: Suggestion | None


@dataclass(frozen=True, slots=True)
class CommentUpdate:
    """An earlier comment to rewrite: some of its findings are gone; all of them where `open` is empty."""

    comment: PostedComment
    open: tuple[Finding, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommentPlan:
    """What to do, and how many findings are left to the check's summary because the review is full."""

    drafts: tuple[NewComment, ...]
    revisions: tuple[CommentUpdate, ...]
    left_over: int


@dataclass(frozen=True, slots=True)
class CommentMarker:
    """Signs and reads the markers of one pull request's comments; the first key signs, all of them are read.

    The scope ("owner/name#number") is part of what is signed: a marker copied from elsewhere says nothing here.
    """

    keys: tuple[bytes, ...]
    scope: str

    def write(self, findings: Iterable[str], *, fixed: bool = False) -> str:
        """The marker, an HTML comment, for the last line of a comment's body."""
        ids, state = ",".join(findings), "fixed" if fixed else "open"
        return f"<!-- gracegate:v1 state={state} f={ids} mac={self._mac(self.keys[0], state, ids)} -->"

    def read(self, body: str) -> tuple[str, ...] | None:
        """The findings of a comment that is ours and still open; None for any other comment."""
        match = _MARKER.search(body)
        if match is None or match[1] == "fixed":
            return None
        genuine = any(hmac.compare_digest(self._mac(key, match[1], match[2]), match[3]) for key in self.keys)
        return tuple(match[2].split(",")) if genuine else None

    def _mac(self, key: bytes, state: str, ids: str) -> str:
        return hmac.new(key, f"{self.scope}\n{state}\n{ids}".encode(), hashlib.sha256).hexdigest()[:32]


def plan(
    report: Report,
    diff: Sequence[FileDiff],
    earlier: Sequence[PostedComment],
    read: Callable[[str], tuple[str, ...] | None],
) -> CommentPlan:
    """Says each finding once; `read` gives the findings of an earlier comment, see `CommentMarker.read`."""
    speaking = {f.id: f for f in report.findings if speaks(f, touched=report.comment_scope == "touched")}
    marked = [(comment, ids) for comment in earlier if (ids := read(comment.body)) is not None]
    said = {identifier for _, ids in marked for identifier in ids}
    revisions = _revisions(marked, speaking, report.problems)
    hunks = {d.path: d.hunks for d in diff if d.change != "removed"}
    fresh = [f for f in speaking.values() if f.id not in said]
    return _bounded(
        _drafts(fresh, report.suggestions, hunks), revisions, unanchored=sum(f.file not in hunks for f in fresh)
    )


def speaks(finding: Finding, *, touched: bool) -> bool:
    """Whether a finding is worth a comment: more than an info, not waived, and new unless `touched` is wanted."""
    status = {"introduced", "worsened"} | ({"pre-existing"} if touched else set())
    return finding.waiver is None and finding.status in status and finding.severity != "info"


def _revisions(
    marked: Iterable[tuple[PostedComment, tuple[str, ...]]],
    speaking: Mapping[str, Finding],
    problems: Sequence[Problem],
) -> tuple[CommentUpdate, ...]:
    # A finding that could not be evaluated again is not fixed: nothing is struck where something was not read.
    blind = {p.file for p in problems if p.is_manifest}
    revisions = []
    for comment, ids in marked:
        gone = tuple(i for i in ids if i not in speaking)
        if gone and "" not in blind and comment.path not in blind:
            revisions.append(CommentUpdate(comment, tuple(speaking[i] for i in ids if i in speaking), gone))
    return tuple(revisions)


def _drafts(
    findings: Iterable[Finding], suggestions: Iterable[Suggestion], hunks: Mapping[str, tuple[Hunk, ...] | None]
) -> list[NewComment]:
    """One draft per suggestion, and one per spot for the findings without; the worst first."""
    by_id = {s.id: s for s in suggestions}
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.file in hunks:
            groups.setdefault(finding.suggestion or finding.comment_anchor, []).append(finding)
    _join_spots(groups)
    drafts = [_draft(group, by_id, hunks) for group in groups.values()]
    return sorted(drafts, key=lambda d: (-_worst(d.findings), d.path, d.line or 0))


def _join_spots(groups: dict[str, list[Finding]]) -> None:
    """Findings without a suggestion go to the comment that speaks about their spot already."""
    homes = {f.comment_anchor: key for key, group in groups.items() for f in group if f.suggestion is not None}
    for key in [k for k, group in groups.items() if group[0].suggestion is None and group[0].comment_anchor in homes]:
        groups[homes[key]].extend(groups.pop(key))


def _draft(
    group: Sequence[Finding], suggestions: Mapping[str, Suggestion], hunks: Mapping[str, tuple[Hunk, ...] | None]
) -> NewComment:
    ordered = tuple(sorted(group, key=lambda f: (-SEVERITY_ORDER[f.severity], f.line, f.rule)))
    suggestion = next((suggestions[f.suggestion] for f in ordered if f.suggestion is not None), None)
    path = ordered[0].file
    if suggestion is not None:
        start = suggestion.start_line if suggestion.start_line < suggestion.end_line else None
        return NewComment(path, suggestion.end_line, start, ordered, suggestion)
    lines = (_line_in(f, hunks[path] or ()) for f in ordered)
    return NewComment(path, next((line for line in lines if line is not None), None), None, ordered, None)


def _line_in(finding: Finding, hunks: Sequence[Hunk]) -> int | None:
    """The line of a finding that GitHub takes: its own, else the first of its range that a hunk shows."""
    if any(hunk.start <= finding.line <= hunk.end for hunk in hunks):
        return finding.line
    overlaps = (max(h.start, finding.line) for h in hunks if h.start <= finding.end_line and h.end >= finding.line)
    return min(overlaps, default=None)


def _worst(findings: Iterable[Finding]) -> int:
    return max(SEVERITY_ORDER[f.severity] for f in findings)


def _bounded(drafts: Sequence[NewComment], revisions: tuple[CommentUpdate, ...], *, unanchored: int) -> CommentPlan:
    on_lines = [d for d in drafts if d.line is not None]
    on_files = [d for d in drafts if d.line is None]
    kept = (*on_lines[:MAX_LINE_COMMENTS], *on_files[:MAX_FILE_COMMENTS])
    dropped = [*on_lines[MAX_LINE_COMMENTS:], *on_files[MAX_FILE_COMMENTS:]]
    return CommentPlan(kept, revisions, unanchored + sum(len(d.findings) for d in dropped))
