"""What the fake remembers. Mutable on purpose: it is the state of a server, guarded by one lock."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fakegithub.diff import FileChange, PatchLine, Side, line_after
from fakegithub.gitdir import GitDir

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
"""What a new App is granted."""
EVENTS = ("check_run", "check_suite", "merge_group", "pull_request", "push")
PASSING = frozenset(["success", "neutral", "skipped"])


class Clock:
    """The time of the fake, in seconds since the epoch: the real one, moved by `advance`."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def iso(self, seconds: float | None = None) -> str:
        """Whole seconds, as GitHub writes them."""
        return datetime.fromtimestamp(self.now() if seconds is None else seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class App:
    """The GitHub App under test; `private_key` and `public_key` are PEM texts."""

    id: int
    slug: str
    name: str
    private_key: str
    public_key: str
    webhook_secret: str
    permissions: dict[str, str]
    created_at: str
    owner: str = "gracegate-dev"

    @property
    def client_id(self) -> str:
        return f"Iv23li{self.id:014d}"

    @property
    def login(self) -> str:
        return f"{self.slug}[bot]"


@lru_cache(maxsize=1)
def app_key() -> tuple[str, str]:
    """The App's key, the same for every fake of a process: a new one takes a tenth of a second."""
    return new_key()


def new_key() -> tuple[str, str]:
    """A private and a public key, in the formats in which GitHub hands them out and keeps them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@dataclass
class Installation:
    """Of the App on one account; it sees the repositories of that account unless `repository_ids` lists some."""

    id: int
    account: str
    permissions: dict[str, str]
    created_at: str
    repository_ids: set[int] | None = None
    suspended_at: str | None = None


@dataclass(frozen=True)
class Token:
    """An installation token; `expires` is in seconds of the fake's clock."""

    value: str
    installation_id: int
    repository_ids: frozenset[int]
    permissions: Mapping[str, str]
    expires: float


@dataclass
class Repository:
    id: int
    owner: str
    name: str
    git: GitDir
    default_branch: str
    private: bool
    created_at: str
    parent: Repository | None = None
    next_number: int = 1
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    required_checks: dict[str, set[str]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def branch(self, name: str) -> str | None:
        return self.git.resolve(f"refs/heads/{name}")


@dataclass
class PullRequest:
    """While it is open its head follows the branch; `head_sha` and `base_sha` are those of the last event."""

    id: int
    number: int
    title: str
    body: str | None
    author: str
    base: Repository
    base_ref: str
    head: Repository
    head_ref: str
    head_sha: str
    base_sha: str
    created_at: str
    updated_at: str
    draft: bool = False
    state: str = "open"
    closed_at: str | None = None
    merged_at: str | None = None
    merged_by: str | None = None
    merge_commit_sha: str | None = None
    reviews: list[Review] = field(default_factory=list)
    comments: list[ReviewComment] = field(default_factory=list)
    issue_comments: list[IssueComment] = field(default_factory=list)

    @property
    def merge_base(self) -> str:
        """Where the branches parted; the base itself where they share no history (a shallow copy)."""
        return self.base.git.merge_base(self.base_sha, self.head_sha) or self.base_sha

    @property
    def changes(self) -> list[FileChange]:
        return self.base.git.changes(self.merge_base, self.head_sha)

    def change(self, path: str) -> FileChange | None:
        return next((change for change in self.changes if change.path == path), None)


@dataclass
class Review:
    id: int
    author: str
    body: str
    state: str
    commit_id: str
    submitted_at: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a comment points to, in the diff of its commit; a comment on a whole file has no `line`."""

    path: str
    side: Side = "RIGHT"
    line: int | None = None
    start_line: int | None = None
    start_side: Side | None = None

    @property
    def subject_type(self) -> str:
        return "file" if self.line is None else "line"


@dataclass
class ReviewComment:
    id: int
    author: str
    body: str
    anchor: Anchor
    commit_id: str
    diff_hunk: str
    position: int | None
    review_id: int
    created_at: str
    updated_at: str
    in_reply_to: int | None = None

    def line_now(self, pull: PullRequest, line: int | None) -> int | None:
        """The line in the diff of today, None if a push changed it or took it out of the diff (outdated)."""
        change = pull.change(self.anchor.path)
        if line is None or change is None:
            return None
        if self.anchor.side == "RIGHT" and self.commit_id != pull.head_sha:
            moved = line_after(pull.base.git.patch_between(self.commit_id, pull.head_sha, self.anchor.path), line)
            line = moved or 0
        return line if change.find(self.anchor.side, line) else None

    def place(self, pull: PullRequest) -> tuple[int | None, PatchLine | None]:
        """Today's line and the line of the patch it is, (None, None) for a file's or an outdated comment."""
        line = self.line_now(pull, self.anchor.line)
        change = pull.change(self.anchor.path)
        return line, change.find(self.anchor.side, line) if change and line else None


@dataclass
class IssueComment:
    id: int
    author: str
    body: str
    created_at: str
    updated_at: str


@dataclass
class CheckRun:
    id: int
    repository: Repository
    suite_id: int
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)


@dataclass
class CheckSuite:
    """All runs of the App on one commit."""

    id: int
    repository: Repository
    head_sha: str
    created_at: str


@dataclass
class Status:
    id: int
    repository: Repository
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: str


@dataclass
class Delivery:
    """One attempt to deliver an event; attempts of one event share `guid`."""

    id: int
    guid: str
    event: str
    action: str | None
    payload: dict[str, Any]
    body: bytes
    headers: dict[str, str]
    delivered_at: str
    redelivery: bool
    installation_id: int | None
    repository_id: int | None
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    response: str = ""


class World:
    """Everything the fake knows; handlers hold `lock` while they read or write it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.clock = Clock()
        self._ids = itertools.count(1001)
        private, public = app_key()
        now = self.clock.iso()
        self.app = App(424242, "gracegate", "gracegate", private, public, "a webhook secret", dict(PERMISSIONS), now)
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[int, Repository] = {}
        self.check_runs: dict[int, CheckRun] = {}
        self.check_suites: dict[int, CheckSuite] = {}
        self.statuses: list[Status] = []
        self.deliveries: list[Delivery] = []
        self.people: dict[str, str] = {}
        """Permission of a human by login; whoever is not listed may write."""
        self.base_url = ""

    def new_id(self) -> int:
        return next(self._ids)

    def repository(self, full_name: str) -> Repository | None:
        wanted = full_name.lower()
        return next((one for one in self.repositories.values() if one.full_name.lower() == wanted), None)

    def installation_of(self, repository: Repository) -> Installation | None:
        """The installation that covers the repository, if the App is installed there."""
        for one in self.installations.values():
            if one.account == repository.owner and (one.repository_ids is None or repository.id in one.repository_ids):
                return one
        return None

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
        """The open pull requests with that head whose branch is in the repository itself (forks are not told)."""
        return [
            p for p in repository.pulls.values() if p.state == "open" and p.head_sha == sha and p.head is repository
        ]

    def blocking(self, pull: PullRequest) -> list[str]:
        """The required checks of the base branch whose newest run or status has not passed."""
        required = pull.base.required_checks.get(pull.base_ref, set())
        runs = {run.name: run.conclusion for run in self.runs(pull.base, pull.head_sha, latest=True)}
        told = {one.context: one.state for one in self.statuses if one.sha == pull.head_sha}
        return sorted(name for name in required if runs.get(name, told.get(name)) not in PASSING)
