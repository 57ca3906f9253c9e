"""The bodies of review comments and of the review itself, in GitHub's Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence

from gracegate.model import GITHUB_COMMENT_BYTES, Finding, Operation, Report, Suggestion
from gracegate.outputs.markdown import Section, code, fence, page, prose, strike
from gracegate.outputs.phrasing import MARKS, objects, ordered, plural, reason, remarks, tally

RuleLink = Callable[[str], str]
"""The address of a rule's page by its id."""


def rule_link(pages: str | None) -> RuleLink | None:
    """Links below the address of the rules' pages (policies/pages); None where nobody serves them."""
    return None if pages is None else lambda rule: f"{pages}/{rule}.md"


_MARKER_LINE = re.compile(r"^<!-- gracegate:[^\n]*-->[ \t]*$", re.MULTILINE)
_SUGGESTION_FENCE = re.compile(r"^(`{3,})suggestion$", re.MULTILINE)
_FIXED = "✅"


def comment_body(
    findings: Sequence[Finding], suggestion: Suggestion | None, *, marker: str, link: RuleLink | None = None
) -> str:
    """One comment about one place: a line per finding, then the change that fixes them, the marker last."""
    return _body(_titles(findings, link), findings, suggestion, marker)


def revised_body(
    old: str, findings: Sequence[Finding], gone: int, *, commit: str, marker: str, link: RuleLink | None = None
) -> str:
    """An earlier comment of which `findings` are left and `gone` are fixed: those lines are struck.

    They are taken from the comment itself, for nobody else remembers findings of an earlier push. What is left is
    shown as a patch, since the lines that a suggestion would replace may have moved.
    """
    titles = _titles(findings, link)
    former = [line for line in _title_lines(old) if line not in titles]
    struck = [line for line in former if line.startswith(_FIXED)]
    open_lines = [line for line in former if line not in struck]
    return _body([*titles, *struck, *_gone(open_lines, findings, gone, commit)], findings, None, marker)


def _gone(lines: Sequence[str], findings: Sequence[Finding], gone: int, commit: str) -> Iterable[str]:
    if len(lines) != gone:
        # A finding that stays may say another number of seconds now: its line is not the one to strike.
        lines = [line for line in lines if not any(code(f.rule) in line for f in findings)]
    if len(lines) != gone:
        return [f"{_FIXED} {plural(gone, 'finding')} of this comment fixed in {commit[:7]}."]
    return [_struck(line, commit) for line in lines]


def fixed_body(old: str, *, commit: str, marker: str) -> str:
    """An earlier comment whose findings are all gone: its lines struck, the rest of it collapsed."""
    titles = _title_lines(old)
    struck = [line if line.startswith(_FIXED) else _struck(line, commit) for line in titles]
    rest = _MARKER_LINE.sub("", _normal(old)).strip().split("\n")[len(titles) :]
    # Nobody can apply a suggestion that is fixed already.
    text = _SUGGESTION_FENCE.sub(r"\1yaml", "\n".join(rest).strip())
    sections = [Section(["\n".join(struck)]), *([Section([text], collapsed="What it said")] if text else [])]
    return page(sections, GITHUB_COMMENT_BYTES, marker)


def review_body(report: Report, inline: int, *, uncommented: int = 0, details_url: str | None = None) -> str:
    """One to three sentences above the comments: `inline` is how many the review has, `uncommented` how many findings
    would have got one too if the review were not full, or their file were in the diff."""
    findings = ordered(f for f in report.findings if f.counts)
    check = f"[check]({details_url})" if details_url else "check"
    workloads = plural(objects(findings), "workload")
    said = f"This pull request introduces **{tally(findings, ' and ')}** in {workloads}."
    more = plural(uncommented, "more finding")
    rest = f"for {more} see the {check}" if uncommented else f"everything else is in the {check}"
    where = f"{plural(inline, 'comment')} below; {rest}." if inline else f"See the {check}."
    suggested = any(f.suggestion for f in findings)
    proof = "Each suggested change was applied and evaluated again before it was posted." if suggested else ""
    return " ".join(sentence for sentence in (said, where, proof) if sentence)


def finding_line(finding: Finding, link: RuleLink | None = None) -> str:
    """A finding in one line: mark, message, rule."""
    rule = code(finding.rule)
    linked = f"[{rule}]({link(finding.rule)})" if link else rule
    said = " ".join(filter(None, (prose(finding.message), remarks(finding))))
    return f"{MARKS[finding.severity]} {said} {linked}"


def change_blocks(findings: Iterable[Finding], suggestion: Suggestion | None = None) -> list[str]:
    """What to do about findings, each thing once: the proved patches that `suggestion` does not hold, and advice."""
    held = suggestion.id if suggestion else None
    blocks = [block for f in findings for block in _blocks(f, patch=held is None or f.suggestion != held)]
    return list(dict.fromkeys(blocks))


def _blocks(finding: Finding, *, patch: bool) -> Iterable[str]:
    fix = finding.fix
    if fix is None:
        return
    if fix.diff and patch:
        yield f"{reason(finding.no_suggestion) or 'This change fixes it.'}\n\n{fence(fix.diff, 'diff')}"
    elif reason(finding.no_suggestion):
        yield f"No change is suggested: {_lowered(reason(finding.no_suggestion))}"
    elif fix.patch and not fix.diff and patch:
        yield "A change to consider:\n\n" + "\n".join(f"- {_step(operation)}" for operation in fix.patch)
    if fix.assumption:
        yield f"This is right if: {prose(fix.assumption)}"
    if fix.advice:
        yield _advice(fix.advice)


def _advice(advice: str) -> str:
    # What follows the first line is a manifest to add.
    words, _, manifest = advice.partition("\n")
    shown = f"What to do: {prose(words)}"
    return f"{shown}\n\n{fence(manifest, 'yaml')}" if manifest else shown


def _step(operation: Operation) -> str:
    path = code(".".join(map(str, operation.path)))
    if operation.op == "remove":
        return f"remove {path}"
    value = code(json.dumps(operation.value, ensure_ascii=False, default=str))
    return f"set {path} to {value}"


def _body(titles: Sequence[str], findings: Sequence[Finding], suggestion: Suggestion | None, marker: str) -> str:
    blocks = [fence(suggestion.text, "suggestion")] if suggestion else []
    blocks += change_blocks(ordered(findings), suggestion)
    return page([Section(["\n".join(titles)]), Section(blocks)], GITHUB_COMMENT_BYTES, marker)


def _titles(findings: Iterable[Finding], link: RuleLink | None) -> list[str]:
    return [finding_line(finding, link) for finding in ordered(findings)]


def _struck(line: str, commit: str) -> str:
    said = next((line.removeprefix(f"{mark} ") for mark in MARKS.values() if line.startswith(mark)), line)
    return f"{_FIXED} {strike(said)} Fixed in {commit[:7]}."


def _title_lines(body: str) -> list[str]:
    return _normal(body).strip().split("\n\n", maxsplit=1)[0].split("\n")


def _normal(body: str) -> str:
    return body.replace("\r\n", "\n")


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
