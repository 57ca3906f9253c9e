"""Groups of a merge queue: evaluated from their base to their head, whatever the checks of the pull requests were."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from gracegate.errors import GitHubUnavailable
from gracegate.jobs.runner import Runner
from gracegate.review.merge_group import MergeGroupReviewer
from gracegate.store import MergeGroup, reports, runs
from gracegate.store.tables import RUN
from tests.fakegithub.state import CheckRun
from tests.review.conftest import JOBS, SHOP, Inbox
from tests.shop import DEPLOYMENT, SERVICE, WITHOUT_DRAIN


class MergeQueue:
    """Pull requests in the merge queue of main, each with a manifest of its own."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.fake = inbox.stage.fake

    def add(self, number: int, files: dict[str, str]) -> MergeGroup:
        """A new pull request of these files goes into the queue. Its group, whose checks are requested."""
        sha = self.fake.push(SHOP, f"topic-{number}", files, onto="main")
        assert self.fake.open_pull_request(SHOP, f"topic-{number}") == number
        world, repository = self.fake.world, self.fake.repository(SHOP)
        passed = CheckRun(world.new_id(), repository, world.suite(repository, sha).id, "gracegate", sha, "completed")
        world.check_runs[passed.id] = replace(passed, conclusion="success")
        self.fake.enqueue_pull_request(SHOP, number)
        one = repository.merge_queue[-1]
        return MergeGroup(one.head_sha, one.head_ref, one.base_sha, f"refs/heads/{one.base_ref}")

    def destroy(self, head: str) -> None:
        with self.inbox.stage.reviewer.store.transaction() as tx:
            runs.requeue_merge_group(tx, self.inbox.stage.repository_id, head)

    def state(self, number: int) -> str:
        return self.fake.pull(SHOP, number).state


@pytest.fixture
def merge_queue(inbox: Inbox) -> MergeQueue:
    inbox.stage.fake.require_checks(SHOP, "main", ["gracegate"])
    return MergeQueue(inbox)


def test_a_group_that_is_right_is_merged(merge_queue: MergeQueue) -> None:
    group = merge_queue.add(1, {"web.yaml": DEPLOYMENT})
    merge_queue.inbox.deliver("checks_requested", group)
    merge_queue.inbox.work()
    assert (merge_queue.inbox.conclusions(group.head_sha), merge_queue.state(1)) == (["success"], "closed")
    assert merge_queue.fake.pull(SHOP, 1).comments == []


def test_a_group_that_is_wrong_is_taken_out(merge_queue: MergeQueue) -> None:
    group = merge_queue.add(1, {"web.yaml": WITHOUT_DRAIN})
    merge_queue.inbox.deliver("checks_requested", group)
    merge_queue.inbox.work()
    assert (merge_queue.inbox.conclusions(group.head_sha), merge_queue.state(1)) == (["failure"], "open")
    run = list(merge_queue.fake.world.check_runs.values())[-1]
    assert (run.external_id, len(run.annotations)) == (f"merge-group:{group.head_sha}", 1)
    assert [write for write in merge_queue.inbox.stage.writes() if "/pulls/" in write or "/issues/" in write] == []


@pytest.mark.parametrize("is_private", [False, True])
def test_a_group_has_a_report_where_anybody_may_see_it(merge_queue: MergeQueue, is_private: bool) -> None:
    stage = merge_queue.inbox.stage
    merge_queue.fake.repository(SHOP).private = is_private
    parts = {field.name: getattr(stage.reviewer, field.name) for field in fields(stage.reviewer)}
    settings = replace(stage.reviewer.settings, public_url="https://gate.example.com")
    reviewer = MergeGroupReviewer(**{**parts, "settings": settings})
    merge_queue.inbox.runner = Runner(stage.reviewer.store, reviewer, JOBS)
    group = merge_queue.add(1, {"web.yaml": WITHOUT_DRAIN})
    merge_queue.inbox.deliver("checks_requested", group)
    merge_queue.inbox.work()
    run = list(merge_queue.fake.world.check_runs.values())[-1]
    address = f"https://gate.example.com/reports/{stage.repository_id}/0/{group.head_sha}"
    assert run.details_url == (None if is_private else address)
    with stage.reviewer.store.reading() as tx:
        assert (reports.find(tx, stage.repository_id, 0, group.head_sha) is None) is is_private


def test_what_is_wrong_only_together_fails(merge_queue: MergeQueue) -> None:
    """One brings the Service that sends traffic, the other one the Deployment that drops it."""
    merge_queue.fake.push(SHOP, "main", {"service.yaml": None})
    first = merge_queue.add(1, {"service.yaml": SERVICE})
    second = merge_queue.add(2, {"web.yaml": WITHOUT_DRAIN})
    assert second.base_sha == first.head_sha
    merge_queue.inbox.deliver("checks_requested", second)
    merge_queue.inbox.work()
    assert merge_queue.inbox.conclusions(second.head_sha) == ["failure"]
    merge_queue.inbox.deliver("checks_requested", first)
    merge_queue.inbox.work()
    assert (merge_queue.inbox.conclusions(first.head_sha), merge_queue.state(1)) == (["success"], "closed")
    alone = merge_queue.fake.repository(SHOP).merge_queue
    assert [group.pull.number for group in alone] == []
    assert merge_queue.state(2) == "open"


def test_the_configuration_is_that_of_the_branch(merge_queue: MergeQueue) -> None:
    """And not what the queue is about to merge before this group."""
    merge_queue.add(1, {".gracegate.yaml": "gate: advise\n"})
    second = merge_queue.add(2, {"web.yaml": WITHOUT_DRAIN})
    merge_queue.inbox.deliver("checks_requested", second)
    merge_queue.inbox.work()
    assert merge_queue.inbox.conclusions(second.head_sha) == ["failure"]


@pytest.mark.parametrize("order", ["destroyed first", "destroyed last", "no delivery"])
def test_a_group_that_is_gone_gets_no_check(merge_queue: MergeQueue, order: str) -> None:
    group = merge_queue.add(1, {"web.yaml": DEPLOYMENT})
    merge_queue.fake.dequeue_pull_request(SHOP, 1)
    if order == "destroyed first":
        merge_queue.destroy(group.head_sha)
    merge_queue.inbox.deliver("checks_requested", group)
    if order == "destroyed last":
        merge_queue.destroy(group.head_sha)
    merge_queue.inbox.work()
    assert merge_queue.inbox.conclusions(group.head_sha) == []


def test_a_group_that_is_destroyed_during_its_review_is_cancelled(
    merge_queue: MergeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = merge_queue.add(1, {"web.yaml": DEPLOYMENT})
    check = MergeGroupReviewer.check

    def check_meanwhile(self: MergeGroupReviewer, *arguments):
        merge_queue.fake.dequeue_pull_request(SHOP, 1)
        merge_queue.destroy(group.head_sha)
        return check(self, *arguments)

    monkeypatch.setattr(MergeGroupReviewer, "check", check_meanwhile)
    merge_queue.inbox.deliver("checks_requested", group)
    merge_queue.inbox.work()
    assert merge_queue.inbox.conclusions(group.head_sha) == ["cancelled"]


def test_a_group_that_cannot_be_reviewed_does_not_keep_the_queue_waiting(
    merge_queue: MergeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise GitHubUnavailable("502")

    group = merge_queue.add(1, {"web.yaml": DEPLOYMENT})
    monkeypatch.setattr(MergeGroupReviewer, "_fetch_group", fail)
    merge_queue.inbox.deliver("checks_requested", group)
    merge_queue.inbox.work()
    assert (merge_queue.inbox.conclusions(group.head_sha), merge_queue.state(1)) == (["failure"], "open")


def test_a_repeated_attempt_concludes_once(merge_queue: MergeQueue) -> None:
    """As after a worker that died between the conclusion and the end of its run."""
    group = merge_queue.add(1, {"web.yaml": WITHOUT_DRAIN})
    merge_queue.inbox.deliver("checks_requested", group)
    merge_queue.inbox.work()
    with merge_queue.inbox.stage.reviewer.store.transaction() as tx:
        tx.execute(RUN.update().values(state="running"))
        runs.requeue(tx, "1/0", 1, cost="crashes")
    merge_queue.inbox.work()
    assert merge_queue.inbox.conclusions(group.head_sha) == ["failure"]
