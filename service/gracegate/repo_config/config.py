"""The settings of a repository, frozen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gracegate.model import Gate, Profile, Severity
from gracegate.repo_config.globs import matchers


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """What configuration says of one rule; None leaves the rule's own severity, and its own day to be in force."""

    severity: Severity | Literal["off"] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    effective_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class ConfigWaiver:
    """Findings that are accepted: those of `rules` (ids) that every glob which is given matches, until that day."""

    rules: tuple[str, ...]
    reason: str
    line: int
    path: str | None = None
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None
    container: str | None = None
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class RepoConfig:
    """The settings of a repository; what is None or missing keeps gracegate's default."""

    gate: Gate = "enforce"
    profile: Profile = "recommended"
    comments: Literal["introduced", "touched"] = "introduced"
    exclude: tuple[str, ...] = ()
    rules: Mapping[str, RuleConfig] = field(default_factory=dict)
    waivers: tuple[ConfigWaiver, ...] = ()
    annotation_waivers: bool = True
    min_minor: int | None = None
    drain_seconds: Mapping[str, int] = field(default_factory=dict)
    app_drain_seconds: int | None = None

    def excluded(self, path: str) -> bool:
        """Whether `exclude` leaves a file out; the patterns are .gitignore's, the last one that matches decides."""
        verdict = False
        for pattern, leaves_out in matchers(self.exclude):
            if verdict != leaves_out and pattern.fullmatch(path):
                verdict = leaves_out
        return verdict
