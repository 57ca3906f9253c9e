"""The database: deliveries, newest heads, runs, verdicts, reviews, rate limits, sessions and the audit log."""

from __future__ import annotations

from gracegate.store import (
    audit,
    deliveries,
    executors,
    policy_rules,
    policy_sets,
    reports,
    repositories,
    retention,
    reviews,
    runs,
    sessions,
    shared_tasks,
    sweeps,
    verdicts,
    write_budgets,
)
from gracegate.store.audit import AuditFilter, AuditRow
from gracegate.store.database import (
    DatabaseUnavailable,
    Store,
    Transaction,
    sqlite_file,
    translate_errors,
    url_without_password,
)
from gracegate.store.deliveries import (
    BaseBranch,
    ChangedPolicies,
    CommentCommand,
    Delivery,
    FixRequest,
    MergeGroup,
    PolicyImpactRun,
    PullHead,
    Subject,
)
from gracegate.store.reports import StoredReport
from gracegate.store.repositories import KnownRepository, ReviewedRepository
from gracegate.store.retention import Keep
from gracegate.store.reviews import RecordedFinding, RecordedReview, RecordedWaiver
from gracegate.store.runs import Cost, HeldRun, ListedRun, Outcome, Run, RunStatus
from gracegate.store.sessions import StoredSession
from gracegate.store.sweeps import Candidate, FailedDelivery, GroupCandidate
from gracegate.store.tables import CANCELLED, DEAD, DONE, SUPERSEDED, WAITING
from gracegate.store.verdicts import Sibling

__all__ = [
    "CANCELLED",
    "DEAD",
    "DONE",
    "SUPERSEDED",
    "WAITING",
    "AuditFilter",
    "AuditRow",
    "BaseBranch",
    "Candidate",
    "ChangedPolicies",
    "CommentCommand",
    "Cost",
    "DatabaseUnavailable",
    "Delivery",
    "FailedDelivery",
    "FixRequest",
    "GroupCandidate",
    "HeldRun",
    "Keep",
    "KnownRepository",
    "ListedRun",
    "MergeGroup",
    "Outcome",
    "PolicyImpactRun",
    "PullHead",
    "RecordedFinding",
    "RecordedReview",
    "RecordedWaiver",
    "ReviewedRepository",
    "Run",
    "RunStatus",
    "Sibling",
    "Store",
    "StoredReport",
    "StoredSession",
    "Subject",
    "Transaction",
    "audit",
    "deliveries",
    "executors",
    "policy_rules",
    "policy_sets",
    "reports",
    "repositories",
    "retention",
    "reviews",
    "runs",
    "sessions",
    "shared_tasks",
    "sqlite_file",
    "sweeps",
    "translate_errors",
    "url_without_password",
    "verdicts",
    "write_budgets",
]
