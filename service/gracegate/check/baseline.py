"""A baseline: findings that are accepted because they were there before, for trees without history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gracegate.check.compare import Comparison, pair_without_renames
from gracegate.check.matches import Identity, Match
from gracegate.errors import ConfigError
from gracegate.model import Confidence, ObjectRef, Problem, Status

VERSION = 1
"""Raised with every change after which an earlier gracegate would misread the file."""

_TOLD_FILES = 3


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """A match as a baseline has it; `holder` is the root of a rendered object, else its `file`."""

    id: str
    identity: Identity
    holder: str
    file: str
    confidence: Confidence
    measure: float | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What `file` accepts; its paths begin where those of the check do.

    Of what is not below `checked_paths` ("." for all) nobody knows whether it is gone.
    """

    file: str
    findings: tuple[KnownFinding, ...]
    checked_paths: tuple[str, ...] = (".",)

    def covers(self, path: str) -> bool:
        return any(name in {".", path} or path.startswith(f"{name}/") for name in self.checked_paths)


def known_findings(matches: Iterable[Match]) -> tuple[KnownFinding, ...]:
    """What a baseline keeps of matches, by file."""
    ordered = sorted(matches, key=lambda m: (m.document.path, m.document.number, m.violation.rule, m.holder, m.id))
    return tuple(
        KnownFinding(m.id, m.identity, m.holder, m.document.path, m.violation.confidence, m.violation.measure)
        for m in ordered
    )


def compare_with_baseline(baseline: Baseline, head: Sequence[Match]) -> tuple[Comparison, tuple[KnownFinding, ...]]:
    """The comparison of a head with what is accepted, and what of that it does not have.

    A finding got worse if its number did, or if it was only possible and is certain. Its level does not count: that is
    as the configuration has it today.
    """
    former, left = pair_without_renames(baseline.findings, head)
    return Comparison({match.id: _status(former.get(match.id), match) for match in head}, ()), tuple(left)


def _status(known: KnownFinding | None, match: Match) -> Status:
    if known is None:
        return "introduced"
    is_certain = known.confidence == "possible" and match.violation.confidence == "certain"
    old, new = known.measure, match.violation.measure
    return "worsened" if is_certain or (old is not None and new is not None and new > old) else "pre-existing"


def stale_baseline_problem(baseline: Baseline, gone: Iterable[KnownFinding]) -> Problem:
    """The note that a baseline accepts what is gone."""
    files = Counter(known.file for known in gone)
    number = files.total()
    told = ", ".join(f"`{file}`" for file, _ in files.most_common(_TOLD_FILES))
    more = f" and {len(files) - _TOLD_FILES} more files" if len(files) > _TOLD_FILES else ""
    findings = "1 finding of this baseline is" if number == 1 else f"{number:,} findings of this baseline are"
    message = (
        f"{findings} gone, in {told}{more}. Write it anew with `gracegate baseline`: "
        "what it accepts could come back unseen."
    )
    return Problem(baseline.file, 0, "stale_baseline", message, is_manifest=False)


def render_baseline(findings: Iterable[KnownFinding]) -> str:
    """The text of a baseline, a line for each finding, so that a diff shows what was added and removed."""
    lines = ",\n".join(f"    {json.dumps(_values(known))}" for known in findings)
    body = f"\n{lines}\n  " if lines else ""
    return f'{{\n  "gracegate_baseline": {VERSION},\n  "findings": [{body}]\n}}\n'


def _values(known: KnownFinding) -> Mapping[str, Any]:
    ref = known.identity.object
    optional = {
        "root": known.identity.root or None,
        "confidence": known.confidence if known.confidence == "possible" else None,
        "measure": known.measure,
    }
    return {
        "file": known.file,
        "rule": known.identity.rule,
        "object": [ref.group, ref.kind, ref.namespace, ref.name],
        "path": [*known.identity.path],
        **{key: value for key, value in optional.items() if value is not None},
    }


def parse_baseline(text: str, file: str) -> Baseline:
    """Raises ConfigError, with the line where that is known."""
    try:
        values = json.loads(text)
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise ConfigError(
            "this is not valid JSON; `gracegate baseline` writes a baseline", file=file, line=line
        ) from None
    version = values.get("gracegate_baseline") if isinstance(values, dict) else None
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        what = "is a baseline of a newer gracegate" if newer else "is no baseline"
        raise ConfigError(f"this {what}; `gracegate baseline` writes one", file=file)
    found = values.get("findings")
    try:
        findings = tuple(_known(number, one) for number, one in enumerate(found))
    except (KeyError, TypeError, ValueError):
        raise ConfigError("its findings cannot be read; write it anew with `gracegate baseline`", file=file) from None
    return Baseline(file, findings)


def _known(number: int, values: Mapping[str, Any]) -> KnownFinding:
    group, kind, namespace, name = map(_text, values["object"])
    path = tuple(map(_text, values["path"]))
    root, file = _text(values.get("root", "")), _text(values["file"])
    measure = values.get("measure")
    identity = Identity(_text(values["rule"]), ObjectRef(kind, namespace, name, group), path, root)
    confidence: Confidence = "possible" if values.get("confidence") == "possible" else "certain"
    return KnownFinding(
        str(number), identity, root or file, file, confidence, None if measure is None else float(measure)
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
