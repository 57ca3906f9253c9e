"""From deliveries to the check, in any order: what GitHub says in the end counts, whatever a delivery said."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import pytest

from gracegate.errors import GitHubUnavailable
from gracegate.jobs import Queue, prepare_queue
from gracegate.jobs.runner import Runner
from gracegate.policy.engines import PolicyEngines
from gracegate.settings import JobSettings
from gracegate.store import Delivery, PullHead, runs
from gracegate.store.tables import HEAD
from tests.review.conftest import SHOP, Stage, do_during_review

JOBS = JobSettings(backoff=0.0)
NUMBER = 1


@dataclass
class Inbox:
    """What the web and a worker do, in this process: deliveries are queued, and their runs done one after another."""

    stage: Stage
    queue: Queue
    runner: Runner
    delivered: int = 0

    def deliver(self, action: str, sha: str) -> None:
        self.delivered += 1
        ids = (self.stage.installation, self.stage.repository_id)
        self.queue.accept(Delivery(str(self.delivered), "pull_request", action, *ids, SHOP), [PullHead(NUMBER, sha)])

    def work(self) -> None:
        while waiting := self.waiting():
            for run_id, fence in waiting.items():
                self.runner.perform(run_id, fence)

    def waiting(self) -> dict[str, int]:
        with self.stage.reviewer.store.transaction() as tx:
            return runs.unfinished_runs(tx)

    def known(self) -> tuple[str, bool]:
        """The head, and whether the pull request is closed."""
        with self.stage.reviewer.store.transaction() as tx:
            row = tx.execute(HEAD.select()).one()
        return row.sha, row.closed

    def push(self, text: str) -> str:
        return self.stage.fake.push(SHOP, "change", {"README.md": text}, onto="main")

    def conclusions(self, sha: str) -> list[str | None]:
        """Of the checks of a commit, oldest first; None is in progress."""
        return [run.conclusion for run in self.stage.fake.world.check_runs.values() if run.head_sha == sha]


@pytest.fixture
def inbox(stage: Stage) -> Inbox:
    store = stage.reviewer.store
    prepare_queue(store, JOBS)
    queue = Queue(store)
    return Inbox(stage, queue, Runner(store, queue, stage.reviewer, "me", JOBS))


@pytest.mark.parametrize("is_closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("order", list(permutations(["closed", "reopened", "synchronize"])), ids="-".join)
def test_deliveries_in_any_order_end_in_the_state_that_github_has(
    inbox: Inbox, order: tuple[str, ...], is_closed: bool
) -> None:
    first = inbox.push("one")
    inbox.stage.fake.open_pull_request(SHOP, "change")
    inbox.deliver("opened", first)
    inbox.work()
    second = inbox.push("two")
    if is_closed:
        inbox.stage.fake.close_pull_request(SHOP, NUMBER)
    for action in order:
        inbox.deliver(action, second if action == "synchronize" else first)
        inbox.work()
    assert inbox.conclusions(first) == ["success"]
    assert set(inbox.conclusions(second)) == (set() if is_closed else {"success"})
    assert inbox.known() == (second, is_closed)


def test_a_late_closed_delivery_does_not_leave_an_open_pull_request_unreviewed(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = inbox.push("one")
    inbox.stage.fake.open_pull_request(SHOP, "change")
    inbox.deliver("opened", head)
    with monkeypatch.context() as patch:
        do_during_review(inbox.stage, patch, lambda: inbox.deliver("closed", head))
        inbox.runner.perform(f"1/{NUMBER}", 1)
    assert inbox.conclusions(head) == ["cancelled"]
    inbox.work()
    assert (inbox.conclusions(head), inbox.known()) == (["cancelled", "success"], (head, False))


def test_what_is_cancelled_is_the_check_of_the_reviewed_head(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    first = inbox.push("one")
    inbox.stage.fake.open_pull_request(SHOP, "change")
    second = inbox.push("two")
    inbox.deliver("opened", first)

    def close() -> None:
        inbox.stage.fake.close_pull_request(SHOP, NUMBER)
        inbox.deliver("closed", first)

    do_during_review(inbox.stage, monkeypatch, close)
    inbox.work()
    assert (inbox.conclusions(first), inbox.conclusions(second)) == ([], ["cancelled"])
    assert inbox.known() == (second, True)


def test_a_head_that_moved_during_the_review_is_reviewed_without_a_webhook(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = inbox.push("one")
    inbox.stage.fake.open_pull_request(SHOP, "change")
    inbox.deliver("opened", first)
    with monkeypatch.context() as patch:
        do_during_review(inbox.stage, patch, lambda: inbox.push("two"))
        assert inbox.runner.perform(f"1/{NUMBER}", 1) == "waiting"
    inbox.work()
    second = inbox.stage.head()
    assert (inbox.conclusions(first), inbox.conclusions(second)) == (["cancelled"], ["success"])
    assert inbox.known() == (second, False)


def test_a_head_that_moved_between_two_attempts_leaves_no_check_in_progress(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = inbox.push("one")
    inbox.stage.fake.open_pull_request(SHOP, "change")
    inbox.deliver("opened", first)

    def fail(_engines: PolicyEngines) -> None:
        raise GitHubUnavailable("502")

    with monkeypatch.context() as patch:
        patch.setattr(PolicyEngines, "opa", fail)
        inbox.runner.perform(f"1/{NUMBER}", 1)
    assert inbox.conclusions(first) == [None]
    second = inbox.push("two")
    inbox.work()
    assert (inbox.conclusions(first), inbox.conclusions(second)) == (["cancelled"], ["success"])
