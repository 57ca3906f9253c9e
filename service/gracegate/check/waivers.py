"""Who accepts which finding, until when. Every waiver has a reason; one without is ignored and reported."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from gracegate.check.matches import Match, value_at
from gracegate.model import (
    CONFIG_FILE,
    IGNORE_ANNOTATION,
    IGNORE_REASON_ANNOTATION,
    REASON_TO_WRITE,
    Document,
    ObjectRef,
    Place,
    Pointer,
    Problem,
    Waiver,
)
from gracegate.repo_config import ConfigWaiver, RepoConfig

IGNORE_UNTIL = "gracegate.dev/ignore-until"

Locate = Callable[[Document, Pointer], tuple[str, Place]]

# The annotations of the object itself, of its Pod template, and of a CronJob's Pod template.
ANNOTATIONS: tuple[Pointer, ...] = (
    ("metadata", "annotations"),
    ("spec", "template", "metadata", "annotations"),
    ("spec", "jobTemplate", "spec", "template", "metadata", "annotations"),
)


class IgnoreAnnotation(NamedTuple):
    """One `gracegate.dev/ignore` annotation; `until` is its text, which may not be a date."""

    pointer: Pointer
    rules: frozenset[str]
    reason: str | None
    until: str | None


def find_waiver(match: Match, config: RepoConfig, locate: Locate, today: dt.date) -> Waiver | None:
    """The waiver that covers a match: the configuration's first, then the object's own annotations."""
    for waiver in config.waivers:
        if (waiver.until is None or today <= waiver.until) and _covers(waiver, match):
            until = None if waiver.until is None else waiver.until.isoformat()
            return Waiver("config", waiver.reason, CONFIG_FILE, waiver.line, until)
    for annotation in ignore_annotations(match.document):
        if (
            match.violation.rule in annotation.rules
            and annotation.reason
            and _why_ignored(annotation, config, today) is None
        ):
            file, place = locate(match.document, (*annotation.pointer, IGNORE_ANNOTATION))
            return Waiver("annotation", annotation.reason, file, place.line, annotation.until)
    return None


def annotation_problems(
    documents: Iterable[Document], config: RepoConfig, rules: Collection[str], locate: Locate, today: dt.date
) -> Iterable[Problem]:
    """Annotations that waive nothing: they have no reason, are out of date, or the base forbids them.

    And those that name something else than one of the `rules` (ids).
    """
    for document in documents:
        for annotation in ignore_annotations(document):
            why = _why_ignored(annotation, config, today)
            messages = (
                [f"The annotation {IGNORE_ANNOTATION} is ignored: {why}."] if why else _unknown_rules(annotation, rules)
            )
            for message in messages:
                file, place = locate(document, (*annotation.pointer, IGNORE_ANNOTATION))
                yield Problem(file, place.line, "waiver", message, False)


def ignore_annotations(document: Document) -> Iterable[IgnoreAnnotation]:
    """The annotations of a document that ask for a waiver."""
    for pointer in ANNOTATIONS:
        annotations = value_at(document.object, pointer)
        if isinstance(annotations, Mapping) and isinstance(annotations.get(IGNORE_ANNOTATION), str):
            rules = frozenset(rule.strip() for rule in annotations[IGNORE_ANNOTATION].split(",") if rule.strip())
            reason, until = (_text(annotations.get(key)) for key in (IGNORE_REASON_ANNOTATION, IGNORE_UNTIL))
            reason = None if reason == REASON_TO_WRITE else reason
            yield IgnoreAnnotation(pointer, rules, reason, until)


def _why_ignored(annotation: IgnoreAnnotation, config: RepoConfig, today: dt.date) -> str | None:
    if not config.annotation_waivers:
        return "the base branch's .gracegate.yaml forbids waivers by annotation"
    if not annotation.reason:
        return f"it has no reason; add one with {IGNORE_REASON_ANNOTATION}"
    if annotation.until is None:
        return None
    try:
        until = dt.date.fromisoformat(annotation.until)
    except ValueError:
        return f"{IGNORE_UNTIL} is not a date, write it as 2026-12-31"
    return f"it ended on {annotation.until}" if today > until else None


def _unknown_rules(annotation: IgnoreAnnotation, rules: Collection[str]) -> list[str]:
    messages = []
    for name in sorted(annotation.rules.difference(rules)):
        near = get_close_matches(name, rules, n=1)
        hint = f", did you mean {near[0]}?" if near else "; `gracegate rules` lists them."
        # Any other text is of no use in a message.
        shown = name if re.fullmatch(r"[\w.-]{1,60}", name) else "something else"
        messages.append(f"The annotation {IGNORE_ANNOTATION} names {shown}, which is no rule{hint}")
    return messages


def _covers(waiver: ConfigWaiver, match: Match) -> bool:
    """Whether a waiver means the object of a match, as it is rendered or as its source has it."""
    return any(_names(waiver, match, ref) for ref in (match.document.ref, match.document.source_ref))


def _names(waiver: ConfigWaiver, match: Match, ref: ObjectRef) -> bool:
    conditions: tuple[tuple[str | None, str], ...] = (
        (waiver.path, match.document.path),
        (waiver.kind, ref.kind),
        (waiver.namespace, ref.namespace),
        (waiver.name, ref.name),
        (waiver.container, match.container or ""),
    )
    return match.violation.rule in waiver.rules and all(
        pattern is None or fnmatchcase(value, pattern) for pattern, value in conditions
    )


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
