"""The button "Apply fixes", from the press to the commit; first where nothing may be committed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gracegate.review.suggested_files import HEADLINE
from gracegate.review.suggestion_committer import SuggestionCommitter
from gracegate.store import FixRequest
from tests.fakegithub.state import CheckRun
from tests.review.conftest import SHOP, Inbox, do_during_review, is_current
from tests.shop import SERVICE, WITHOUT_BOTH, WITHOUT_DRAIN

OTHER = {"other.yaml": WITHOUT_BOTH.replace("web", "other"), "service-other.yaml": SERVICE.replace("web", "other")}
LABELS = ["Re-check", "Apply fixes"]


@pytest.fixture
def reviewed(inbox: Inbox) -> Inbox:
    """A pull request with suggestions in two files, which the App may push to."""
    inbox.stage.fake.grant("shop", "contents", "write")
    inbox.stage.open_pull_request({"web.yaml": WITHOUT_DRAIN, **OTHER})
    inbox.deliver("opened", inbox.stage.head())
    inbox.work()
    return inbox


def check(inbox: Inbox, head: str) -> CheckRun:
    """The newest one of a commit."""
    fake = inbox.stage.fake
    return fake.world.runs(fake.repository(SHOP), head)[0]


def press(inbox: Inbox, head: str, by: str = "ada") -> str:
    """Presses the button in the check of a head, and returns the note that the check then has."""
    inbox.deliver("requested_action", FixRequest(1, head, by), "check_run")
    inbox.work()
    note, _, rest = str(check(inbox, head).summary).partition("\n\n")
    assert rest.startswith("After this change")
    return note.removeprefix("> **Apply fixes:** ")


def test_without_the_permission_there_is_no_button_and_a_press_says_why(inbox: Inbox) -> None:
    inbox.stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    inbox.deliver("opened", head := inbox.stage.head())
    inbox.work()
    assert [one["label"] for one in check(inbox, head).actions] == LABELS[:1]
    assert press(inbox, head) == (
        "gracegate may not push: the App needs the permission `contents: write`, and this installation has to accept"
        " it; commit the suggestions in the comments."
    )
    assert inbox.stage.head() == head


def test_in_a_fork_there_is_no_button_and_a_press_says_why(inbox: Inbox) -> None:
    fake = inbox.stage.fake
    fake.grant("shop", "contents", "write")
    fork = fake.fork(SHOP, "grace").full_name
    fake.push(fork, "change", {"web.yaml": WITHOUT_DRAIN})
    fake.open_pull_request(SHOP, "change", fork=fork)
    inbox.deliver("opened", head := inbox.stage.head())
    inbox.work()
    assert [one["label"] for one in check(inbox, head).actions] == LABELS[:1]
    assert "No button applies the suggestions, because the branch is in a fork" in str(check(inbox, head).summary)
    assert press(inbox, head).startswith("The branch is in the fork `grace/web`, where gracegate may not push; commit")


def test_nobody_else_and_nothing_old_is_committed(reviewed: Inbox) -> None:
    fake, head = reviewed.stage.fake, reviewed.stage.head()
    assert [one["label"] for one in check(reviewed, head).actions] == LABELS
    fake.set_permission("eve", "read")
    assert press(reviewed, head, "eve") == "`eve` may not push to this repository; ask somebody who may."
    rewritten = fake.push(SHOP, "change", {"web.yaml": WITHOUT_DRAIN, "new.yaml": "a: 1\n"}, onto="main")
    newer = "The branch has newer commits than this check; press the button in the check of the newest one."
    assert press(reviewed, head) == newer
    fake.close_pull_request(SHOP, 1)
    assert press(reviewed, head) == "The pull request is closed; open it again first."
    assert reviewed.stage.head() == rewritten


def test_one_commit_has_all_suggestions_and_is_made_once(reviewed: Inbox) -> None:
    fake, head = reviewed.stage.fake, reviewed.stage.head()
    note = press(reviewed, head)
    made = reviewed.stage.head()
    info = fake.repository(SHOP).git.commit_info(made)
    assert (info.parents, info.author[0]) == ((head,), fake.app.login)
    assert info.message == (
        f"{HEADLINE}\n\n"
        "other.yaml: prestop-drain-missing, readiness-probe-missing\n"
        "web.yaml: prestop-drain-missing\n\n"
        "Asked for by ada with the button of the check."
    )
    assert note == f"2 suggestions were committed as `{made[:7]}`."
    assert press(reviewed, head) == f"The suggestions were committed as `{made[:7]}`."
    assert reviewed.stage.head() == made
    reviewed.deliver("synchronize", made)
    reviewed.work()
    assert reviewed.conclusions(made) == ["success"]
    assert [one.body[0] for one in fake.pull(SHOP, 1).comments] == ["✅", "✅"]
    assert [one["label"] for one in check(reviewed, made).actions] == LABELS[:1]


def test_a_file_that_changed_after_the_check_is_left_out_by_name(reviewed: Inbox) -> None:
    head = reviewed.stage.head()
    newer = reviewed.stage.fake.push(SHOP, "change", {"other.yaml": f"# Ours\n{OTHER['other.yaml']}"})
    note = press(reviewed, head)
    made = reviewed.stage.head()
    git = reviewed.stage.fake.repository(SHOP).git
    assert git.commit_info(made).parents == (newer,)
    assert [change.path for change in git.changes(newer, made)] == ["web.yaml"]
    assert note.startswith(f"1 suggestion was committed as `{made[:7]}`. Left out: `other.yaml:")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_not_made_twice(reviewed: Inbox, when: str) -> None:
    head = reviewed.stage.head()
    reviewed.stage.fake.fault("POST", "/graphql$", status=502, when=when)
    press(reviewed, head)
    assert reviewed.stage.fake.repository(SHOP).git.commits(head, reviewed.stage.head()) == [reviewed.stage.head()]


def test_a_push_that_comes_first_is_not_written_over(reviewed: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, head = reviewed.stage, reviewed.stage.head()
    do_during_review(stage, monkeypatch, lambda: stage.fake.push(SHOP, "change", {"README.md": "x\n"}))
    committer = SuggestionCommitter(stage.reviewer)
    run = stage.run(1, subject="fixes", head_sha=head, sender="ada")
    committer.review(replace(run, starts=0), is_current)
    assert "The branch has newer commits than this check" in str(check(reviewed, head).summary)
    changes = stage.fake.repository(SHOP).git.changes(head, stage.head())
    assert [change.path for change in changes] == ["README.md"]


def test_an_error_is_said_in_the_check(reviewed: Inbox) -> None:
    stage = reviewed.stage
    run = stage.run(1, subject="fixes", sender="ada")
    SuggestionCommitter(stage.reviewer).conclude_as_incomplete(run, "git took too long")
    summary = str(check(reviewed, stage.head()).summary)
    assert summary.startswith("> **Apply fixes:** It could not be done, because of an error: git took too long.")
