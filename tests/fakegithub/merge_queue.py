"""The merge queue: groups are merged in their order when their required checks pass. Callers hold the world's lock."""

from __future__ import annotations

from tests.fakegithub import pulls
from tests.fakegithub.errors import ApiError
from tests.fakegithub.events import Events
from tests.fakegithub.state import MergeGroup, PullRequest, Repository
from tests.fakegithub.world import World

FAILING = "failing"


def enqueue(world: World, events: Events, pull: PullRequest) -> MergeGroup:
    """Adds a pull request whose own checks pass, and asks for the checks of its group."""
    if world.blocking(pull):
        raise ApiError(405, "Pull Request is not mergeable")
    repository = pull.base
    ahead = [group for group in repository.merge_queue if group.base_ref == pull.base_ref]
    base = ahead[-1].head_sha if ahead else repository.branch(pull.base_ref)
    assert base is not None
    tree = repository.git.text("merge-tree", "--write-tree", base, pull.head_sha).splitlines()[0]
    message = f"Merge pull request #{pull.number} from {pull.head.owner}/{pull.head_ref}"
    head = repository.git.commit_tree(tree, [base, pull.head_sha], message, int(world.clock.now()))
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
    repository.git.set_ref(ref, head)
    group = MergeGroup(pull, head, ref, base, pull.base_ref)
    repository.merge_queue.append(group)
    events.merge_group(group, "checks_requested")
    advance(world, events, repository)
    return group


def dequeue(world: World, events: Events, pull: PullRequest) -> None:
    """Takes a pull request out. The groups that were built on its group are built anew."""
    queue = pull.base.merge_queue
    at = next(place for place, group in enumerate(queue) if group.pull is pull)
    rest = [group for group in queue[at + 1 :] if group.base_ref == queue[at].base_ref]
    _destroy(events, queue[at], "dequeued")
    for group in rest:
        _destroy(events, group, "invalidated")
    for group in rest:
        enqueue(world, events, group.pull)


def advance(world: World, events: Events, repository: Repository) -> None:
    """Merges the first groups whose checks have passed, and takes out the one whose checks fail."""
    while repository.merge_queue:
        group = repository.merge_queue[0]
        blocking = world.blocking_at(repository, group.base_ref, group.head_sha)
        if FAILING in blocking.values():
            dequeue(world, events, group.pull)
        elif blocking:
            return
        else:
            pulls.complete_merge(world, events, group.pull, group.head_sha, "github-merge-queue[bot]")
            _destroy(events, group, "merged")


def _destroy(events: Events, group: MergeGroup, reason: str) -> None:
    group.pull.base.merge_queue.remove(group)
    group.pull.base.git.delete_ref(group.head_ref)
    events.merge_group(group, "destroyed", reason)
