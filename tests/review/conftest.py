"""A fake GitHub with one repository, and a reviewer of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gracegate.git import TreeFetcher
from gracegate.github_app import AppClient, Pace, TokenBroker
from gracegate.policy.engines import PolicyEngines
from gracegate.review.comment_poster import CommentPoster
from gracegate.review.reviewer import PullRequestReviewer
from gracegate.settings import Settings, child_environment
from gracegate.store import Run, Store
from tests.fakegithub.server import FakeGitHub
from tests.shop import SERVICE

SHOP = "shop/web"
PACE = Pace(write_gap=0.0, notify_gap=0.0, sleep=lambda _: None)


def is_current() -> None:
    """As jobs.Reviewer's check_current when this review may write."""


@dataclass
class Stage:
    """A fake GitHub with one repository, and a reviewer of it."""

    fake: FakeGitHub
    reviewer: PullRequestReviewer
    installation: int
    repository_id: int

    def open_pull_request(self, files: dict[str, str]) -> int:
        self.fake.push(SHOP, "change", files, onto="main")
        return self.fake.open_pull_request(SHOP, "change")

    def run(self, number: int, **more) -> Run:
        names = {"id": "r", "delivery_id": "d", "event": "pull_request", "action": "opened", "repository": SHOP}
        ids = {"installation_id": self.installation, "repository_id": self.repository_id, "number": number}
        counts = {"fence": 1, "starts": 1, "failures": 0, "crashes": 0, "error": None}
        return Run(**(names | ids | counts | {"head_sha": self.head()} | more))

    def head(self) -> str:
        return self.fake.pull(SHOP, 1).head_sha

    def checks(self) -> list[tuple[str, str | None]]:
        return [(run.status, run.conclusion) for run in self.fake.world.check_runs.values()]

    def comments(self, number: int) -> list[tuple[str, int | None, str]]:
        """Path, line and first line of the text."""
        comments = self.fake.pull(SHOP, number).comments
        return [(c.anchor.path, c.anchor.line, c.body.split("\n", maxsplit=1)[0]) for c in comments]

    def writes(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.fake.log if one.method in {"POST", "PATCH"}]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with FakeGitHub(tmp_path / "github") as fake:
        repository = fake.create_repository(SHOP)
        fake.push(SHOP, "main", {"service.yaml": SERVICE})
        settings = Settings(
            app_id=str(fake.app.id),
            private_key=fake.app.private_key,
            webhook_secrets=("s",),
            comment_signing_keys=("k",),
            data_dir=tmp_path / "data",
            database=f"sqlite:///{tmp_path / 'gracegate.db'}",
            github_url=fake.url,
            git_url=fake.git_url,
        )
        store = Store(settings.database)
        store.migrate()
        reviewer = PullRequestReviewer(
            settings=settings,
            client=AppClient(TokenBroker(str(fake.app.id), fake.app.private_key, fake.url, pace=PACE), PACE),
            fetcher=TreeFetcher(tmp_path / "git", environment=child_environment()),
            engines=PolicyEngines(None, None, 60),
            store=store,
            poster=CommentPoster((b"k",)),
        )
        yield Stage(fake, reviewer, next(iter(fake.world.installations)), repository.id)
        store.engine.dispose()


def do_during_review(stage: Stage, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Makes something happen between fetching and publishing, where a review spends most of its time."""
    check = PullRequestReviewer._check

    def check_meanwhile(self: PullRequestReviewer, *arguments):
        happens()
        return check(self, *arguments)

    monkeypatch.setattr(PullRequestReviewer, "_check", check_meanwhile)
