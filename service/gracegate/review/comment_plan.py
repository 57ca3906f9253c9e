"""Which comments a pull request needs: a report and our earlier comments in, comments to post and to update out."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gracegate.model import SEVERITY_ORDER, FileDiff, Finding, Hunk, PostedComment, Report, Suggestion

MAX_LINE_COMMENTS = 20
MAX_FILE_COMMENTS = 5

_MARKER = re.compile(
    r"<!-- gracegate:v1 state=(open|fixed) f=([0-9a-f,]+)(?: at=([0-9a-f,]+))? mac=([0-9a-f]{32}) -->\s*\Z"
)

MarkedFindings = Mapping[str, str]
"""From the ids of findings to their targets; a target is "" in comments of releases that did not write it down."""


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
    """An earlier comment to edit: the findings of `resolved` (ids) are gone, those of `open` are left, if any.

    `is_fixed` is False if what was at fault is gone too, at least for one of them.
    """

    comment: PostedComment
    open: tuple[Finding, ...]
    resolved: tuple[str, ...]
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class CommentPlan:
    """`commented` are the findings (ids) that have a comment or get one; `uncommented` counts those that deserve one
    and get none: the review is full, or their file is not in the diff."""

    new_comments: tuple[NewComment, ...]
    updates: tuple[CommentUpdate, ...]
    commented: frozenset[str]
    uncommented: int


@dataclass(frozen=True, slots=True)
class CommentMarker:
    """Writes and verifies the markers of one pull request's comments; the first key signs, every key verifies.

    The scope ("owner/name#number") is part of what is signed: a marker copied from another pull request is not valid.
    """

    keys: tuple[bytes, ...]
    scope: str

    def write(self, findings: MarkedFindings, *, resolved: bool = False) -> str:
        """The marker, an HTML comment, for the last line of a comment's body."""
        state, ids, targets = "fixed" if resolved else "open", ",".join(findings), ",".join(findings.values())
        at = f" at={targets}" if all(findings.values()) else ""
        mac = self._mac(self.keys[0], state, ids, targets if at else None)
        return f"<!-- gracegate:v1 state={state} f={ids}{at} mac={mac} -->"

    def read(self, body: str) -> MarkedFindings | None:
        """The findings of a comment that is signed and still open; None for any other comment."""
        match = _MARKER.search(body)
        if match is None or match[1] == "fixed":
            return None
        state, ids, targets, mac = match.groups()
        if not any(hmac.compare_digest(self._mac(key, state, ids, targets), mac) for key in self.keys):
            return None
        names = ids.split(",")
        return dict(zip(names, targets.split(",") if targets else [""] * len(names), strict=True))

    def _mac(self, key: bytes, state: str, ids: str, targets: str | None) -> str:
        signed = "\n".join((self.scope, state, ids, *([] if targets is None else [targets])))
        return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()[:32]


def plan_comments(
    report: Report,
    diff: Sequence[FileDiff],
    earlier: Sequence[PostedComment],
    read_marker: Callable[[str], MarkedFindings | None],
) -> CommentPlan:
    """Plans one comment per finding over all pushes; `read_marker` is `CommentMarker.read`."""
    findings = {f.id: f for f in report.findings if is_commented(f, touched=report.comment_scope == "touched")}
    open_comments = [(comment, ids) for comment in earlier if (ids := read_marker(comment.body)) is not None]
    commented_ids = {identifier for _, ids in open_comments for identifier in ids}
    new_findings = [f for f in findings.values() if f.id not in commented_ids]
    hunks = {d.path: d.hunks for d in diff if d.change != "removed"}
    comments = _new_comments([f for f in new_findings if f.file in hunks], report.suggestions, hunks)
    on_lines = [comment for comment in comments if comment.line is not None][:MAX_LINE_COMMENTS]
    on_files = [comment for comment in comments if comment.line is None][:MAX_FILE_COMMENTS]
    new_comments = (*on_lines, *on_files)
    newly_commented = {finding.id for comment in new_comments for finding in comment.findings}
    return CommentPlan(
        new_comments,
        _updates(open_comments, findings, report),
        frozenset(newly_commented.union(commented_ids)),
        len(new_findings) - len(newly_commented),
    )


def expected_comments(report: Report, diff: Sequence[FileDiff]) -> frozenset[str]:
    """The findings (ids) that will have a comment, as far as that is known without the earlier comments."""
    return plan_comments(report, diff, (), lambda _: None).commented


def is_commented(finding: Finding, *, touched: bool) -> bool:
    """Whether a finding deserves a comment: above info, not waived, and new, or also pre-existing with `touched`."""
    statuses = {"introduced", "worsened"} | ({"pre-existing"} if touched else set())
    return finding.waiver is None and finding.status in statuses and finding.severity != "info"


def _new_comments(
    findings: Iterable[Finding], suggestions: Iterable[Suggestion], hunks: Mapping[str, tuple[Hunk, ...] | None]
) -> list[NewComment]:
    """One comment per suggestion, and one per place for the findings without; the worst first.

    A line may be the place of many objects, as the kustomization that scales them all: what is said alike of each of
    them there is one comment.
    """
    by_id = {suggestion.id: suggestion for suggestion in suggestions}
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.suggestion or finding.comment_anchor, []).append(finding)
    # A finding without a suggestion joins the comment that another finding of its place has already.
    suggested = {f.comment_anchor: key for key, group in groups.items() for f in group if f.suggestion is not None}
    for key, group in list(groups.items()):
        if group[0].suggestion is None and group[0].comment_anchor in suggested:
            groups[suggested[group[0].comment_anchor]].extend(groups.pop(key))
    alike: dict[object, list[Finding]] = {}
    for group in groups.values():
        comment = _new_comment(group, by_id, hunks)
        rules = tuple(sorted(f.rule for f in group))
        place = (comment.path, comment.line, rules)
        alike.setdefault(place if comment.suggestion is None else comment.suggestion, []).extend(group)
    comments = [_new_comment(group, by_id, hunks) for group in alike.values()]
    return sorted(comments, key=lambda c: (-max(SEVERITY_ORDER[f.severity] for f in c.findings), c.path, c.line or 0))


def _new_comment(
    group: Sequence[Finding], suggestions: Mapping[str, Suggestion], hunks: Mapping[str, tuple[Hunk, ...] | None]
) -> NewComment:
    findings = tuple(sorted(group, key=lambda f: (-SEVERITY_ORDER[f.severity], f.line, f.rule)))
    path = findings[0].file
    suggestion = next((suggestions[f.suggestion] for f in findings if f.suggestion is not None), None)
    if suggestion is not None:
        start = suggestion.start_line if suggestion.start_line < suggestion.end_line else None
        return NewComment(path, suggestion.end_line, start, findings, suggestion)
    lines = (_commentable_line(finding, hunks[path] or ()) for finding in findings)
    return NewComment(path, next((line for line in lines if line is not None), None), None, findings, None)


def _commentable_line(finding: Finding, hunks: Sequence[Hunk]) -> int | None:
    """The line where GitHub accepts a comment: the finding's own, else the first of its range that a hunk shows."""
    if any(hunk.start <= finding.line <= hunk.end for hunk in hunks):
        return finding.line
    overlaps = (max(h.start, finding.line) for h in hunks if h.start <= finding.end_line and h.end >= finding.line)
    return min(overlaps, default=None)


def _updates(
    open_comments: Iterable[tuple[PostedComment, MarkedFindings]], findings: Mapping[str, Finding], report: Report
) -> tuple[CommentUpdate, ...]:
    # A finding that could not be evaluated again is not fixed. No file ("") stands for all of them.
    live_targets, unknown = frozenset(report.live_targets), frozenset(report.unevaluated_targets)
    unevaluated = {problem.file for problem in report.problems if problem.is_manifest}
    if "" in unevaluated:
        return ()
    return tuple(
        CommentUpdate(
            comment,
            tuple(findings[i] for i in marked if i in findings),
            resolved,
            is_fixed=all(marked[i] in live_targets for i in resolved),
        )
        for comment, marked in open_comments
        if comment.path not in unevaluated
        and (resolved := tuple(i for i in marked if i not in findings))
        and unknown.isdisjoint(marked[i] for i in resolved)
    )
