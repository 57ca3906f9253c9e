"""Payloads of webhooks -> frozen types. Only what gracegate reads is named; the rest of a payload is ignored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Number = Annotated[int, Field(gt=0)]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Named(_Payload):
    id: int


class Repository(_Payload):
    id: int
    full_name: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]


class Commit(_Payload):
    sha: Sha


class Base(_Payload):
    repo: Named


class PullRequest(_Payload):
    number: Number
    head: Commit


class OfCheck(_Payload):
    """A pull request as checks name it; of another repository too, where that one has the same commit."""

    number: Number
    head: Commit
    base: Base


class CheckRun(_Payload):
    name: str
    head_sha: Sha
    external_id: str | None = None
    pull_requests: tuple[OfCheck, ...] = ()


class CheckSuite(_Payload):
    head_sha: Sha
    pull_requests: tuple[OfCheck, ...] = ()


class PullRequestEvent(_Payload):
    action: str
    pull_request: PullRequest
    changes: dict[str, Any] = {}
    repository: Repository
    installation: Named


class CheckRunEvent(_Payload):
    action: str
    check_run: CheckRun
    repository: Repository
    installation: Named


class CheckSuiteEvent(_Payload):
    action: str
    check_suite: CheckSuite
    repository: Repository
    installation: Named


class InstallationEvent(_Payload):
    action: str
    installation: Named
