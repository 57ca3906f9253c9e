"""Who may be silent about what, until when. Every waiver gives a reason; one without is named and does not count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from gracegate.check.matches import Match, follow
from gracegate.model import Document, Place, Pointer, Problem, Waiver
from gracegate.repo_config import CONFIG_FILE, ConfigWaiver, RepoConfig

IGNORE = "gracegate.dev/ignore"
REASON = "gracegate.dev/ignore-reason"
UNTIL = "gracegate.dev/ignore-until"

Locate = Callable[[Document, Pointer], Place]

# Where annotations of an object stand: on itself, on its Pod template, on a CronJob's Pod template.
ANNOTATIONS: tuple[Pointer, ...] = (
    ("metadata", "annotations"),
    ("spec", "template", "metadata", "annotations"),
    ("spec", "jobTemplate", "spec", "template", "metadata", "annotations"),
)


def waiver_of(sighting: Match, config: RepoConfig, locate: Locate, today: dt.date) -> Waiver | None:
    """The waiver that covers a finding: the base's configuration first, then the object's own annotations."""
    for entry in config.waivers:
        if _in_time(entry.until, today) and _covers(entry, sighting):
            until = None if entry.until is None else entry.until.isoformat()
            return Waiver("config", entry.reason, CONFIG_FILE, entry.line, until)
    if not config.annotation_waivers:
        return None
    return next(
        (
            Waiver(
                "annotation", reason, sighting.document.path, locate(sighting.document, (*pointer, IGNORE)).line, until
            )
            for pointer, rules, reason, until in annotated(sighting.document)
            if sighting.violation.rule in rules and reason and _annotation_in_time(until, today)
        ),
        None,
    )


def annotation_problems(
    documents: Iterable[Document], config: RepoConfig, locate: Locate, today: dt.date
) -> Iterable[Problem]:
    """Annotations that would waive and do not: without a reason, out of time, or forbidden by the base."""
    for document in documents:
        for pointer, _, reason, until in annotated(document):
            why = _why_not(reason, until, config, today)
            if why is not None:
                line = locate(document, (*pointer, IGNORE)).line
                yield Problem(document.path, line, "waiver", f"The annotation {IGNORE} is ignored: {why}.", False)


def annotated(document: Document) -> Iterable[tuple[Pointer, frozenset[str], str | None, str | None]]:
    """Each set of annotations with our key: where it stands, the rule ids, the reason, the end as it is written."""
    for pointer in ANNOTATIONS:
        annotations = follow(document.object, pointer)
        if isinstance(annotations, Mapping) and isinstance(annotations.get(IGNORE), str):
            rules = frozenset(rule.strip() for rule in annotations[IGNORE].split(",") if rule.strip())
            yield pointer, rules, _text(annotations.get(REASON)), _text(annotations.get(UNTIL))


def _why_not(reason: str | None, until: str | None, config: RepoConfig, today: dt.date) -> str | None:
    if not config.annotation_waivers:
        return "the base branch's .gracegate.yaml forbids waivers by annotation"
    if not reason:
        return f"it needs a reason, write one as {REASON}"
    if until is not None and _date(until) is None:
        return f"{UNTIL} is not a date, write it as 2026-12-31"
    if not _annotation_in_time(until, today):
        return f"it ended on {until}"
    return None


def _covers(entry: ConfigWaiver, sighting: Match) -> bool:
    ref = sighting.document.ref
    wanted: tuple[tuple[str | None, str], ...] = (
        (entry.path, sighting.document.path),
        (entry.kind, ref.kind),
        (entry.namespace, ref.namespace),
        (entry.name, ref.name),
        (entry.container, sighting.container or ""),
    )
    return sighting.violation.rule in entry.rules and all(
        pattern is None or fnmatchcase(value, pattern) for pattern, value in wanted
    )


def _in_time(until: dt.date | None, today: dt.date) -> bool:
    # The day that is named still counts.
    return until is None or today <= until


def _annotation_in_time(until: str | None, today: dt.date) -> bool:
    if until is None:
        return True
    end = _date(until)
    return end is not None and _in_time(end, today)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None
