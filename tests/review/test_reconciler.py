"""What webhooks have not told is found: by asking GitHub little, and nothing is queued twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pytest

from gracegate.errors import GitHubUnavailable
from gracegate.github_app import HookDelivery
from gracegate.github_app import deliveries as hook_deliveries
from gracegate.review import reconciler as reconciler_module
from gracegate.review import redelivery
from gracegate.review.merge_group import MergeGroupReviewer
from gracegate.review.reconciler import IN_FLIGHT, Reconciler
from gracegate.store import (
    Delivery,
    PullHead,
    StoredReport,
    deliveries,
    reports,
    repositories,
    runs,
    shared_tasks,
    sweeps,
)
from gracegate.store.tables import HEAD, RUN, VERDICT
from tests.review.conftest import SHOP, Stage, is_current
from tests.runs import claimed, delays
from tests.shop import WITHOUT_DRAIN

README = {"README.md": "hello"}
DAY = 86400.0


@dataclass
class Sweeper:
    """A reconciler of the stage, and what it has queued: runs with their delays, in their order."""

    stage: Stage
    reconciler: Reconciler
    queued: dict[str, int] = field(default_factory=dict)

    def sweep(self, is_stopped: Callable[[], bool] = lambda: False) -> tuple[bool, int]:
        """Whether all was looked at, and how many runs it queued."""
        before = len(self.queued)
        is_complete = self.reconciler.sweep(is_stopped)
        self.queued |= dict(sorted(delays(self.reconciler.store).items(), key=lambda one: one[1]))
        return is_complete, len(self.queued) - before

    def perform(self) -> None:
        """Does the run that was queued last."""
        run_id = list(self.queued)[-1]
        outcome = self.stage.reviewer.review(claimed(self.reconciler.store, run_id), is_current)
        with self.reconciler.store.transaction() as tx:
            runs.finish(tx, run_id, 1, outcome.state, conclusion=outcome.conclusion)

    def requests(self) -> list[str]:
        """What was asked since the last call."""
        found = [f"{one.method} {one.path}" for one in self.stage.fake.log]
        self.stage.fake.log.clear()
        return found


@pytest.fixture
def sweeper(stage: Stage) -> Sweeper:
    reviewer = stage.reviewer
    return Sweeper(stage, Reconciler(reviewer.settings, reviewer.client, reviewer.store, reviewer.fetcher))


def test_where_nothing_was_missed_nothing_is_queued_and_little_is_asked(sweeper: Sweeper) -> None:
    assert sweeper.sweep() == (True, 0)
    sweeper.stage.open_pull_request(README)
    assert sweeper.sweep() == (True, 1)
    sweeper.perform()
    sweeper.requests()
    assert sweeper.sweep() == (True, 0)
    assert sweeper.requests() == [
        "GET /app/installations",
        "GET /installation/repositories",
        f"GET /repos/{SHOP}/pulls",
    ]


def test_a_missed_pull_request_is_queued_once_and_concluded(sweeper: Sweeper) -> None:
    stage = sweeper.stage
    stage.open_pull_request(README)
    assert (sweeper.sweep(), sweeper.sweep()) == ((True, 1), (True, 0))
    ((run_id, delay),) = sweeper.queued.items()
    assert run_id.startswith(f"reconcile-{stage.repository_id}-1-{stage.head()}-")
    assert delay == IN_FLIGHT
    sweeper.perform()
    assert stage.checks() == [("completed", "success")]
    stage.fake.push(SHOP, "change", {"README.md": "hello again"})
    assert sweeper.sweep() == (True, 1)
    sweeper.perform()
    assert stage.checks() == [("completed", "success")] * 2


@pytest.mark.parametrize(("is_private", "secret"), [(False, ""), (True, ""), (True, "secret")])
def test_reports_of_a_repository_that_is_private_now_are_deleted_unless_people_sign_in(
    sweeper: Sweeper, is_private: bool, secret: str
) -> None:
    stage, store = sweeper.stage, sweeper.reconciler.store
    settings = replace(sweeper.reconciler.settings, client_secret=secret)
    sweeper.reconciler = replace(sweeper.reconciler, settings=settings)
    (repository,) = stage.fake.world.repositories.values()
    repository.private = is_private
    with store.transaction() as tx:
        reports.save(tx, StoredReport(stage.repository_id, 1, "head", SHOP, b""))
    sweeper.sweep()
    with store.reading() as tx:
        assert (reports.find(tx, stage.repository_id, 1, "head") is None) is (is_private and not secret)
        assert repositories.is_public(tx, stage.repository_id) is not is_private


def test_a_check_that_vanished_is_made_again(sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    sweeper.stage.open_pull_request(README)
    sweeper.sweep()
    sweeper.perform()
    sweeper.stage.fake.world.check_runs.clear()
    assert sweeper.sweep() == (True, 0)
    monkeypatch.setattr(reconciler_module, "THOROUGH_AFTER", 0.0)
    monkeypatch.setattr(sweeps, "RECONCILE_AGAIN_AFTER", 0.0)
    assert sweeper.sweep() == (True, 1)
    assert len(sweeper.queued) == 2
    sweeper.perform()
    assert sweeper.stage.checks() == [("completed", "success")]
    assert sweeper.sweep() == (True, 0)


def test_a_head_that_was_concluded_and_that_the_tables_do_not_know_is_not_queued(sweeper: Sweeper) -> None:
    stage = sweeper.stage
    number = stage.open_pull_request(README)
    stage.reviewer.review(stage.run(number), is_current)
    with stage.reviewer.store.transaction() as tx:
        for table in (RUN, HEAD, VERDICT):
            tx.execute(table.delete())
    assert sweeper.sweep() == (True, 0)
    (check,) = stage.fake.world.check_runs.values()
    check.conclusion = "cancelled"
    assert sweeper.sweep() == (True, 1)


def test_a_check_that_a_dead_run_left_in_progress_is_concluded(
    sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = sweeper.stage
    stage.open_pull_request(README)
    sweeper.sweep()
    stage.fake.fault("GET", "/pulls/1/files", status=500, times=9)
    with pytest.raises(GitHubUnavailable):
        sweeper.perform()
    with stage.reviewer.store.transaction() as tx:
        runs.finish(tx, list(sweeper.queued)[-1], 1, "dead")
    stage.fake.clear_faults()
    assert (stage.checks(), sweeper.sweep()) == ([("in_progress", None)], (True, 0))
    monkeypatch.setattr(sweeps, "RECONCILE_AGAIN_AFTER", 0.0)
    assert sweeper.sweep() == (True, 1)
    sweeper.perform()
    assert stage.checks() == [("completed", "success")]


def test_many_are_spread_in_time(sweeper: Sweeper) -> None:
    for branch in ("one", "two", "three"):
        sweeper.stage.fake.push(SHOP, branch, {"README.md": branch}, onto="main")
        sweeper.stage.fake.open_pull_request(SHOP, branch)
    assert sweeper.sweep() == (True, 3)
    assert [delay - IN_FLIGHT for delay in sweeper.queued.values()] == [0.0, deliveries.SPREAD, 2 * deliveries.SPREAD]


@pytest.mark.parametrize(("owners", "queued"), [({"shop"}, 1), ({"others"}, 0)])
def test_only_allowed_owners_are_looked_at(sweeper: Sweeper, owners: set[str], queued: int) -> None:
    sweeper.stage.open_pull_request(README)
    settings = replace(sweeper.reconciler.settings, allowed_owners=frozenset(owners))
    sweeper.reconciler = replace(sweeper.reconciler, settings=settings)
    assert sweeper.sweep() == (True, queued)


def test_a_sweep_that_was_stopped_goes_on_there(sweeper: Sweeper) -> None:
    fake = sweeper.stage.fake
    for name in ("shop/a", "shop/b", "shop/c"):
        fake.create_repository(name)
    stops = iter([False, False, False, True])
    assert sweeper.sweep(lambda: next(stops)) == (False, 0)
    assert [one for one in sweeper.requests() if "/pulls" in one] == [
        f"GET /repos/{SHOP}/pulls",
        "GET /repos/shop/a/pulls",
    ]
    assert sweeper.sweep() == (True, 0)
    assert [one for one in sweeper.requests() if "/pulls" in one] == [
        "GET /repos/shop/b/pulls",
        "GET /repos/shop/c/pulls",
    ]


def test_half_of_the_requests_are_left_to_the_reviews(sweeper: Sweeper) -> None:
    fake = sweeper.stage.fake
    fake.create_repository("shop/a")
    limits = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "2400", "X-RateLimit-Reset": "2000000000"}
    asked = f"/repos/{SHOP}/(pulls|git/matching-refs/.*)$"
    fake.fault("GET", asked, status=200, body="[]", headers=limits, times=2)
    assert sweeper.sweep() == (False, 0)
    assert "GET /repos/shop/a/pulls" not in sweeper.requests()
    assert sweeper.sweep() == (True, 0)
    assert "GET /repos/shop/a/pulls" in sweeper.requests()


@pytest.mark.parametrize(
    ("path", "status", "result"),
    [
        ("/app/installations$", 502, (False, 0)),
        ("/installation/repositories$", 502, (False, 0)),
        ("/access_tokens$", 403, (False, 0)),
        (f"/repos/{SHOP}/pulls$", 404, (True, 0)),
    ],
)
def test_what_github_does_not_answer_is_looked_at_the_next_time(
    sweeper: Sweeper, path: str, status: int, result: tuple[bool, int]
) -> None:
    sweeper.stage.open_pull_request(README)
    sweeper.stage.fake.fault("*", path, status=status, times=99)
    assert sweeper.sweep() == result
    sweeper.stage.fake.clear_faults()
    assert sweeper.sweep() == (True, 1)


def test_a_closing_that_was_missed_is_found_out(sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "SETTLED", -1.0)
    stage = sweeper.stage
    stage.open_pull_request(README)
    sweeper.sweep()
    sweeper.perform()
    stage.fake.close_pull_request(SHOP, 1)
    monkeypatch.setattr(sweeps, "RECONCILE_AGAIN_AFTER", 0.0)
    assert sweeper.sweep() == (True, 1)
    sweeper.perform()
    assert stage.checks() == [("completed", "success")]


# Merge groups


@pytest.fixture
def group_head(sweeper: Sweeper) -> str:
    """The head of a group in the merge queue of main, of which no webhook has told."""
    stage = sweeper.stage
    stage.fake.require_checks(SHOP, "main", ["gracegate"])
    number = stage.open_pull_request(README)
    stage.reviewer.review(stage.run(number), is_current)
    with stage.reviewer.store.transaction() as tx:
        runs.finish(tx, "r", 1, "done", conclusion="success")
    return stage.fake.enqueue_pull_request(SHOP, number)


def review_group(sweeper: Sweeper) -> list[str | None]:
    """Does the run that was queued last; the conclusions of the group's checks."""
    run = claimed(sweeper.reconciler.store, list(sweeper.queued)[-1])
    parts = {field.name: getattr(sweeper.stage.reviewer, field.name) for field in fields(sweeper.stage.reviewer)}
    outcome = MergeGroupReviewer(**parts).review(run, is_current)
    with sweeper.reconciler.store.transaction() as tx:
        runs.finish(tx, run.id, run.fence, outcome.state, conclusion=outcome.conclusion)
    checks = sweeper.stage.fake.world.check_runs.values()
    return [check.conclusion for check in checks if check.head_sha == run.head_sha]


def test_a_missed_merge_group_is_queued_once_and_merged(sweeper: Sweeper, group_head: str) -> None:
    stage = sweeper.stage
    assert (sweeper.sweep(), sweeper.sweep()) == ((True, 1), (True, 0))
    ((run_id, delay),) = sweeper.queued.items()
    assert run_id.startswith(f"reconcile-{stage.repository_id}-group-{group_head}-")
    assert delay == IN_FLIGHT
    assert review_group(sweeper) == ["success"]
    assert stage.fake.pull(SHOP, 1).state == "closed"


def test_repositories_without_a_merge_queue_are_asked_once_in_a_while(sweeper: Sweeper) -> None:
    def sweep_and_count() -> int:
        sweeper.sweep()
        return sum("/git/matching-refs/" in one for one in sweeper.requests())

    sweeper.stage.open_pull_request(README)
    assert [sweep_and_count(), sweep_and_count()] == [1, 0]


def test_a_merge_group_is_queued_again_whose_check_is_not_concluded(
    sweeper: Sweeper, group_head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweeper.sweep() == (True, 1)
    with sweeper.reconciler.store.transaction() as tx:
        runs.finish(tx, list(sweeper.queued)[-1], 1, "dead")
    assert sweeper.sweep() == (True, 0)
    monkeypatch.setattr(sweeps, "RECONCILE_AGAIN_AFTER", 0.0)
    assert sweeper.sweep() == (True, 1)
    monkeypatch.undo()
    # GitHub has the check, and the tables have not: a restored backup, or another service with the same App.
    assert review_group(sweeper) == ["success"]
    stage = sweeper.stage
    stage.fake.move_branch(SHOP, f"gh-readonly-queue/main/pr-9-{stage.head()}", group_head)
    with sweeper.reconciler.store.transaction() as tx:
        tx.execute(RUN.update().where(RUN.c.number == 0).values(conclusion=None, finished_at=1.0))
    assert sweeper.sweep() == (True, 0)


def test_caches_of_repositories_without_the_app_are_deleted(sweeper: Sweeper) -> None:
    stage = sweeper.stage
    stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.reviewer.review(stage.run(1), is_current)
    (folder,) = Path(stage.reviewer.settings.data_dir.parent / "git").glob("*.git")
    os.utime(folder, (time.time() - 2 * 3600,) * 2)
    sweeper.reconciler.delete_unused_caches()
    assert folder.exists()

    with sweeper.reconciler.store.transaction() as tx:
        shared_tasks.take(tx, "sweep", "worker", every=0.0, not_since=0.0, dead_after=60.0)
    assert sweeper.sweep()[0]
    with sweeper.reconciler.store.transaction() as tx:
        shared_tasks.release(tx, "sweep", "worker", is_complete=True)
    sweeper.reconciler.delete_unused_caches()
    assert folder.exists()

    stage.fake.uninstall("shop")
    assert sweeper.sweep() == (True, 0)
    sweeper.reconciler.delete_unused_caches()
    assert not folder.exists()


# Deliveries


@pytest.fixture
def failing_hook(stage: Stage) -> Stage:
    """Webhooks go where nobody listens."""
    stage.fake.webhook_url = "http://127.0.0.1:1/webhooks/github"
    return stage


def redelivered(stage: Stage) -> list[str]:
    stage.fake.settle()
    return [one.event for one in stage.fake.deliveries if one.redelivery]


def test_where_nothing_failed_nothing_is_asked_for_again(sweeper: Sweeper) -> None:
    assert sweeper.reconciler.redeliver_failed(float("inf"), 60.0)
    assert sweeper.requests() == ["GET /app/hook/deliveries"]


def test_a_failed_delivery_is_asked_for_once_at_a_time(failing_hook: Stage, sweeper: Sweeper) -> None:
    failing_hook.open_pull_request(README)
    failing_hook.fake.settle()
    assert {one.event for one in failing_hook.fake.deliveries} == {"push", "pull_request", "check_suite"}
    for _ in range(3):
        assert sweeper.reconciler.redeliver_failed(float("inf"), 3600.0)
    assert sorted(redelivered(failing_hook)) == ["pull_request", "push"]


def test_a_delivery_that_was_stored_although_its_answer_was_lost(failing_hook: Stage, sweeper: Sweeper) -> None:
    failing_hook.open_pull_request(README)
    failing_hook.fake.settle()
    with sweeper.reconciler.store.transaction() as tx:
        for one in failing_hook.fake.deliveries:
            deliveries.accept(tx, Delivery(one.guid, one.event, "", 1), [PullHead(1, "sha")])
    assert sweeper.reconciler.redeliver_failed(float("inf"), 3600.0)
    assert redelivered(failing_hook) == []


def test_deliveries_of_before_the_last_time_and_those_that_github_forgot(failing_hook: Stage, sweeper: Sweeper) -> None:
    fake = failing_hook.fake
    fake.clock.advance(-4 * DAY)
    failing_hook.open_pull_request(README)
    fake.clock.advance(3 * DAY)
    fake.close_pull_request(SHOP, 1)
    fake.clock.advance(DAY)
    assert sweeper.reconciler.redeliver_failed(3600.0, 60.0)
    assert redelivered(failing_hook) == []
    assert sweeper.reconciler.redeliver_failed(float("inf"), 60.0)
    assert redelivered(failing_hook) == ["pull_request"]


@pytest.mark.parametrize("path", ["/app/hook/deliveries$", "/attempts$"])
def test_github_does_not_answer(failing_hook: Stage, sweeper: Sweeper, path: str) -> None:
    failing_hook.open_pull_request(README)
    failing_hook.fake.settle()
    failing_hook.fake.fault("*", path, status=502, times=99)
    assert not sweeper.reconciler.redeliver_failed(float("inf"), 0.0)
    failing_hook.fake.clear_faults()
    assert sweeper.reconciler.redeliver_failed(0.0, 0.0)
    assert sorted(redelivered(failing_hook)) == ["pull_request", "push"]


WORTH_IT = HookDelivery(1, "guid", "pull_request", "opened", 0.0, "failed to connect to host", 0)


@pytest.mark.parametrize(
    ("changes", "is_worth_it"),
    [
        ({}, True),
        ({"status": "OK", "status_code": 202}, False),
        ({"status": "Service Unavailable", "status_code": 503}, True),
        ({"status": "Forbidden", "status_code": 403}, True),
        ({"status": "Bad Request", "status_code": 400}, False),
        ({"event": "ping", "action": ""}, False),
        ({"event": "push", "action": ""}, True),
        ({"event": "check_run", "action": "created"}, False),
        ({"event": "check_run", "action": "rerequested"}, True),
        ({"event": "check_suite", "action": "requested"}, False),
    ],
)
def test_which_deliveries_are_worth_another_attempt(changes: dict[str, object], is_worth_it: bool) -> None:
    assert redelivery._is_worth_it(replace(WORTH_IT, **changes)) == is_worth_it  # type: ignore[arg-type]


def test_all_pages_of_the_list_are_read(failing_hook: Stage, sweeper: Sweeper) -> None:
    for _ in range(120):
        failing_hook.fake.ping()
    failing_hook.fake.settle()
    found = hook_deliveries.list_since(sweeper.reconciler.client, 0.0)
    assert [one.guid for one in found] == [one.guid for one in reversed(failing_hook.fake.deliveries)]
    assert len(sweeper.requests()) == 2
