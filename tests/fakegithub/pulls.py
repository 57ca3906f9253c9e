"""What happens to a pull request, with the webhooks it causes. Callers hold the world's lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakegithub.errors import ApiError
from tests.fakegithub.events import Events
from tests.fakegithub.state import PullRequest, Repository
from tests.fakegithub.world import World


@dataclass(frozen=True)
class Text:
    """What an author writes when opening a pull request."""

    title: str
    body: str | None
    author: str
    draft: bool


def open_pull(
    world: World, events: Events, base: tuple[Repository, str], head: tuple[Repository, str], text: Text
) -> PullRequest:
    """Opens a pull request between two branches; the head may be in a fork."""
    base_sha, head_sha = (one.branch(ref) for one, ref in (base, head))
    if base_sha is None or head_sha is None:
        raise ApiError(422, "Validation Failed", [{"resource": "PullRequest", "field": "head", "code": "invalid"}])
    now, repository = world.clock.iso(), base[0]
    number = repository.next_number
    repository.next_number += 1
    content = (text.title, text.body, text.author)
    pull = PullRequest(world.new_id(), number, *content, *base, *head, head_sha, base_sha, now, now, draft=text.draft)
    repository.pulls[number] = pull
    _point(pull)
    events.pull_request(pull, "opened")
    return pull


def _point(pull: PullRequest) -> None:
    pull.base.git.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)


def branch_moved(world: World, events: Events, repository: Repository, branch: str, before: str | None) -> None:
    """After a push (or a deletion) of a branch: the heads of its pull requests follow."""
    after = repository.branch(branch)
    events.push(repository, branch, before, after)
    for pull in _open_pulls(world):
        if (pull.head, pull.head_ref) == (repository, branch):
            if after is None:
                close(world, events, pull)
            elif after != pull.head_sha:
                _synchronize(world, events, pull, after)
        elif (pull.base, pull.base_ref) == (repository, branch) and after is not None:
            pull.base_sha = after


def _open_pulls(world: World) -> list[PullRequest]:
    return [pull for one in world.repositories.values() for pull in one.pulls.values() if pull.state == "open"]


def _synchronize(world: World, events: Events, pull: PullRequest, after: str) -> None:
    before, pull.head_sha = pull.head_sha, after
    pull.updated_at = world.clock.iso()
    _point(pull)
    events.pull_request(pull, "synchronize", before=before, after=after)


def close(world: World, events: Events, pull: PullRequest) -> None:
    pull.state, pull.closed_at = "closed", world.clock.iso()
    events.pull_request(pull, "closed")


def reopen(world: World, events: Events, pull: PullRequest) -> None:
    """Opens a closed pull request again; its head is where the branch is now."""
    if pull.head.is_deleted:
        reason = "state cannot be changed. The repository that submitted this pull request has been deleted."
        detail = {"resource": "PullRequest", "code": "invalid", "field": "state", "message": reason}
        raise ApiError(422, "Validation Failed", [detail])
    pull.state, pull.closed_at = "open", None
    pull.head_sha = pull.head.branch(pull.head_ref) or pull.head_sha
    pull.base_sha = pull.base.branch(pull.base_ref) or pull.base_sha
    _point(pull)
    events.pull_request(pull, "reopened")


def ready(events: Events, pull: PullRequest) -> None:
    pull.draft = False
    events.pull_request(pull, "ready_for_review")


def lock(events: Events, pull: PullRequest) -> None:
    """Locks the conversation: only people who may write can comment, and no App."""
    pull.locked = True
    events.pull_request(pull, "locked")


def unlock(events: Events, pull: PullRequest) -> None:
    pull.locked = False
    events.pull_request(pull, "unlocked")


def edit(world: World, events: Events, pull: PullRequest, *, base: str | None = None, title: str | None = None) -> None:
    """Changes the title or the base branch (which changes the diff)."""
    changes: dict[str, Any] = {}
    if title is not None:
        changes["title"] = {"from": pull.title}
        pull.title = title
    if base is not None:
        sha = pull.base.branch(base)
        if sha is None:
            raise ApiError(422, "Validation Failed", [{"resource": "PullRequest", "field": "base", "code": "invalid"}])
        changes["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
        pull.base_ref, pull.base_sha = base, sha
    pull.updated_at = world.clock.iso()
    events.pull_request(pull, "edited", changes=changes)


def merge(world: World, events: Events, pull: PullRequest, by: str) -> str:
    """Merges, or answers what GitHub answers where a required check has not passed."""
    if pull.state != "open" or pull.draft:
        raise ApiError(405, "Pull Request is not mergeable")
    blocking = world.blocking(pull)
    if blocking:
        raise ApiError(405, _refusal(blocking, len(pull.base.required_checks[pull.base_ref])))
    git, before = pull.base.git, pull.base_sha
    tree = git.text("merge-tree", "--write-tree", before, pull.head_sha).splitlines()[0]
    message = f"Merge pull request #{pull.number} from {pull.head.owner}/{pull.head_ref}"
    sha = git.commit_tree(tree, [before, pull.head_sha], message, int(world.clock.now()))
    complete_merge(world, events, pull, sha, by)
    return sha


def complete_merge(world: World, events: Events, pull: PullRequest, sha: str, by: str) -> None:
    """Moves the base branch to the merge commit, and closes the pull request."""
    before = pull.base.branch(pull.base_ref)
    pull.base.git.set_ref(f"refs/heads/{pull.base_ref}", sha)
    pull.state, pull.merged_by, pull.merge_commit_sha = "closed", by, sha
    pull.merged_at = pull.closed_at = pull.updated_at = world.clock.iso()
    events.pull_request(pull, "closed")
    branch_moved(world, events, pull.base, pull.base_ref, before)


def _refusal(blocking: Mapping[str, str], required: int) -> str:
    """GitHub's words for required checks that have not passed; for several it names the worst state alone."""
    if len(blocking) == 1:
        [(name, word)] = blocking.items()
        return f'Required status check "{name}" is {word}.'
    worst = next(word for word in ("failing", "in progress", "expected") if word in blocking.values())
    return f"{len(blocking)} of {required} required status checks are {worst}."
