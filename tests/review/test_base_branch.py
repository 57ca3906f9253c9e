"""After a push to a base branch, the pull requests into it are reviewed again if their configuration changed."""

from __future__ import annotations

import pytest

from gracegate.review import base_branch
from gracegate.store import BaseBranch
from tests.review.conftest import SHOP, Inbox
from tests.shop import WITHOUT_DRAIN


def push_configuration(inbox: Inbox, text: str | None, branch: str = "main") -> None:
    """A push of one file, and its delivery."""
    before = inbox.stage.fake.repository(SHOP).branch(branch) or ""
    after = inbox.stage.fake.push(SHOP, branch, {".gracegate.yaml": text})
    inbox.deliver("", BaseBranch(after, before, branch))
    inbox.work()


@pytest.fixture
def head(inbox: Inbox) -> str:
    """The head of a reviewed pull request into main, whose check has failed; another is of main into release."""
    fake = inbox.stage.fake
    fake.move_branch(SHOP, "release", fake.repository(SHOP).branch("main"))
    head = fake.push(SHOP, "change", {"web.yaml": WITHOUT_DRAIN})
    fake.open_pull_request(SHOP, "change")
    inbox.deliver("opened", head)
    inbox.work()
    return head


def test_a_push_that_leaves_the_configuration_reviews_nothing(inbox: Inbox, head: str) -> None:
    fake = inbox.stage.fake
    before = fake.repository(SHOP).branch("main") or ""
    after = fake.push(SHOP, "main", {"README.md": "hello"})
    inbox.deliver("", BaseBranch(after, before, "main"))
    inbox.work()
    push_configuration(inbox, "gate: advise\n", "release")
    assert inbox.conclusions(head) == ["failure"]


def test_a_new_configuration_counts_for_open_pull_requests(inbox: Inbox, head: str) -> None:
    push_configuration(inbox, "gate: advise\n")
    push_configuration(inbox, "gate: enforce\n")
    push_configuration(inbox, None)
    assert inbox.conclusions(head) == ["failure", "neutral", "failure", "failure"]


def test_closed_pull_requests_are_left_alone(inbox: Inbox, head: str) -> None:
    inbox.stage.fake.close_pull_request(SHOP, 1)
    push_configuration(inbox, "gate: advise\n")
    assert inbox.conclusions(head) == ["failure"]


def test_only_the_newest_pull_requests_are_reviewed_again(
    inbox: Inbox, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_branch, "MAX_PULL_REQUESTS", 1)
    other = inbox.stage.fake.push(SHOP, "other", {"README.md": "hello"}, onto="main")
    inbox.stage.fake.open_pull_request(SHOP, "other")
    push_configuration(inbox, "gate: advise\n")
    assert (inbox.conclusions(head), inbox.conclusions(other)) == (["failure"], ["success"])
