"""One review of one pull request: fetch, check, publish; and what is to be reviewed after a push."""

from __future__ import annotations

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
_OF_PLAYGROUND = frozenset({"OWN_RULE", "Playground", "PlaygroundJob", "PlaygroundRefused"})


def __getattr__(name: str) -> Any:
    # The sandboxed child imports this room too, and has no use for the clients of GitHub and git; nor has a page.
    if name == "read_page":
        from gracegate.review.report_pages import read_page  # noqa: PLC0415

        return read_page
    if name == "OwnRules":
        from gracegate.review.own_rules import OwnRules  # noqa: PLC0415

        return OwnRules
    if name in _OF_PLAYGROUND:
        from gracegate.review import playground  # noqa: PLC0415

        return getattr(playground, name)
    if name == "build_operator_client":
        from gracegate.review.operator_client import build_operator_client  # noqa: PLC0415

        return build_operator_client
    if name in {"StoredRecords", "build_policy_sets"}:
        from gracegate.review import policy_sets  # noqa: PLC0415

        return getattr(policy_sets, name)
    if name in __all__:
        from gracegate.review import run_reviewer  # noqa: PLC0415

        return getattr(run_reviewer, name)
    raise AttributeError(name)
