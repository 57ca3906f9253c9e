"""A fake GitHub with one repository, and a reviewer of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gracegate.git import ReadLimits, TreeFetcher
from gracegate.github_app import AppClient, Pace, TokenBroker
from gracegate.jobs.runner import Runner
from gracegate.model import parse_policy_source
from gracegate.policy.engines import PolicyEngines
from gracegate.policy.sets import MemoryRecords, PolicySets
from gracegate.policy.sources import MAX_BYTES, PolicyFetcher
from gracegate.rendering import WasmRenderer, find_renderer
from gracegate.review.base_branch import BaseBranchReviewer
from gracegate.review.command_reviewer import CommandReviewer
from gracegate.review.comment_poster import CommentPoster
from gracegate.review.impact_reviewer import ImpactReviewer
from gracegate.review.merge_group import MergeGroupReviewer
from gracegate.review.named_policies import NamedPolicyReader
from gracegate.review.owner_defaults_reader import OwnerDefaultsReader
from gracegate.review.policy_reviewer import PolicyReviewer, policy_poster
from gracegate.review.policy_sets import build_policy_fetcher
from gracegate.review.reviewer import PullRequestReviewer
from gracegate.review.run_reviewer import RunReviewer
from gracegate.review.suggestion_committer import SuggestionCommitter
from gracegate.settings import JobSettings, Settings, child_environment, find_opa
from gracegate.store import Delivery, PullHead, Run, Store, Subject, deliveries
from gracegate.store.tables import HEAD, RUN
from tests.fakegithub.server import FakeGitHub
from tests.postgresql import create_database
from tests.runs import claim
from tests.shop import SERVICE

SHOP = "shop/web"
JOBS = JobSettings(backoff=0.0)
NUMBER = 1
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
        """The only run, which this worker is doing."""
        names = {"id": "r", "delivery_id": "d", "event": "pull_request", "action": "opened", "repository": SHOP}
        ids = {"installation_id": self.installation, "repository_id": self.repository_id, "number": number}
        counts = {"fence": 1, "starts": 1, "failures": 0, "crashes": 0, "error": None}
        run = Run(**(names | ids | counts | {"head_sha": self.head()} | more))
        with self.reviewer.store.transaction() as tx:
            for table in (RUN, HEAD):
                tx.execute(table.delete())
            queue = {"state": "running", "partition": f"{run.repository_id}/{number}", "waits_for_siblings": False}
            times = dict.fromkeys(("created_at", "updated_at", "due_at"), 0.0)
            tx.execute(RUN.insert().values(**asdict(run), **queue, **times))
            head = {"repository_id": run.repository_id, "number": number, "sha": run.head_sha}
            tx.execute(HEAD.insert().values(**head, run_id=run.id, closed=False, updated_at=0.0))
        return run

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
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: a SQLite file, unless the test is marked `on_both_databases`."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return create_database(request.getfixturevalue("postgresql_server"))
    return f"sqlite:///{tmp_path / 'gracegate.db'}"


@pytest.fixture(scope="session")
def renderer() -> Path:
    """The renderer, compiled for all; the tests that need it are skipped by name where it is not built."""
    if (wasm := find_renderer()) is None:
        pytest.skip("needs the renderer: run `make tools`")
    assert WasmRenderer(wasm, wasm.with_name("compiled")).load() is None
    return wasm


def policy_sets(data: Path, *sources: str) -> PolicySets:
    """The policy sets of an operator in folders."""
    trees = TreeFetcher(data / "policy-git", limits=ReadLimits(MAX_BYTES, MAX_BYTES))
    fetcher = PolicyFetcher(trees, "http://127.0.0.1:1", lambda _: None)
    return PolicySets(map(parse_policy_source, sources), fetcher, find_opa, data, MemoryRecords())


@pytest.fixture
def stage(tmp_path: Path, database: str) -> Iterator[Stage]:
    with FakeGitHub(tmp_path / "github") as fake:
        repository = fake.create_repository(SHOP)
        fake.push(SHOP, "main", {"service.yaml": SERVICE})
        settings = Settings(
            app_id=str(fake.app.id),
            private_key=fake.app.private_key,
            webhook_secrets=("s",),
            comment_signing_keys=("k",),
            data_dir=tmp_path / "data",
            database=database,
            github_url=fake.url,
            git_url=fake.git_url,
        )
        store = Store(settings.database)
        store.migrate()
        client = AppClient(TokenBroker(str(fake.app.id), fake.app.private_key, fake.url, pace=PACE), PACE)
        reviewer = PullRequestReviewer(
            settings=settings,
            client=client,
            fetcher=TreeFetcher(tmp_path / "git", environment=child_environment()),
            engines=PolicyEngines(None, None, 60),
            policies=policy_sets(tmp_path / "data"),
            named_policies=NamedPolicyReader(build_policy_fetcher(settings, client)),
            owner_defaults=OwnerDefaultsReader(client),
            store=store,
            poster=CommentPoster((b"k",)),
        )
        yield Stage(fake, reviewer, next(iter(fake.world.installations)), repository.id)
        store.engine.dispose()


def do_during_review(stage: Stage, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Makes something happen between fetching and publishing, where a review spends most of its time."""
    check = PullRequestReviewer.check

    def check_meanwhile(self: PullRequestReviewer, *arguments):
        happens()
        return check(self, *arguments)

    monkeypatch.setattr(PullRequestReviewer, "check", check_meanwhile)


def policy_reviewer(reviewer: PullRequestReviewer, kind: type[PolicyReviewer] = PolicyReviewer) -> Any:
    parts = {name: getattr(reviewer, name) for name in ("settings", "client", "fetcher", "store")}
    return kind(**parts, poster=policy_poster((b"k",)))


@dataclass
class Inbox:
    """What the web and a worker do, in this process: deliveries are queued, and their runs done one after another."""

    stage: Stage
    runner: Runner
    delivered: int = 0

    def deliver(self, action: str, subject: str | Subject, event: str = "pull_request") -> None:
        """A delivery about a head of pull request NUMBER, or about something else."""
        self.delivered += 1
        if isinstance(subject, str):
            subject = PullHead(NUMBER, subject)
        ids = (self.stage.installation, self.stage.repository_id)
        delivery = Delivery(str(self.delivered), event, action, *ids, SHOP)
        with self.stage.reviewer.store.transaction() as tx:
            deliveries.accept(tx, delivery, [subject])

    def deliver_to(self, number: int, sha: str) -> None:
        """A delivery about a head of another pull request."""
        self.deliver("opened", PullHead(number, sha))

    def work(self) -> None:
        while waiting := self.waiting():
            for run_id in waiting:
                self.perform(run_id)

    def perform(self, run_id: str) -> str | None:
        """Does a run, whether or not it is due; None if it need not be done any more."""
        run = claim(self.stage.reviewer.store, run_id)
        return self.runner.perform(run) if run is not None else None

    def waiting(self) -> list[str]:
        """The runs to do; those that wait for others with their head are not."""
        query = sa.select(RUN.c.id).where(RUN.c.state == "waiting", ~RUN.c.waits_for_siblings)
        with self.stage.reviewer.store.reading() as tx:
            return list(tx.scalars(query.order_by(RUN.c.created_at, RUN.c.id)))

    def known(self) -> tuple[str, bool]:
        """The head, and whether the pull request is closed."""
        with self.stage.reviewer.store.transaction() as tx:
            row = tx.execute(HEAD.select()).one()
        return row.sha, row.closed

    def push(self, text: str) -> str:
        return self.stage.fake.push(SHOP, "change", {"README.md": text}, onto="main")

    def conclusions(self, sha: str) -> list[str | None]:
        """Of the checks of a commit, oldest first; None is in progress."""
        return [run.conclusion for run in self.stage.fake.world.check_runs.values() if run.head_sha == sha]


@pytest.fixture
def inbox(stage: Stage) -> Inbox:
    store = stage.reviewer.store
    parts = {field.name: getattr(stage.reviewer, field.name) for field in fields(stage.reviewer)}
    reviewer = RunReviewer(
        stage.reviewer,
        MergeGroupReviewer(**parts),
        BaseBranchReviewer(stage.reviewer.client),
        policy_reviewer(stage.reviewer),
        policy_reviewer(stage.reviewer, ImpactReviewer),
        CommandReviewer(stage.reviewer),
        SuggestionCommitter(stage.reviewer),
    )
    return Inbox(stage, Runner(store, reviewer, JOBS))
