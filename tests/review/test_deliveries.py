"""From deliveries to the check, in any order: what GitHub says in the end counts, whatever a delivery said."""

from __future__ import annotations

from itertools import permutations

import pytest

from gracegate.errors import GitHubUnavailable
from gracegate.policy.engines import PolicyEngines
from tests.review.conftest import NUMBER, SHOP, Inbox, do_during_review


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
        inbox.perform(f"1/{NUMBER}")
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
        assert inbox.perform(f"1/{NUMBER}") == "waiting"
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
        inbox.perform(f"1/{NUMBER}")
    assert inbox.conclusions(first) == [None]
    second = inbox.push("two")
    inbox.work()
    assert (inbox.conclusions(first), inbox.conclusions(second)) == (["cancelled"], ["success"])
