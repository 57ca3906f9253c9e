"""Policies that were written for conftest or Gatekeeper, evaluated by the contract of gracegate's own rules. Pure."""

from __future__ import annotations

from gracegate.policy.foreign.conftest import (
    ALL_NAMESPACES,
    DEFAULT_NAMESPACES,
    RegoFile,
    combined_packages,
    conftest_rules,
    is_named,
    namespaces_of,
)
from gracegate.policy.foreign.engine import ForeignEngine, whole_document
from gracegate.policy.foreign.gatekeeper import GatekeeperPolicies, Skipped, chosen_by, gatekeeper_policies
from gracegate.policy.foreign.messages import Ask, Question, Said
from gracegate.policy.foreign.questions import PACKAGE, ForeignPolicies, ForeignRule, bundle_of

__all__ = [
    "ALL_NAMESPACES",
    "DEFAULT_NAMESPACES",
    "PACKAGE",
    "Ask",
    "ForeignEngine",
    "ForeignPolicies",
    "ForeignRule",
    "GatekeeperPolicies",
    "Question",
    "RegoFile",
    "Said",
    "Skipped",
    "bundle_of",
    "chosen_by",
    "combined_packages",
    "conftest_rules",
    "gatekeeper_policies",
    "is_named",
    "namespaces_of",
    "whole_document",
]
