"""One call: which errors it waits for, which calls are repeated, and which are never done twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited, Refused
from gracegate.github_app import Pace
from gracegate.github_app.pace import Pacer
from gracegate.github_app.retry import Retrier

Result = TypeVar("Result")
DOWN = GitHubUnavailable("down", status=502)
LIMIT = RateLimited("slow down", seconds=5.0)
LONG = RateLimited("slow down", seconds=500.0)
NEW = Gone("not known yet", status=404)
WRONG = Refused("wrong", status=422)


class Trial:
    """A retrier that does not wait; `do` fails with the given errors first."""

    def __init__(self, *errors: GitHubError, effect: bool = False) -> None:
        self.errors = list(errors)
        self.effect = effect
        self.done = 0
        self.waited: list[float] = []
        self.renewed = 0
        pace = Pace(
            write_gap=0.0, notify_gap=0.0, max_wait=20.0, backoff=(1.0, 2.0), late_effect=3.0, sleep=self.waited.append
        )
        self.retrier = Retrier(pace, Pacer(pace), self.renew)

    def renew(self) -> None:
        self.renewed += 1

    def do(self) -> str:
        self.done += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def find(self) -> str | None:
        return "found" if self.effect else None

    def outcome(self, how: str) -> str:
        methods: dict[str, Callable[[], str]] = {
            "read": lambda: self.retrier.read(self.do),
            "read new": lambda: self.retrier.read(self.do, is_new=True),
            "update": lambda: self.retrier.update(self.do, "check"),
            "create": lambda: self.retrier.create(self.do, self.find, "notification"),
        }
        try:
            return methods[how]()
        except GitHubError as error:
            return type(error).__name__


CASES = [
    pytest.param("read", (), "done", 1, [], id="nothing goes wrong"),
    pytest.param("read", (DOWN, DOWN), "done", 3, [1.0, 2.0], id="a read is repeated"),
    pytest.param("read", (DOWN,) * 3, "GitHubUnavailable", 3, [1.0, 2.0], id="a few times"),
    pytest.param("update", (DOWN, LIMIT, DOWN), "done", 4, [1.0, 5.0, 2.0], id="an update is repeated"),
    pytest.param("read", (NEW,), "Gone", 1, [], id="what is not found is gone"),
    pytest.param("read new", (NEW, NEW), "done", 3, [1.0, 2.0], id="a new object may not be found yet"),
    pytest.param("update", (WRONG,), "Refused", 1, [], id="a refused call is not repeated"),
    pytest.param("create", (LIMIT, LIMIT), "done", 3, [5.0, 5.0], id="a call that was rate-limited had no effect"),
    pytest.param("create", (LONG,), "RateLimited", 1, [], id="a long rate limit is raised"),
    pytest.param("read", (LIMIT,) * 6, "RateLimited", 5, [5.0] * 4, id="the waits of one call are limited"),
    pytest.param("create", (DOWN,) * 5, "GitHubUnavailable", 3, [1.0, 3.0, 2.0, 3.0], id="a post that never works"),
    pytest.param("create", (WRONG,), "Refused", 1, [], id="a post that is refused"),
]


@pytest.mark.parametrize(("how", "errors", "outcome", "done", "waited"), CASES)
def test_which_calls_are_repeated(
    how: str, errors: tuple[GitHubError, ...], outcome: str, done: int, waited: list[float]
) -> None:
    trial = Trial(*errors)
    assert (trial.outcome(how), trial.done, trial.waited) == (outcome, done, waited)


def test_a_post_whose_answer_was_lost_is_not_repeated() -> None:
    trial = Trial(DOWN, effect=True)
    assert (trial.outcome("create"), trial.done) == ("found", 1)


def test_a_token_is_renewed_once() -> None:
    bad = Gone("bad credentials", status=401)
    trial = Trial(bad)
    assert (trial.outcome("create"), trial.done, trial.renewed) == ("done", 2, 1)
    trial = Trial(bad, bad)
    assert (trial.outcome("read"), trial.done, trial.renewed) == ("Gone", 2, 1)
