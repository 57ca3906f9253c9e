"""The nouns of the fake: what there is on a GitHub. Mutable on purpose: it is the state of a server (see world.py)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakegithub.diff import FileChange, PatchLine, Side, line_after
from tests.fakegithub.gitdiff import patch_between
from tests.fakegithub.gitdir import GitDir


class Clock:
    """The time of the fake, in seconds since the epoch: the real one, moved by `advance`."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def iso(self, seconds: float | None = None) -> str:
        """Without fractions of a second, as GitHub writes it."""
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
    events: list[str]
    created_at: str
    owner: str = "gracegate-dev"
    webhook_content_type: str = "json"
    webhook_insecure_ssl: str = "0"
    client_secret: str = "a client secret"
    callback_urls: tuple[str, ...] = ("http://127.0.0.1/sign-in/callback",)
    user_tokens_expire: bool = True

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


@dataclass(frozen=True)
class Authorization:
    """A person's consent, which a code stands for; `challenge` is that of PKCE, "" without."""

    login: str
    redirect_uri: str
    challenge: str
    created_at: float


@dataclass(frozen=True)
class UserToken:
    """A token with which the App acts for a person; `expires` is in seconds of the fake's clock, None for never."""

    value: str
    login: str
    expires: float | None


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
    is_deleted: bool = False
    next_number: int = 1
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    required_checks: dict[str, set[str]] = field(default_factory=dict)
    merge_queue: list[MergeGroup] = field(default_factory=list)
    """In the order in which they are to be merged; each is built on the one before it."""

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def branch(self, name: str) -> str | None:
        return self.git.resolve(f"refs/heads/{name}")


@dataclass(frozen=True)
class MergeGroup:
    """What a merge queue is about to merge: `head_sha` is the merge of a pull request's head into `base_sha`."""

    pull: PullRequest
    head_sha: str
    head_ref: str
    base_sha: str
    base_ref: str


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
    locked: bool = False
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
    """Where a comment points to, in the diff of its commit; a comment on a file has no `line`."""

    path: str
    side: Side = "RIGHT"
    line: int | None = None
    start_line: int | None = None
    start_side: Side | None = None

    @property
    def subject_type(self) -> str:
        return "file" if self.line is None else "line"


@dataclass(frozen=True, slots=True)
class Reaction:
    id: int
    author: str
    content: str
    created_at: str


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
    reactions: list[Reaction] = field(default_factory=list)
    resolved_by: str | None = None
    """Who resolved the thread that this comment begins."""
    minimized: str | None = None
    """Why it is minimized."""

    def line_now(self, pull: PullRequest, line: int | None) -> int | None:
        """The line in the diff of today, None if a push changed it or took it out of the diff (outdated)."""
        change = pull.change(self.anchor.path)
        if line is None or change is None:
            return None
        if self.anchor.side == "RIGHT" and self.commit_id != pull.head_sha:
            moved = line_after(patch_between(pull.base.git, self.commit_id, pull.head_sha, self.anchor.path), line)
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
    reactions: list[Reaction] = field(default_factory=list)


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
