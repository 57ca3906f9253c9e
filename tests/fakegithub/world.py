"""Everything that one fake remembers, guarded by one lock."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakegithub.state import (
    App,
    Authorization,
    CheckRun,
    CheckSuite,
    Clock,
    Delivery,
    Installation,
    PullRequest,
    Repository,
    Status,
    Token,
    UserToken,
    app_key,
)

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "issues": "read",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
"""What a new App is granted."""
EVENTS = [
    "check_run",
    "check_suite",
    "issue_comment",
    "merge_group",
    "pull_request",
    "pull_request_review_comment",
    "push",
    "repository",
]
"""What a new App is subscribed to."""
PASSING = frozenset(["success", "neutral", "skipped"])
"""The conclusions with which a required check lets a merge through."""


class World:
    """Everything the fake knows; handlers hold `lock` while they read or write it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.clock = Clock()
        self._ids = itertools.count(1001)
        private, public = app_key()
        now = self.clock.iso()
        secret, permissions = "a webhook secret", dict(PERMISSIONS)
        self.app = App(424242, "gracegate", "gracegate", private, public, secret, permissions, list(EVENTS), now)
        self.manifests: dict[str, tuple[float, Mapping[str, Any]]] = {}
        """When each manifest was posted, and the manifest, by the code that is exchanged for its App."""
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[int, Repository] = {}
        self.moved: dict[str, int] = {}
        """The ids of repositories by the full names, in lower case, that they had before."""
        self.check_runs: dict[int, CheckRun] = {}
        self.check_suites: dict[int, CheckSuite] = {}
        self.statuses: list[Status] = []
        self.deliveries: list[Delivery] = []
        self.people: dict[str, str] = {}
        """Permission of a human by login; whoever is not listed may write."""
        self.collaborators: dict[int, dict[str, str]] = {}
        """The same by the id of a repository, where it is another one there."""
        self.authorizations: dict[str, Authorization] = {}
        """By the code that is exchanged for a token."""
        self.user_tokens: dict[str, UserToken] = {}
        self.base_url = ""

    def new_id(self) -> int:
        return next(self._ids)

    def repository(self, full_name: str) -> Repository | None:
        wanted = full_name.lower()
        return next((one for one in self.repositories.values() if one.full_name.lower() == wanted), None)

    def moved_repository(self, full_name: str) -> Repository | None:
        """The repository that had this name and has another one now."""
        number = self.moved.get(full_name.lower())
        return None if number is None or self.repository(full_name) else self.repositories.get(number)

    def installation_of(self, repository: Repository) -> Installation | None:
        """The installation that covers the repository, if the App is installed there."""
        for one in self.installations.values():
            if one.account == repository.owner and (one.repository_ids is None or repository.id in one.repository_ids):
                return one
        return None

    def permission(self, repository: Repository, login: str) -> str:
        """What a human may do in a repository: none, read, write or admin."""
        return self.collaborators.get(repository.id, {}).get(login) or self.people.get(login, "write")

    def repositories_of(self, installation: Installation) -> list[Repository]:
        return [one for one in self.repositories.values() if self.installation_of(one) is installation]

    def suite(self, repository: Repository, sha: str) -> CheckSuite:
        for one in self.check_suites.values():
            if (one.repository, one.head_sha) == (repository, sha):
                return one
        made = CheckSuite(self.new_id(), repository, sha, self.clock.iso())
        self.check_suites[made.id] = made
        return made

    def runs(self, repository: Repository, sha: str, *, latest: bool = False) -> list[CheckRun]:
        """The check runs of a commit, newest first; `latest`: only the newest of each name."""
        found = [one for one in self.check_runs.values() if one.repository is repository and one.head_sha == sha]
        found.sort(key=lambda run: -run.id)
        if not latest:
            return found
        names = dict.fromkeys(run.name for run in found)
        return [next(run for run in found if run.name == name) for name in names]

    def pulls_at(self, repository: Repository, sha: str) -> list[PullRequest]:
        """The open pull requests with that head whose branch is in the repository itself, not in a fork."""
        return [
            p for p in repository.pulls.values() if p.state == "open" and p.head_sha == sha and p.head is repository
        ]

    def blocking(self, pull: PullRequest) -> dict[str, str]:
        """What GitHub says of each required check of the base branch whose newest run or status has not passed."""
        return self.blocking_at(pull.base, pull.base_ref, pull.head_sha)

    def blocking_at(self, repository: Repository, base_ref: str, sha: str) -> dict[str, str]:
        """The same for a commit that is to be merged into a branch."""
        required = repository.required_checks.get(base_ref, set())
        states = {one.context: one.state for one in self.statuses if one.sha == sha}
        newest = self.runs(repository, sha, latest=True)
        states |= {run.name: run.conclusion or "pending" for run in newest}
        words = {name: "expected" if name not in states else _word(states[name]) for name in sorted(required)}
        return {name: word for name, word in words.items() if word}


def _word(state: str) -> str:
    """GitHub's word for a required check in this state, "" if it passed."""
    if state in PASSING:
        return ""
    return "in progress" if state == "pending" else "failing"
