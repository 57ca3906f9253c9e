"""The settings of a repository, as frozen records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gracegate.model import Gate, Profile, Severity
from gracegate.repo_config.globs import path_matcher


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """The settings of one rule; None keeps the rule's own severity or its own date."""

    severity: Severity | Literal["off"] | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    effective_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class ConfigWaiver:
    """Accepts the findings of `rules` (ids) that match all given globs, up to and including the day `until`."""

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
    """The settings of a repository; None or a missing entry means gracegate's default.

    `policies` are folders of policy sets, relative to the file that names them.
    """

    gate: Gate = "enforce"
    profile: Profile = "recommended"
    comments: Literal["introduced", "touched"] = "introduced"
    exclude: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    rules: Mapping[str, RuleConfig] = field(default_factory=dict)
    waivers: tuple[ConfigWaiver, ...] = ()
    annotation_waivers: bool = True
    min_minor: int | None = None
    drain_seconds: Mapping[str, int] = field(default_factory=dict)
    app_drain_seconds: int | None = None

    def excludes(self, path: str) -> bool:
        """Whether a file is not checked, by patterns as in .gitignore."""
        return bool(self.exclude) and path_matcher(self.exclude)(path)
