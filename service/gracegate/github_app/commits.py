"""Commits to the branch of a pull request, made and found by GitHub's API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from github.Repository import Repository

from gracegate.errors import GitHubUnavailable, Gone
from gracegate.github_app import graphql
from gracegate.github_app.client import RepositoryClient

STALE = graphql.STALE
"""The status of the error where a branch is at another commit than expected."""
MAX_LISTED_FILES = 300
"""GitHub lists no more files of a comparison."""
_COMMIT = """
mutation ($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}
"""


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """What a branch got after a commit. `files` is None where they are not known: the branch was rewritten, or there
    are too many. `own` is the newest commit that the App itself has made with `headline`, "" without one."""

    files: frozenset[str] | None
    own: str


def read_changes_since(repo: RepositoryClient, commit: str, head: str, headline: str) -> ChangesSince:
    """What `head` has that `commit` had not."""
    login = repo.app_login()

    def compare(repository: Repository) -> ChangesSince:
        _, found = repository.requester.requestJsonAndCheck("GET", f"{repository.url}/compare/{commit}...{head}")
        commits, files = found["commits"], frozenset(one["filename"] for one in found["files"])
        own = [one["sha"] for one in commits if _is_by(one, login) and _headline(one) == headline]
        is_known = found["status"] in {"ahead", "identical"} and len(files) < MAX_LISTED_FILES
        return ChangesSince(files if is_known else None, own[-1] if own else "")

    try:
        return repo.read(compare)
    except Gone as error:
        if error.status != 404:
            raise
        return ChangesSince(None, "")


def commit_files(
    repo: RepositoryClient, branch: str, expected_head: str, message: tuple[str, str], files: Mapping[str, bytes]
) -> str:
    """Commit these contents by path upon `expected_head`, which the branch must be at; returns the commit's id.

    The message is a headline and a body. It is GitHub that makes the commit, as the App and signed. Raises Refused with
    the status STALE if the branch is at another commit.
    """
    headline, body = message
    login = repo.app_login()
    additions = [
        {"path": path, "contents": base64.b64encode(content).decode()} for path, content in sorted(files.items())
    ]
    request = {
        "branch": {"repositoryNameWithOwner": repo.full_name, "branchName": branch},
        "message": {"headline": headline, "body": body},
        "expectedHeadOid": expected_head,
        "fileChanges": {"additions": additions},
    }

    def commit(repository: Repository) -> str:
        made = graphql.call(repository, _COMMIT, {"input": request})["createCommitOnBranch"]["commit"]
        if made is None:
            raise GitHubUnavailable("GitHub's answer does not show the commit", status=200)
        return str(made["oid"])

    def find(repository: Repository) -> str | None:
        _, found = repository.requester.requestJsonAndCheck(
            "GET", f"{repository.url}/commits/{quote(f'heads/{branch}')}"
        )
        parents = [one["sha"] for one in found["parents"]]
        is_it = parents == [expected_head] and _is_by(found, login) and _headline(found) == headline
        return str(found["sha"]) if is_it else None

    return repo.create(commit, find, "edit")


def _is_by(commit: Mapping[str, Any], login: str) -> bool:
    return bool((commit.get("author") or {}).get("login") == login)


def _headline(commit: Mapping[str, Any]) -> str:
    return str(commit["commit"]["message"]).split("\n", 1)[0]
