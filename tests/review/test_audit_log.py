"""A review leaves a row for each of its writes, whatever happens to GitHub, the database or the process meanwhile."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from gracegate.github_app import Write, checks
from gracegate.review.audit_log import write_recorder
from gracegate.store import AuditFilter, AuditRow, DatabaseUnavailable, Store, audit
from tests.review.conftest import SHOP, Stage, is_current
from tests.shop import WITHOUT_DRAIN


def rows(stage: Stage) -> list[AuditRow]:
    """The oldest first."""
    with stage.reviewer.store.transaction() as tx:
        return audit.find(tx, AuditFilter(), 100)[::-1]


def test_a_review_leaves_a_row_for_each_write(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    stage.reviewer.review(stage.run(number), is_current)
    path = f"/repositories/{stage.repository_id}"
    (check,) = stage.fake.world.check_runs
    assert [(row.method, row.path, row.summary, row.status) for row in rows(stage)] == [
        ("POST", f"{path}/check-runs", "start the check gracegate", 201),
        ("PATCH", f"{path}/check-runs/{check}", "conclude the check as failure", 200),
        ("POST", f"{path}/pulls/{number}/reviews", "post a review (comments: 1)", 200),
    ]
    who = {
        (row.app, row.installation_id, row.repository, row.number, row.delivery_id, row.run_id) for row in rows(stage)
    }
    assert who == {(str(stage.fake.app.id), stage.installation, SHOP, number, "d", "r")}


def test_a_write_that_the_process_did_not_survive_has_no_status(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """As SIGKILL, no handler of ours sees it."""

    def killed(*_arguments: object) -> None:
        raise Killed

    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    monkeypatch.setattr(audit, "set_status", killed)
    with pytest.raises(Killed):
        stage.reviewer.review(stage.run(number), is_current)
    assert [(row.summary, row.status) for row in rows(stage)] == [("start the check gracegate", None)]


def test_a_review_goes_on_without_the_log_whose_rows_are_in_the_services_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> None:
        raise DatabaseUnavailable("locked")

    monkeypatch.setattr(audit, "add", away)
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    with capture_logs() as logs:
        outcome = stage.reviewer.review(stage.run(number), is_current)
    lost = [(line["summary"], line["status"]) for line in logs if line["event"] == "audit_row_not_stored"]
    assert (outcome.verdict, stage.checks(), rows(stage)) == ("fail", [("completed", "failure")], [])
    assert lost[:2] == [("start the check gracegate", None), ("start the check gracegate", 201)]
    assert len(lost) == 6


def test_a_row_that_could_not_be_begun_is_stored_with_its_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    transaction = Store.transaction
    attempts = iter([False])

    @contextmanager
    def away_at_first(store: Store):
        if not next(attempts, True):
            raise DatabaseUnavailable("starting")
        with transaction(store) as tx:
            yield tx

    monkeypatch.setattr(Store, "transaction", away_at_first)
    end = write_recorder(stage.reviewer.store, "1")(Write("POST", "/app/hook/deliveries/9/attempts", "again"))
    end(202)
    assert [(row.app, row.run_id, row.summary, row.status) for row in rows(stage)] == [("1", None, "again", 202)]


def test_a_cancelled_check_is_in_the_log(stage: Stage) -> None:
    number = stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    run = stage.run(number)
    with stage.reviewer.client.repository(stage.installation, stage.repository_id, SHOP) as repo:
        checks.start(repo, run.head_sha, f"pr:{number}:{run.head_sha}", "gracegate")
    stage.reviewer.cancel_check(run, "A newer head is waiting.")
    assert [(row.summary, row.status) for row in rows(stage)] == [("conclude the check as cancelled", 200)]
