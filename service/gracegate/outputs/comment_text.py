"""The bodies of review comments and of the review itself, in GitHub's Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gracegate.model import (
    CONFIG_FILE,
    CONTAINER_LISTS,
    GITHUB_COMMENT_BYTES,
    IGNORE_ANNOTATION,
    IGNORE_REASON_ANNOTATION,
    REASON_TO_WRITE,
    Finding,
    Operation,
    Pointer,
    Rollout,
    Suggestion,
)
from gracegate.outputs.markdown import Section, code, code_block, page, prose, strikethrough, table
from gracegate.outputs.phrasing import (
    SEVERITY_MARKS,
    enumeration,
    has_advice,
    object_count,
    object_name,
    plural,
    reason,
    related_names,
    related_notes,
    remarks,
    sort_findings,
    step_action,
    tally,
    why_no_steps,
)
from gracegate.outputs.rollout_comment import rollout_section

_MARKER_LINE = re.compile(r"^<!-- gracegate:[^\n]*-->[ \t]*$", re.MULTILINE)
_SUGGESTION_FENCE = re.compile(r"^(`{3,})suggestion$", re.MULTILINE)
_RESOLVED = "✅"


def comment_body(
    findings: Sequence[Finding],
    suggestion: Suggestion | None,
    *,
    marker: str,
    others: Iterable[Finding] = (),
    rollouts: Iterable[Rollout] = (),
) -> str:
    """One comment about one place: a line per finding, then the fix, then the marker as the last line.

    Those of `others`, the report's findings, that the fix corrects too are named below it. Of the `rollouts` those are
    shown that lose less with all fixes of the report.
    """
    return _compose(_finding_lines(findings), findings, suggestion, marker, others, rollouts)


def updated_body(  # noqa: PLR0913
    old: str,
    findings: Sequence[Finding],
    resolved: int,
    *,
    commit: str,
    is_fixed: bool,
    marker: str,
    others: Iterable[Finding] = (),
    rollouts: Iterable[Rollout] = (),
) -> str:
    """An earlier comment of which `findings` are still open, and that many are resolved by `commit`.

    `is_fixed` is False where what was at fault is gone with its fault.
    The resolved lines are taken from the comment itself, because findings of earlier pushes are stored nowhere else.
    The fix is shown as a patch: the lines that a suggestion would replace may have moved.
    """
    lines = _finding_lines(findings)
    earlier = [line for line in _title_lines(old) if line not in lines]
    already_resolved = [line for line in earlier if line.startswith(_RESOLVED)]
    candidates = [line for line in earlier if line not in already_resolved]
    if len(candidates) != resolved:
        # An open finding may have a new text (another number of seconds, say): its old line is not a resolved one.
        candidates = [line for line in candidates if not any(code(f.rule) in line for f in findings)]
    if len(candidates) == resolved:
        newly_resolved = [_resolve(line, commit, is_fixed=is_fixed) for line in candidates]
    else:
        outcome = _outcome(commit, is_fixed=is_fixed)
        count = f"{plural(resolved, 'finding')} of this comment"
        newly_resolved = [f"{_RESOLVED} {count} {outcome[:1].lower()}{outcome[1:]}"]
    return _compose([*lines, *already_resolved, *newly_resolved], findings, None, marker, others, rollouts)


def resolved_body(old: str, *, commit: str, is_fixed: bool, marker: str) -> str:
    """An earlier comment whose findings are all resolved: each line says so, the rest is collapsed.

    For `is_fixed` see `updated_body`.
    """
    lines = _title_lines(old)
    resolved = [line if line.startswith(_RESOLVED) else _resolve(line, commit, is_fixed=is_fixed) for line in lines]
    rest = _MARKER_LINE.sub("", _unix_lines(old)).strip().split("\n")[len(lines) :]
    # The suggestion must not be applied a second time.
    text = _SUGGESTION_FENCE.sub(r"\1yaml", "\n".join(rest).strip())
    sections = [Section(["\n".join(resolved)]), *([Section([text], collapsed="Original comment")] if text else [])]
    return page(sections, GITHUB_COMMENT_BYTES, marker)


def review_body(
    findings: Iterable[Finding],
    comments: int,
    *,
    commit: str,
    uncommented: int = 0,
    details_url: str | None = None,
) -> str:
    """One to three sentences above the comments of a review; `findings` are those of its own comments.

    They are of `commit`, which is named: nobody counts again what later ones have fixed.
    `comments` is how many there are; `uncommented` is how many more findings would have a comment if the review were
    not full, or if their files were in the diff.
    """
    findings = list(findings)
    total = f"{tally(findings, ' and ')} in {plural(object_count(findings), 'workload')}"
    verified = "; every suggestion has been applied and re-checked" if any(f.suggestion for f in findings) else ""
    opening = f"At {commit[:7]}, **{total}** can drop requests during a rollout."
    return f"{opening} {comments_below(comments, uncommented, details_url, verified)}"


def comments_below(comments: int, uncommented: int, details_url: str | None, words: str = "") -> str:
    """How many comments a review has, with `words` on them, and where all findings are; see `review_body`."""
    more = f", {plural(uncommented, 'more finding')} in the check" if uncommented else ""
    link = f" [All findings]({details_url})" if details_url else ""
    return f"{plural(comments, 'comment')} below{more}{words}.{link}"


def finding_line(finding: Finding) -> str:
    """A finding in one line: severity mark, message, rule."""
    roots = f"In {enumeration(map(code, finding.roots))}." if finding.roots else ""
    parts = (SEVERITY_MARKS[finding.severity], prose(finding.message), roots, remarks(finding), rule_link(finding))
    return " ".join(filter(None, parts))


def rule_link(finding: Finding) -> str:
    """The rule's id, with a link to its page where that is served."""
    rule = code(finding.rule)
    return f"[{rule}]({finding.rule_url})" if finding.rule_url else rule


def related_line(findings: Iterable[Finding]) -> str:
    """The other objects that findings are about, with their places; empty if there are none."""
    names = ", ".join(f"{code(name)} ({code(where)})" for name, where in related_names(findings))
    return f"See also: {names}" if names else ""


def related_table(findings: Iterable[Finding]) -> str:
    """The numbers that a finding adds up, with their places; empty if there are none."""
    rows = [(prose(note), code(where)) for note, where in related_notes(findings)]
    return table(("What", "Where"), rows) if rows else ""


def fix_blocks(findings: Iterable[Finding], suggestion: Suggestion | None = None) -> list[str]:
    """How to fix findings, each text once: the verified patches that `suggestion` does not contain, and advice.

    What a verified fix changes besides is named too: nobody should have to look for it in the lines.
    """
    shown = list(findings)
    in_suggestion = suggestion.id if suggestion else None
    blocks = [b for f in shown for b in _fix_blocks(f, patch=in_suggestion is None or f.suggestion != in_suggestion)]
    unnamed = " ".join(_unnamed_changes(shown))
    blocks += [unnamed] if unnamed else []
    return list(dict.fromkeys(blocks))


def _fix_blocks(finding: Finding, *, patch: bool) -> Iterable[str]:
    fix, why = finding.fix, reason(finding.no_suggestion)
    if len(finding.steps) > 1:
        steps = "\n".join(f"{action.number}. {prose(step_action(action))}" for action in finding.steps)
        yield f"The same change in {len(finding.steps)} safe steps, each compared with the one before:\n\n{steps}"
    elif finding.steps:
        yield prose(step_action(finding.steps[0]))
    elif no_steps := why_no_steps(finding):
        yield no_steps
    if fix is None:
        return
    if fix.diff and patch:
        yield f"{why or 'This change fixes it.'}\n\n{code_block(fix.diff, 'diff')}"
    elif why:
        yield f"No suggestion: {why[:1].lower()}{why[1:]}"
    elif fix.patch and not fix.diff and patch:
        yield "A change to consider:\n\n" + "\n".join(f"- {_describe(operation)}" for operation in fix.patch)
    if fix.assumption:
        yield f"This is right if: {prose(fix.assumption)}"
    if fix.advice and has_advice(finding):
        # What follows the first line of an advice is a manifest to add.
        words, _, manifest = fix.advice.partition("\n")
        yield f"What to do: {prose(words)}" + (f"\n\n{code_block(manifest, 'yaml')}" if manifest else "")


def _describe(operation: Operation) -> str:
    path = code(".".join(map(str, operation.path)))
    if operation.op == "remove":
        return f"remove {path}"
    return f"set {path} to {code(json.dumps(operation.value, ensure_ascii=False, default=str))}"


def _unnamed_changes(findings: Sequence[Finding]) -> Iterable[str]:
    """A sentence for each field that the verified fixes change and that no message names."""
    messages = " ".join(finding.message for finding in findings)
    operations: dict[Pointer, Operation] = {}
    for operation in (o for f in findings if f.fix and f.fix.diff for o in f.fix.patch):
        known = operations.get(operation.path, operation)
        # Of two numbers for one field the larger one is written.
        is_larger = all(type(o.value) in {int, float} for o in (known, operation)) and operation.value > known.value
        operations[operation.path] = operation if is_larger else known
    for operation in operations.values():
        if not any(re.search(rf"\b{re.escape(key)}\b", messages) for key in _keys(operation)):
            why = f": {prose(operation.reason)}" if operation.reason else ""
            yield f"The fix {_describe_change(operation)}{why}."


def _keys(operation: Operation) -> Iterable[str]:
    """The field that an operation changes, with those below it as long as there is only one."""
    yield next((step for step in reversed(operation.path) if isinstance(step, str)), "")
    value = operation.value
    while isinstance(value, Mapping) and len(value) == 1:
        ((key, value),) = value.items()
        yield str(key)


def _describe_change(operation: Operation) -> str:
    path = code(_field(operation.path))
    if operation.op == "remove":
        return f"removes {path}"
    if isinstance(operation.value, Mapping | list):
        return f"{'adds' if operation.op == 'add' else 'changes'} {path}"
    return f"sets {path} to {_scalar(operation.value)}"


def _scalar(value: object) -> str:
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _field(path: Pointer) -> str:
    """The path inside the container or the spec, as `kubectl explain` would have it."""
    starts = [n + 1 for n, step in enumerate(path) if step == "spec" or (n and path[n - 1] in CONTAINER_LISTS)]
    inside = path[max(starts, default=0) :]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inside).removeprefix(".")


def _companions(findings: Sequence[Finding], others: Iterable[Finding]) -> Sequence[Finding]:
    """Those of `others` that the verified fixes of `findings` fix too, for which they are one edit."""
    ids, diffs = {f.id for f in findings}, {f.fix.diff for f in findings if f.fix and f.fix.diff}
    return sort_findings(f for f in others if f.id not in ids and f.fix is not None and f.fix.diff in diffs)


def _compose(
    lines: Sequence[str],
    findings: Sequence[Finding],
    suggestion: Suggestion | None,
    marker: str,
    others: Iterable[Finding],
    rollouts: Iterable[Rollout],
) -> str:
    companions = _companions(findings, others)
    blocks = [code_block(values) for values in dict.fromkeys(f.values for f in findings) if values]
    blocks += [block for block in (related_line(findings), related_table(findings)) if block]
    blocks += [code_block(suggestion.text, "suggestion")] if suggestion else []
    blocks += fix_blocks([*sort_findings(findings), *companions], suggestion)
    if companions:
        blocks.append("The fix also covers:\n\n" + "\n".join(f"- {finding_line(f)}" for f in companions))
    sections = [Section(["\n".join(lines)]), Section(blocks), rollout_section(rollouts)]
    if waivable := [finding for finding in findings if finding.is_waivable]:
        reasons = [*_reasons(waivable), *_owners(waivable), *_waiver(waivable)]
        sections.append(Section(reasons, collapsed="Why? Not a problem here?"))
    return page(sections, GITHUB_COMMENT_BYTES, marker)


def _reasons(findings: Iterable[Finding]) -> Iterator[str]:
    """What goes wrong at run time, once for each rule."""
    for finding in {finding.rule: finding for finding in sort_findings(findings)}.values():
        if finding.description:
            yield f"{rule_link(finding)}: {prose(' '.join(finding.description.split()))}"


def _owners(findings: Iterable[Finding]) -> list[str]:
    """Whom to ask about the rules that say so. In code spans: nobody is to be notified of each finding."""
    owners = dict.fromkeys(
        code(finding.owner.removeprefix("@")) for finding in sort_findings(findings) if finding.owner
    )
    return [f"Whom to ask: {enumeration(owners)}"] if owners else []


def _waiver(findings: Sequence[Finding]) -> Iterator[str]:
    """The annotation that waives exactly these findings of one object, to copy."""
    rules = ",".join(dict.fromkeys(finding.rule for finding in sort_findings(findings)))
    names = enumeration(dict.fromkeys(code(object_name(finding.object)) for finding in findings))
    yield f"Where that is fine, say so with an annotation of {names}. The check then lists it as waived."
    annotations = (f"{IGNORE_ANNOTATION}: {rules}", f"{IGNORE_REASON_ANNOTATION}: {REASON_TO_WRITE}")
    yield code_block("\n".join(["metadata:", "  annotations:", *(f"    {one}" for one in annotations)]), "yaml")
    first = sort_findings(findings)[0]
    command = f"/gracegate waive {first.rule} {object_name(first.object)} until <date> because <reason>"
    yield f"Or answer with {code(command)} for a waiver in {code(CONFIG_FILE)}."


def _finding_lines(findings: Iterable[Finding]) -> list[str]:
    return [finding_line(finding) for finding in sort_findings(findings)]


def _resolve(line: str, commit: str, *, is_fixed: bool) -> str:
    text = next((line.removeprefix(f"{mark} ") for mark in SEVERITY_MARKS.values() if line.startswith(mark)), line)
    return f"{_RESOLVED} {strikethrough(text)} {_outcome(commit, is_fixed=is_fixed)}"


def _outcome(commit: str, *, is_fixed: bool) -> str:
    return f"Fixed in {commit[:7]}." if is_fixed else f"No longer there in {commit[:7]}."


def _title_lines(body: str) -> list[str]:
    return _unix_lines(body).strip().split("\n\n", maxsplit=1)[0].split("\n")


def _unix_lines(body: str) -> str:
    # A browser that edits a comment leaves carriage returns.
    return body.replace("\r\n", "\n")
