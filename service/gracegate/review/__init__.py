"""One review of one pull request: fetch, check, publish; and what is to be reviewed after a push."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gracegate.review.operator_client import build_operator_client
    from gracegate.review.own_rules import OwnRules
    from gracegate.review.playground import OWN_RULE, Playground, PlaygroundJob, PlaygroundRefused
    from gracegate.review.policy_sets import StoredRecords, build_policy_sets
    from gracegate.review.report_pages import read_page
    from gracegate.review.run_reviewer import build_reconciler, build_reviewer

__all__ = [
    "OWN_RULE",
    "OwnRules",
    "Playground",
    "PlaygroundJob",
    "PlaygroundRefused",
    "StoredRecords",
    "build_operator_client",
    "build_policy_sets",
    "build_reconciler",
    "build_reviewer",
    "read_page",
]

_MODULES: Mapping[str, str] = {
    **dict.fromkeys(("OWN_RULE", "Playground", "PlaygroundJob", "PlaygroundRefused"), "playground"),
    **dict.fromkeys(("StoredRecords", "build_policy_sets"), "policy_sets"),
    **dict.fromkeys(("build_reconciler", "build_reviewer"), "run_reviewer"),
    "OwnRules": "own_rules",
    "build_operator_client": "operator_client",
    "read_page": "report_pages",
}
"""Where each name is. The sandboxed child imports this room too, and has no use for the clients of GitHub and git; nor
has a page."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"gracegate.review.{_MODULES[name]}"), name)
