"""GitHub, as a GitHub App sees it: tokens, pull requests, check runs and review comments."""

from __future__ import annotations

from gracegate.github_app import (
    app,
    app_manifest,
    checks,
    comments,
    commits,
    contents,
    conversation,
    deliveries,
    installations,
    merge_groups,
    pull_requests,
    threads,
    visibility,
)
from gracegate.github_app.auth import TokenBroker
from gracegate.github_app.client import (
    PUSH_PERMISSIONS,
    REVIEW_PERMISSIONS,
    AppClient,
    InstallationReader,
    RepositoryClient,
)
from gracegate.github_app.deliveries import HookDelivery
from gracegate.github_app.git_objects import GitObjects
from gracegate.github_app.installations import AccessibleRepository
from gracegate.github_app.pace import LocalWriteBudget, Pace, WriteBudget
from gracegate.github_app.pull_requests import PullRequest
from gracegate.github_app.users import Access, User, UserClient, UserToken
from gracegate.github_app.writes import RecordWrite, Write

__all__ = [
    "PUSH_PERMISSIONS",
    "REVIEW_PERMISSIONS",
    "Access",
    "AccessibleRepository",
    "AppClient",
    "GitObjects",
    "HookDelivery",
    "InstallationReader",
    "LocalWriteBudget",
    "Pace",
    "PullRequest",
    "RecordWrite",
    "RepositoryClient",
    "TokenBroker",
    "User",
    "UserClient",
    "UserToken",
    "Write",
    "WriteBudget",
    "app",
    "app_manifest",
    "checks",
    "comments",
    "commits",
    "contents",
    "conversation",
    "deliveries",
    "installations",
    "merge_groups",
    "pull_requests",
    "threads",
    "visibility",
]
