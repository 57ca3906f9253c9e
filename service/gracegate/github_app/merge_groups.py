"""The groups that are in a merge queue: GitHub keeps a branch of each until it is merged or dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog

from gracegate.errors import Refused
from gracegate.github_app.client import RepositoryClient

log = structlog.get_logger(__name__)

_BRANCHES = "heads/gh-readonly-queue/"
_EMPTY_REPOSITORY = 409
# GitHub's documentation does not say how it names these branches; so they are named in all repositories looked at.
_NAME = re.compile(rf"refs/{_BRANCHES}(.+)/pr-[0-9]+-([0-9a-f]{{40}}(?:[0-9a-f]{{24}})?)")


@dataclass(frozen=True, slots=True)
class QueuedGroup:
    """A group as a merge_group event describes it: both refs are full names."""

    head_sha: str
    head_ref: str
    base_sha: str
    base_ref: str


def list_queued(repo: RepositoryClient) -> list[QueuedGroup]:
    """The groups of all queues of a repository."""
    try:
        refs = repo.read(
            lambda repository: [(ref.ref, ref.object.sha) for ref in repository.get_git_matching_refs(_BRANCHES)]
        )
    except Refused as error:
        if error.status == _EMPTY_REPOSITORY:
            return []
        raise
    found = [_group(*ref) for ref in refs]
    return [group for group in found if group is not None]


def _group(ref: str, sha: str) -> QueuedGroup | None:
    name = _NAME.fullmatch(ref)
    if name is None:
        log.warning("merge_group_branch_not_understood", ref=ref)
        return None
    return QueuedGroup(sha, ref, name[2], f"refs/heads/{name[1]}")
