"""Commands in comments, from the comment to the answer; first those that nothing is done about."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gracegate.policy import load_builtin
from gracegate.repo_config import parse_repo_config
from gracegate.review.command_reviewer import CommandReviewer
from gracegate.store import CommentCommand
from tests.fakegithub.state import IssueComment
from tests.policy.sets.policy_sets import GOOD, ID, RULE
from tests.review.conftest import SHOP, Inbox, is_current
from tests.shop import PRESTOP, SERVICE, WITHOUT_DRAIN

WAIVE = f"/gracegate waive {PRESTOP} Deployment/web until 2999-12-31 because it drains by itself"
OTHER = WITHOUT_DRAIN.replace("name: web", "name: other").replace("app: web", "app: other")


def give(inbox: Inbox, body: str, author: str = "grace", number: int = 1) -> int:
    """A person writes a comment, and the run that this starts is done. The comment's id."""
    comment = inbox.stage.fake.comment(SHOP, number, body, author=author)
    inbox.deliver("created", CommentCommand(number, comment), "issue_comment")
    inbox.work()
    return comment


def answers(inbox: Inbox, number: int = 1) -> list[str]:
    """What the App has written into the conversation, without the markers."""
    fake = inbox.stage.fake
    own = [one for one in fake.pull(SHOP, number).issue_comments if one.author == fake.app.login]
    return [one.body.partition("\n\n<!-- gracegate:reply")[0] for one in own]


def reactions(inbox: Inbox, comment: int) -> list[str]:
    found: list[IssueComment] = inbox.stage.fake.pull(SHOP, 1).issue_comments
    return [one.content for written in found if written.id == comment for one in written.reactions]


@pytest.fixture
def opened(inbox: Inbox) -> Inbox:
    """A pull request that nobody has reviewed, as of a service that was just installed."""
    inbox.stage.open_pull_request({"web.yaml": WITHOUT_DRAIN})
    return inbox


NOTHING = {
    "of the App itself": ("/gracegate recheck", "gracegate[bot]"),
    "of another bot": ("/gracegate recheck", "renovate[bot]"),
    "quoted": ("> /gracegate recheck", "grace"),
}


def test_nothing_is_done_about_others_comments(opened: Inbox) -> None:
    for body, author in NOTHING.values():
        assert reactions(opened, give(opened, body, author)) == []
    opened.deliver("created", CommentCommand(1, 999), "issue_comment")  # it was deleted
    opened.work()
    assert all(one.endswith("/access_tokens") for one in opened.stage.writes())


def test_a_person_who_may_not_push_is_told_whom_to_ask(opened: Inbox) -> None:
    for level in ("none", "read"):
        opened.stage.fake.set_permission("eve", level)
        assert reactions(opened, give(opened, "/gracegate recheck", "eve")) == []
    assert (
        answers(opened)
        == ["Only people who may push to this repository can give commands; ask one of them to write it."] * 2
    )
    assert opened.conclusions(opened.stage.head()) == []


def test_recheck_reviews_again_once_and_says_no_word(opened: Inbox) -> None:
    stage = opened.stage
    comment = give(opened, "/gracegate recheck")
    assert (reactions(opened, comment), answers(opened)) == (["eyes"], [])
    assert opened.conclusions(stage.head()) == ["failure"]
    give(opened, "/gracegate recheck")
    assert opened.conclusions(stage.head()) == ["failure", "failure"]
    assert len(stage.fake.pull(SHOP, 1).reviews) == 1
    opened.delivered = 0
    opened.deliver("created", CommentCommand(1, comment), "issue_comment")
    assert opened.waiting() == []
    opened.delivered = 2
    stage.fake.close_pull_request(SHOP, 1)
    give(opened, "/gracegate recheck")
    assert answers(opened) == ["The pull request is closed; open it again, which has it reviewed too."]
    assert opened.conclusions(stage.head()) == ["failure", "failure"]


def test_explain_answers_with_the_rule(opened: Inbox) -> None:
    give(opened, f"/gracegate explain {PRESTOP}\n/gracegate explain prestop-drain-mising")
    (answer,) = answers(opened)
    rule = load_builtin().rules[PRESTOP]
    assert answer.startswith(f"**`{PRESTOP}`**: ")
    assert f"gracegate.dev/ignore: {PRESTOP}" in answer
    assert rule.example.strip() in answer
    assert answer.endswith(f"There is no rule `prestop-drain-mising`; did you mean `{PRESTOP}`?")


def test_commands_know_the_rules_of_sets_that_the_base_names(opened: Inbox, opa: Path) -> None:
    """As far as the operator allows these: shop's own folder is one, the other repository's is not."""
    own, fake = opened.stage.reviewer, opened.stage.fake
    reviewer = CommandReviewer(replace(own, settings=replace(own.settings, policies_allowed=(SHOP,))))
    fake.create_repository("acme/payments")
    fake.push("acme/payments", "main", {**GOOD})
    asked = f"/gracegate explain {ID}\n/gracegate explain no-such-rule"

    def answer() -> str:
        comment = fake.comment(SHOP, 1, asked)
        reviewer.review(opened.stage.run(1, subject="command", event="issue_comment", comment_id=comment), is_current)
        return answers(opened)[-1]

    unknown = [f"There is no rule `{one}`; the check names the rule of each finding." for one in (ID, "no-such-rule")]
    for config in ("policies: [acme/payments@main]\n", "policies: [policies]\nrules: [\n"):
        fake.push(SHOP, "main", {".gracegate.yaml": config})
        assert answer().split("\n\n") == unknown
    fake.push(
        SHOP,
        "main",
        {".gracegate.yaml": "policies: [policies]\n", **{f"policies/{name}": text for name, text in GOOD.items()}},
    )
    *explained, last = answer().split("\n\n")
    assert (explained[0].startswith(f"**`{ID}`**: "), f"gracegate.dev/ignore: {ID}" in "".join(explained)) == (
        True,
        True,
    )
    assert last == unknown[1]
    fake.push(SHOP, "main", {f"policies/{RULE}": GOOD[RULE].replace("severity: error", "severity: fatal")})
    assert answer().split("\n\n")[0] == (
        f"{unknown[0]} The policy set policies was not evaluated: `{RULE}:7`: severity is one of error, warning, info,"
        " not fatal."
    )


def snippet(answer: str) -> str:
    found = re.search(r"^```yaml\n(.*?)^```$", answer, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_a_proposed_waiver_covers_one_object_and_does_nothing_by_itself(opened: Inbox) -> None:
    stage = opened.stage
    stage.fake.push(SHOP, "change", {"other.yaml": OTHER, "service-other.yaml": SERVICE.replace("web", "other")})
    give(opened, WAIVE)
    (answer,) = answers(opened)
    assert "waives 1 finding of `prestop-drain-missing` (`web.yaml:14`) and nothing else" in answer
    assert opened.conclusions(stage.head()) == []
    text = snippet(answer)
    assert yaml.safe_load(text) == {
        "waivers": [
            {
                "rules": [PRESTOP],
                "path": "web.yaml",
                "kind": "Deployment",
                "name": "web",
                "reason": "it drains by itself",
                "until": "2999-12-31",
            }
        ]
    }
    assert len(parse_repo_config(text, load_builtin().rules).waivers) == 1
    stage.fake.push(SHOP, "main", {".gracegate.yaml": text})
    give(opened, "/gracegate recheck")
    newest = stage.fake.world.runs(stage.fake.repository(SHOP), stage.head())[0]
    assert (newest.conclusion, newest.title) == ("failure", "1 error in 1 workload")
    give(opened, WAIVE)
    assert answers(opened)[-1] == "It is waived already, at `.gracegate.yaml:2`."


TWINS = {"apps/web.yaml": WITHOUT_DRAIN.replace("replicas: 2", "replicas: 3"), "apps/service.yaml": SERVICE}
REFUSALS = {
    "nothing like that": (
        WAIVE.replace("Deployment/web", "shop/cart"),
        "`prestop-drain-missing` finds nothing in `shop/cart` of this change, it finds something in `Deployment web`.",
    ),
    "another rule": (
        WAIVE.replace(PRESTOP, "pdb-blocks-drain"),
        "`pdb-blocks-drain` finds nothing in `Deployment/web` of this change, nor elsewhere.",
    ),
}


def test_a_waiver_of_nothing_is_refused(opened: Inbox) -> None:
    give(opened, "\n".join(body for body, _ in REFUSALS.values()))
    assert answers(opened) == ["\n\n".join(answer for _, answer in REFUSALS.values())]


def test_of_two_objects_with_one_name_the_file_says_which(opened: Inbox) -> None:
    stage = opened.stage
    stage.fake.push(SHOP, "change", TWINS)
    give(opened, WAIVE)
    names = "`Deployment web in apps/web.yaml` and `Deployment web in web.yaml`"
    assert answers(opened) == [f"`Deployment/web` may be {names}; name one of them so."]
    give(opened, WAIVE.replace("Deployment/web", "`Deployment web in apps/web.yaml`"))
    assert yaml.safe_load(snippet(answers(opened)[1]))["waivers"][0]["path"] == "apps/web.yaml"


def test_a_waiver_joins_those_that_are_there(opened: Inbox) -> None:
    config = "# Ours\nwaivers:\n  - rules: [pdb-missing]\n    reason: x\n"
    opened.stage.fake.push(SHOP, "main", {".gracegate.yaml": config})
    give(opened, WAIVE)
    (answer,) = answers(opened)
    assert "Put it into the list `waivers` of `.gracegate.yaml` on `main`" in answer
    config += "".join(f"  {line}\n" for line in snippet(answer).splitlines())
    assert [one.name for one in parse_repo_config(config, load_builtin().rules).waivers] == [None, "web"]


def test_an_answer_to_a_comment_on_a_line_stands_in_its_thread(opened: Inbox) -> None:
    stage = opened.stage
    give(opened, "/gracegate recheck")
    (first,) = stage.fake.pull(SHOP, 1).comments
    comment = stage.fake.answer_comment(SHOP, 1, first.id, f"/gracegate explain {PRESTOP}")
    opened.deliver("created", CommentCommand(1, comment), "pull_request_review_comment")
    opened.work()
    written, answer = stage.fake.pull(SHOP, 1).comments[1:]
    assert [one.content for one in written.reactions] == ["eyes"]
    assert (answer.author, answer.in_reply_to) == (stage.fake.app.login, first.id)
    assert answers(opened) == []


def test_an_answer_is_posted_once_whatever_fails(opened: Inbox) -> None:
    for when in ("before", "after"):
        opened.stage.fake.fault("POST", r"/issues/1/comments$", status=502, when=when)
        give(opened, f"/gracegate explain {PRESTOP}")
    assert len(answers(opened)) == 2
    comment = opened.stage.fake.comment(SHOP, 1, f"/gracegate explain {PRESTOP}")
    run = opened.stage.run(1, subject="command", event="issue_comment", comment_id=comment, starts=0)
    for starts in (0, 1):  # the worker dies after it has answered
        CommandReviewer(opened.stage.reviewer).review(replace(run, starts=starts), is_current)
    assert (len(answers(opened)), reactions(opened, comment)) == (3, ["eyes"])


def test_a_locked_conversation_takes_no_answer(opened: Inbox) -> None:
    opened.stage.fake.lock_pull_request(SHOP, 1)
    comment = give(opened, f"/gracegate explain {PRESTOP}\n/gracegate recheck")
    assert answers(opened) == []
    assert opened.conclusions(opened.stage.head()) == ["failure"]
    opened.stage.fake.unlock_pull_request(SHOP, 1)
    run = opened.stage.run(1, subject="command", event="issue_comment", comment_id=comment)
    CommandReviewer(opened.stage.reviewer).conclude_as_incomplete(run, "git took too long")
    assert answers(opened) == [
        "This could not be done, because of an error: git took too long. Write the command again later."
    ]
