"""Open pull requests with one head, in any order: GitHub lets none merge before each has its verdict, and all pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from gracegate.errors import GitHubUnavailable
from gracegate.github_app import checks
from gracegate.model import Report
from gracegate.outputs import CheckOutput
from gracegate.review.reviewer import PullRequestReviewer, unevaluated_report
from gracegate.review.siblings import share_conclusion, waiting_output
from gracegate.store import Delivery, PullHead, Sibling, deliveries, runs
from gracegate.store.tables import RUN
from tests.review.conftest import SHOP, Inbox
from tests.runs import unfinished

on_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
ONE_CHECK = "GitHub has one check for a commit, so the worst verdict counts for all pull requests with this head."
OWN = CheckOutput("neutral", "1 warning", "All of it", ())


class Killed(BaseException):
    """Ends an attempt as a kill of its worker does: nothing is written after it."""


@dataclass
class Siblings:
    """Pull requests of one branch, each into a base branch of its own, which decide by `verdicts` what they get."""

    inbox: Inbox
    verdicts: dict[int, str]
    head: str = ""
    during: dict[int, Callable[[], None]] = field(default_factory=dict)
    """What happens while a pull request is evaluated, once."""
    gates: list[set[int]] = field(default_factory=list)
    """The pull requests that GitHub would let merge, after each change of a check."""
    evaluated: list[int] = field(default_factory=list)
    """In their order."""

    def open(self, number: int) -> None:
        fake = self.inbox.stage.fake
        base = f"base-{number}"
        fake.move_branch(SHOP, base, fake.repository(SHOP).branch("main"))
        fake.require_checks(SHOP, base, ["gracegate"])
        assert fake.open_pull_request(SHOP, "change", base) == number
        self.deliver(number)

    def deliver(self, number: int) -> None:
        """Queues a run of the pull request, with the head that it has now."""
        self.inbox.delivered += 1
        ids = (self.inbox.stage.installation, self.inbox.stage.repository_id)
        head = self.inbox.stage.fake.pull(SHOP, number).head_sha
        delivery = Delivery(f"{self.inbox.delivered}", "pull_request", "opened", *ids, SHOP)
        with self.inbox.stage.reviewer.store.transaction() as tx:
            deliveries.accept(tx, delivery, [PullHead(number, head)])

    def review(self, number: int, other: int | None = None) -> None:
        """Does the run of a pull request, and that of another one meanwhile."""
        if other is not None:
            self.during[number] = lambda: self.review(other)
        for run_id in self.inbox.waiting():
            if run_id.endswith(f"/{number}"):
                self.inbox.perform(run_id)

    def take_over(self) -> None:
        """What the reaper does after the death of a worker, and then the rest."""
        with self.inbox.stage.reviewer.store.transaction() as tx:
            for row in tx.execute(RUN.select().where(RUN.c.state == "running")).all():
                runs.requeue(tx, row.id, row.fence, cost="crashes")
        self.inbox.work()

    def close(self, number: int) -> None:
        self.inbox.stage.fake.close_pull_request(SHOP, number)
        self.deliver(number)

    def gate(self) -> set[int]:
        world = self.inbox.stage.fake.world
        pulls = self.inbox.stage.fake.repository(SHOP).pulls.values()
        return {pull.number for pull in pulls if pull.state == "open" and not world.blocking(pull)}

    def conclusion(self) -> str | None:
        """Of the check that counts."""
        fake = self.inbox.stage.fake
        return fake.world.runs(fake.repository(SHOP), self.head)[0].conclusion


@pytest.fixture
def siblings(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Siblings:
    made = Siblings(inbox, {1: "fail", 2: "pass", 3: "pass"})
    made.head = inbox.push("one")
    edit = checks._edit

    def check(_self: PullRequestReviewer, run: runs.Run, *_arguments: object) -> Report:
        made.evaluated.append(run.number)
        made.during.pop(run.number, lambda: None)()
        return replace(unevaluated_report("stub"), verdict=made.verdicts[run.number], problems=())

    def edit_and_look(*arguments: object, **more: object) -> checks.CheckRun:
        edited = edit(*arguments, **more)  # type: ignore[arg-type]
        made.gates.append(made.gate())
        return edited

    monkeypatch.setattr(PullRequestReviewer, "check", check)
    monkeypatch.setattr(checks, "_edit", edit_and_look)
    return made


def kill(monkeypatch: pytest.MonkeyPatch, module: object, name: str, when: str) -> None:
    """The next call of a function ends the attempt, before or after it does its work."""
    function = getattr(module, name)

    def killed(*arguments: object, **more: object) -> None:
        monkeypatch.setattr(module, name, function)
        if when == "after":
            function(*arguments, **more)
        raise Killed

    monkeypatch.setattr(module, name, killed)


# Both are queued before anything is reviewed. Then these are reviewed: one, or one while the other is.
ORDERS = {"1 first": (1, None), "2 first": (2, None), "2 during 1": (1, 2), "1 during 2": (2, 1)}
each_order = pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)


@on_both_databases
@each_order
@pytest.mark.parametrize("verdicts", [("pass", "pass"), ("fail", "pass"), ("fail", "fail")])
def test_the_worse_verdict_stands_whatever_the_order(
    siblings: Siblings, verdicts: tuple[str, str], order: tuple[int, int | None]
) -> None:
    siblings.verdicts.update(zip((1, 2), verdicts, strict=True))
    siblings.open(1)
    siblings.open(2)
    siblings.review(*order)
    siblings.inbox.work()
    passes = verdicts == ("pass", "pass")
    assert siblings.conclusion() == ("success" if passes else "failure")
    assert siblings.gate() == ({1, 2} if passes else set())
    if not passes:
        assert siblings.gates == [set()] * len(siblings.gates)
    # Who waits is evaluated once more.
    assert sorted(siblings.evaluated) in ([1, 2], [1, 1, 2], [1, 2, 2])
    assert None not in siblings.inbox.conclusions(siblings.head)


@on_both_databases
@each_order
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("verdicts", [("pass", "pass"), ("fail", "pass")])
def test_a_worker_that_dies_when_it_concludes_opens_no_gate(
    siblings: Siblings,
    verdicts: tuple[str, str],
    order: tuple[int, int | None],
    when: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the verdict in the database and the conclusion on GitHub, or before the end of the run is recorded."""
    siblings.verdicts.update(zip((1, 2), verdicts, strict=True))
    siblings.open(1)
    siblings.open(2)
    kill(monkeypatch, checks, "conclude", when)
    with contextlib.suppress(Killed):
        siblings.review(*order)
        siblings.inbox.work()
    siblings.take_over()
    passes = verdicts == ("pass", "pass")
    assert (siblings.conclusion(), siblings.gate()) == (("success", {1, 2}) if passes else ("failure", set()))
    if not passes:
        assert siblings.gates == [set()] * len(siblings.gates)
    assert siblings.inbox.waiting() == []


def test_a_pull_request_that_is_opened_later_takes_the_green_back(siblings: Siblings) -> None:
    siblings.verdicts.update({1: "pass", 2: "fail"})
    siblings.open(1)
    siblings.inbox.work()
    assert siblings.gate() == {1}
    siblings.open(2)
    siblings.during[2] = lambda: siblings.gates.append(siblings.gate())
    siblings.inbox.work()
    assert (siblings.gates[-2:], siblings.gate()) == ([set(), set()], set())


@on_both_databases
@pytest.mark.parametrize("leave", ["closed", "merged elsewhere", "another head"])
def test_the_check_follows_when_the_failing_one_leaves(siblings: Siblings, leave: str) -> None:
    fake = siblings.inbox.stage.fake
    siblings.open(1)
    siblings.open(2)
    siblings.inbox.work()
    assert siblings.gate() == set()
    if leave == "another head":
        fake.fork(SHOP, "eve")
        fake.pull(SHOP, 1).head_sha = fake.push(SHOP, "other", {"README.md": "two"}, onto="main")
        fake.pull(SHOP, 1).head_ref = "other"
        siblings.deliver(1)
    elif leave == "merged elsewhere":
        fake.pull(SHOP, 1).state = "closed"
        siblings.deliver(1)
    else:
        siblings.close(1)
    siblings.inbox.work()
    assert (siblings.conclusion(), siblings.gate()) == ("success", {2})


def test_a_cancelled_check_hides_no_verdict(siblings: Siblings) -> None:
    """2 starts the newest check of the commit, and is closed before it is evaluated."""
    siblings.verdicts[1] = "pass"
    siblings.open(1)
    siblings.inbox.work()
    siblings.open(2)
    siblings.during[2] = lambda: siblings.close(2)
    siblings.inbox.work()
    assert (siblings.conclusion(), siblings.gate()) == ("success", {1})


def test_a_closed_pull_request_of_which_no_webhook_told_does_not_count(siblings: Siblings) -> None:
    siblings.open(1)
    siblings.inbox.work()
    siblings.inbox.stage.fake.close_pull_request(SHOP, 1)
    siblings.open(2)
    siblings.inbox.work()
    assert siblings.gate() == {2}


def test_a_new_run_of_a_pull_request_takes_its_earlier_verdict_back(siblings: Siblings) -> None:
    siblings.verdicts[1] = "pass"
    siblings.open(1)
    siblings.open(2)
    siblings.inbox.work()
    assert siblings.gate() == {1, 2}
    siblings.verdicts[1] = "fail"
    siblings.deliver(2)
    siblings.deliver(1)
    siblings.gates.clear()
    siblings.during[1] = lambda: siblings.review(2)
    siblings.review(1)
    siblings.inbox.work()
    assert (siblings.conclusion(), siblings.gates) == ("failure", [set()] * len(siblings.gates))


def test_a_run_that_died_counts_as_incomplete(siblings: Siblings) -> None:
    def fail() -> None:
        raise GitHubUnavailable("502")

    siblings.open(1)
    siblings.open(2)
    siblings.review(2)
    for _ in range(8):
        siblings.during[1] = fail
        siblings.review(1)
    siblings.inbox.work()
    assert (siblings.conclusion(), siblings.gate(), siblings.inbox.waiting()) == ("failure", set(), [])
    siblings.close(1)
    siblings.inbox.work()
    assert siblings.gate() == {2}


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_three_pull_requests(siblings: Siblings, order: tuple[int, ...]) -> None:
    siblings.verdicts[1] = "pass"
    for number in (1, 2, 3):
        siblings.open(number)
    for number in order:
        assert siblings.gate() == set()
        siblings.review(number)
    siblings.inbox.work()
    assert siblings.gate() == {1, 2, 3}
    assert len(siblings.evaluated) == 5


def test_who_waits_says_for_whom_and_is_not_evaluated_in_vain(siblings: Siblings) -> None:
    siblings.open(1)
    siblings.open(2)
    siblings.review(2)
    (run,) = siblings.inbox.stage.fake.world.check_runs.values()
    assert (run.status, run.title) == ("in_progress", "Waiting for #1, which has the same head")
    (run_id,) = (one for one in unfinished(siblings.inbox.stage.reviewer.store) if one.endswith("/2"))
    assert siblings.inbox.perform(run_id) == "waiting"
    assert siblings.evaluated == [2]


@pytest.mark.parametrize(
    ("own", "others", "shared"),
    [
        ("success", [], "success"),
        ("neutral", [], "neutral"),
        ("failure", ["", "success"], "failure"),
        ("success", ["success", "neutral"], "neutral"),
        ("neutral", ["success"], "neutral"),
        ("success", ["success", "failure"], "failure"),
        ("success", ["", "failure"], "failure"),
        ("success", [""], None),
        ("neutral", ["", "success"], None),
    ],
)
def test_the_worst_conclusion_is_shared(own: str, others: list[str], shared: str | None) -> None:
    siblings = [Sibling(number, f"verdict-{number}", other) for number, other in enumerate(others, start=2)]
    output = share_conclusion(replace(OWN, conclusion=own), siblings)
    assert (None if output is None else output.conclusion) == shared
    if output is not None and shared == own:
        assert output == replace(OWN, conclusion=own)


def test_the_texts_name_the_other_pull_requests() -> None:
    shared = share_conclusion(OWN, [Sibling(7, "fail", "failure"), Sibling(8, "", "")])
    assert shared == CheckOutput(
        "failure",
        "Pull request #7 has the same head and does not pass",
        f"Pull request #7 has the same head commit, and its verdict is `fail`. {ONE_CHECK} This one is free again when"
        " #7 passes or is closed, or when its branch gets another commit.\n\nAll of it",
        (),
    )
    waiting = waiting_output(OWN, [Sibling(7, "pass", "success"), Sibling(8, "", ""), Sibling(9, "", "")])
    assert (waiting.title, waiting.summary.partition("\n")[0]) == (
        "Waiting for #8, #9, which have the same head",
        f"This pull request is evaluated. {ONE_CHECK} The check is concluded when #8, #9 are evaluated too.",
    )
