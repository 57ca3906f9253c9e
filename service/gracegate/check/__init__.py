"""The core: a pure function from trees, rules and configuration to a report."""

from __future__ import annotations

from gracegate.check.check import check
from gracegate.check.explain import Explained, explain, joined, waiving
from gracegate.check.fix import FixedFiles, fix_all
from gracegate.check.trees import CheckRequest

__all__ = [
    "CheckRequest",
    "Explained",
    "FixedFiles",
    "check",
    "explain",
    "fix_all",
    "joined",
    "waiving",
]
