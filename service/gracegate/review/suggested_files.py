"""The files of a pull request with the suggestions of its report, as one commit has them; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gracegate.model import Finding, Report, SourceFile, Suggestion, Tree
from gracegate.outputs import location, plural

HEADLINE = "Apply the suggestions of gracegate"
CHANGED = "its file changed after this check"
OVERLAPS = "it overlaps another one"
# What GitHub might read as a mention or as an order to close an issue is not written.
_PLAIN = re.compile(r"[\w./ -]{1,200}")


@dataclass(frozen=True, slots=True)
class SuggestedFiles:
    """New contents by path, the findings that they fix, and the suggestions that are left out, each with the reason."""

    files: Mapping[str, bytes]
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[Suggestion, str], ...]

    @property
    def count(self) -> int:
        """How many suggestions are in the files."""
        return len({finding.suggestion for finding in self.findings})


def apply_suggestions(report: Report, head: Tree, changed: frozenset[str]) -> SuggestedFiles:
    """All suggestions of the report in the files of `head`, of which the `changed` ones are others than those that the
    person has seen."""
    files: dict[str, bytes] = {}
    left_out: list[tuple[Suggestion, str]] = []
    applied: set[str] = set()
    by_file: dict[str, list[Suggestion]] = {}
    for suggestion in report.suggestions:
        by_file.setdefault(suggestion.file, []).append(suggestion)
    for path, suggestions in sorted(by_file.items()):
        source = head.files.get(path)
        if path in changed or source is None:
            left_out += [(one, CHANGED) for one in suggestions]
            continue
        kept = _without_overlaps(suggestions)
        left_out += [(one, OVERLAPS) for one in suggestions if one not in kept]
        files[path] = _replaced(source.data, kept)
        applied.update(one.id for one in kept)
    findings = tuple(f for f in report.findings if f.suggestion in applied)
    return SuggestedFiles(files, findings, tuple(left_out))


def with_files(tree: Tree, files: Mapping[str, bytes]) -> Tree:
    """The tree with these contents."""
    return replace(tree, files={**tree.files, **{path: SourceFile(path, data) for path, data in files.items()}})


def is_cured(before: Report, after: Report, fixed: Sequence[Finding]) -> bool:
    """Whether the second report, of the files with the suggestions, has none of the findings and no new one."""
    known, gone = {f.id for f in before.findings}, {f.id for f in fixed}
    left = [f for f in after.findings if f.severity != "info"]
    is_worse = after.verdict == "incomplete" and before.verdict != "incomplete"
    return not is_worse and all(f.id in known and f.id not in gone for f in left)


def commit_message(suggested: SuggestedFiles, sender: str) -> tuple[str, str]:
    """The headline and the body: the rules by file, and what was left out."""
    rules: dict[str, dict[str, None]] = {}
    for finding in suggested.findings:
        rules.setdefault(finding.file, {})[finding.rule] = None
    lines = [f"{_plain(path)}: {', '.join(names)}" for path, names in sorted(rules.items())]
    if suggested.left_out:
        places = (f"{_plain(one.file)}:{one.start_line}, {reason}" for one, reason in suggested.left_out)
        lines += ["", "Left out:", *places]
    return HEADLINE, "\n".join([*lines, "", f"Asked for by {_plain(sender)} with the button of the check."])


def applied_note(suggested: SuggestedFiles, commit: str) -> str:
    """What the check says afterwards."""
    places = (f'"{location(one.file, one.start_line)}", because {reason}' for one, reason in suggested.left_out)
    left_out = f" Left out: {'; '.join(places)}." if suggested.left_out else ""
    verb = "was" if suggested.count == 1 else "were"
    return f"{plural(suggested.count, 'suggestion')} {verb} committed as {commit[:7]}.{left_out}"


def _without_overlaps(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
    kept: list[Suggestion] = []
    for one in sorted(suggestions, key=lambda one: (one.start_line, one.end_line)):
        if not kept or kept[-1].end_line < one.start_line:
            kept.append(one)
    return kept


def _replaced(data: bytes, suggestions: Sequence[Suggestion]) -> bytes:
    lines = data.split(b"\n")
    for one in sorted(suggestions, key=lambda one: -one.start_line):
        # As on GitHub, an empty suggestion takes the lines away.
        lines[one.start_line - 1 : one.end_line] = one.text.encode().split(b"\n") if one.text else []
    return b"\n".join(lines)


def _plain(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else "a file with an unusual name"
