"""The dashboard: how the repositories that a viewer may see fare, and a page for each of them.

What is read is bounded, however much is stored: some repositories at a time, and the newest reviews of each.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, request

from gracegate.errors import GitHubError
from gracegate.outputs import charts
from gracegate.policy import load_builtin
from gracegate.settings import Settings
from gracegate.store import (
    ListedRun,
    RecordedReview,
    RecordedWaiver,
    ReviewedRepository,
    Store,
    Transaction,
    reports,
    repositories,
    reviews,
    runs,
)
from gracegate.web.responses import message, page, sign_in_address, sign_in_links
from gracegate.web.viewers import current_viewer, has_sign_in, listed_repositories, may_read

log = structlog.get_logger(__name__)

REPOSITORIES = 30
"""How many repositories a page shows."""
REVIEWS_OF_EACH = 20
"""How many reviews of each of them are counted, the newest."""
REVIEWS_OF_ONE = 200
"""How many reviews the page of a repository counts."""
MOST_WAITING = 50
MOST_PULLS = 30
MOST_ROWS = 100
WEEKS = 12
_LARGEST_ID = 2**63 - 1

NOT_COVERED_WORDS = {
    "template": "templates that nobody renders",
    "fragment": "fragments of manifests",
    "not_followed": "bases and charts that are not here",
    "not_listed": "files that no kustomization lists",
    "not_rendered": "kustomizations and charts that were not rendered",
    "policies_not_used": "policy sets that the operator has not allowed",
    "rego": "rules that change",
    "owner_defaults": "defaults of the owner that cannot be read",
}
"""Why something is not covered, by the code of the problem (model.NOT_COVERED)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A repository with its newest reviews, the newest first."""

    repository: ReviewedRepository
    reviews: Sequence[RecordedReview]

    @property
    def outcomes(self) -> list[charts.Outcome]:
        """The oldest first."""
        return [outcome_of(one) for one in reversed(self.reviews)]

    @property
    def newest_of_pulls(self) -> list[RecordedReview]:
        """The newest review of each pull request: an earlier head says nothing about today."""
        by_number: dict[int, RecordedReview] = {}
        for one in self.reviews:
            by_number.setdefault(one.number, one)
        return list(by_number.values())


@dataclass(frozen=True, slots=True)
class RuleCount:
    """In how many pull requests a rule was found, and in how many of them it blocked."""

    rule: str
    pulls: int
    blocked: int


@dataclass(frozen=True, slots=True)
class ShownWaiver:
    """A waiver with the repository, and how long it goes on, in words."""

    repository: ReviewedRepository
    waiver: RecordedWaiver
    end: str
    is_over: bool


def blueprint(settings: Settings, store: Store) -> Blueprint:
    pages = Blueprint("dashboard", __name__)

    @pages.get("/dashboard")
    def show_dashboard() -> Response:
        also, is_complete = _listed()
        before = request.args.get("before", type=float)
        with store.reading() as tx:
            shown = repositories.reviewed(tx, also, before, REPOSITORIES + 1)
            rows = [_row(tx, one, REVIEWS_OF_EACH) for one in shown[:REPOSITORIES]]
            waiting = runs.unfinished(tx, MOST_WAITING, [row.repository.id for row in rows])
        return page(
            200,
            "dashboard.html",
            title="Dashboard",
            rows=rows,
            older=rows[-1].repository.reviewed_at if len(shown) > REPOSITORIES else None,
            is_first=before is None,
            is_complete=is_complete,
            may_sign_in=has_sign_in() and current_viewer() is None,
            sign_in_address=sign_in_address(),
            count=REVIEWS_OF_EACH,
            git_url=settings.git_url,
            **_summary(rows, waiting),
        )

    @pages.get("/dashboard/<int:repository_id>")
    def show_repository(repository_id: int) -> Response:
        if repository_id > _LARGEST_ID or not may_read(store, repository_id):
            return _no_repository()
        with store.reading() as tx:
            name = repositories.name_of(tx, repository_id)
            if name is None:
                return _no_repository()
            is_public = repositories.is_public(tx, repository_id)
            row = _row(tx, ReviewedRepository(repository_id, name, is_public, 0.0), REVIEWS_OF_ONE)
            pulls = row.newest_of_pulls[:MOST_PULLS]
            with_report = reports.stored_heads(tx, repository_id, [one.number for one in pulls])
            waiting = runs.unfinished(tx, MOST_WAITING, [repository_id])
        return page(
            200,
            "repository.html",
            title=name,
            row=row,
            repository_url=f"{settings.git_url}/{name}",
            weeks=_weeks(row.reviews),
            outcome_of=outcome_of,
            with_report=with_report,
            pulls=pulls,
            **_summary([row], waiting),
        )

    return pages


def outcome_of(review: RecordedReview) -> charts.Outcome:
    """How a review ended, as the charts show it."""
    if review.verdict == "fail":
        return "fail"
    if review.verdict == "incomplete":
        return "incomplete"
    return "pass" if review.conclusion == "success" else "remarks"


def rule_counts(rows: Iterable[Row]) -> list[RuleCount]:
    """The rules that were found in most pull requests, these first."""
    pulls, blocked = Counter[str](), Counter[str]()
    for row in rows:
        for review in row.newest_of_pulls:
            pulls.update({one.rule for one in review.findings})
            blocked.update({one.rule for one in review.findings if one.blocks})
    found = [RuleCount(rule, count, blocked[rule]) for rule, count in pulls.items()]
    return sorted(found, key=lambda one: (-one.pulls, one.rule))[:MOST_ROWS]


def waivers_in_force(rows: Iterable[Row], today: dt.date) -> list[ShownWaiver]:
    """The waivers of the newest reviews, each once: those that end first come first, those without an end last."""
    found = {
        (row.repository.id, waiver): ShownWaiver(row.repository, waiver, *_end(waiver, today))
        for row in rows
        for review in row.newest_of_pulls
        for waiver in review.waivers
    }

    def order(one: ShownWaiver) -> tuple[str, str, str, str]:
        return one.waiver.until or "9999", one.repository.full_name, one.waiver.rule, one.waiver.object

    return sorted(found.values(), key=order)[:MOST_ROWS]


def not_covered(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Why something was not covered, with how often, the most frequent first."""
    counts = Counter[str]()
    for row in rows:
        for review in row.newest_of_pulls:
            counts.update(review.not_covered)
    return [(NOT_COVERED_WORDS.get(code, code), count) for code, count in counts.most_common()]


def _summary(rows: Sequence[Row], waiting: Sequence[ListedRun]) -> dict[str, object]:
    today = dt.datetime.now(dt.UTC).date()
    return {
        "outcomes": [outcome_of(one) for row in rows for one in row.reviews],
        "rules": rule_counts(rows),
        "built_in": load_builtin().rules.keys(),
        "waivers": waivers_in_force(rows, today),
        "not_covered": not_covered(rows),
        "waiting": [one for one in waiting if one.number],
    }


def _end(waiver: RecordedWaiver, today: dt.date) -> tuple[str, bool]:
    if waiver.until is None:
        return "no end", False
    try:
        days = (dt.date.fromisoformat(waiver.until) - today).days
    except ValueError:
        return waiver.until, False
    if days < 0:
        return f"{waiver.until}, over", True
    return f"{waiver.until}, {'today' if days == 0 else f'in {days} days' if days > 1 else 'tomorrow'}", False


def _weeks(found: Sequence[RecordedReview]) -> list[tuple[str, Mapping[charts.Outcome, int]]]:
    """The last weeks up to today's, by their Mondays, with what is in them of these reviews."""
    today = dt.datetime.now(dt.UTC).date()
    this_week = today - dt.timedelta(days=today.weekday())
    mondays = [this_week - dt.timedelta(weeks=number) for number in reversed(range(WEEKS))]
    counts = {monday: Counter[charts.Outcome]() for monday in mondays}
    for one in found:
        day = dt.datetime.fromtimestamp(one.concluded_at, dt.UTC).date()
        monday = day - dt.timedelta(days=day.weekday())
        if monday in counts:
            counts[monday][outcome_of(one)] += 1
    return [(monday.isoformat(), counts[monday]) for monday in mondays]


def _row(tx: Transaction, repository: ReviewedRepository, count: int) -> Row:
    return Row(repository, reviews.newest_of_all_heads(tx, repository.id, count))


def _listed() -> tuple[Sequence[int], bool]:
    """The repositories that the viewer was given access to; not complete where GitHub does not say."""
    try:
        return [number for number, access in listed_repositories().items() if access != "none"], True
    except GitHubError as error:
        log.warning("repositories_not_listed", error=str(error))
        return [], False


def _no_repository() -> Response:
    why = "There is no repository at this address that you may see."
    return message(404, "No such repository", why, links=[*sign_in_links(), ("/dashboard", "Dashboard")])
