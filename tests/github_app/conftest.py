"""The fake GitHub with one pull request, and a client that does not wait but records how long it would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gracegate.github_app import AppClient, Pace, RepositoryClient, TokenBroker
from tests.fakegithub.server import FakeGitHub

SHOP = "shop/web"


@dataclass
class Scenario:
    """A GitHub, a client of it, and the pull request under test."""

    fake: FakeGitHub
    pace: Pace
    waited: list[float]
    broker: TokenBroker
    client: AppClient
    installation: int
    repository_id: int
    number: int = 0
    head: str = ""
    clients: list[RepositoryClient] = field(default_factory=list)

    def repository(self) -> RepositoryClient:
        repository = self.client.repository(self.installation, self.repository_id, SHOP)
        self.clients.append(repository)
        return repository

    def repository_with_short_timeout(self) -> RepositoryClient:
        """A client that waits a second for an answer, to be closed."""
        return AppClient(self.broker, self.pace, timeout=1).repository(self.installation, self.repository_id, SHOP)

    def pace_of_the_clock(self) -> Pace:
        """A pace whose waits pass on the clock of the fake alone."""
        return replace(self.pace, sleep=self.fake.clock.advance)

    def pace_without_repeats(self) -> Pace:
        return replace(self.pace, backoff=())

    def requests(self, method: str = "", part: str = "") -> list[tuple[str, int]]:
        """The path below the repository, and the status, of each request that matches."""
        return [
            (one.path.removeprefix(f"/repos/{SHOP}"), one.status)
            for one in self.fake.log
            if one.method.startswith(method) and part in one.path
        ]


def lines(*changed: int) -> str:
    return "".join(f"line {number}{' changed' if number in changed else ''}\n" for number in range(1, 41))


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Scenario]:
    with FakeGitHub(tmp_path) as fake:
        repository = fake.create_repository(SHOP)
        fake.push(SHOP, "main", {"web.yaml": lines(), "old.yaml": lines(), "gone.yaml": "something else\n"})
        moved = {"old.yaml": None, "moved.yaml": lines(), "gone.yaml": None, "new.yaml": "a\nb\n"}
        head = fake.push(SHOP, "change", {"web.yaml": lines(10, 30), **moved}, onto="main")
        number = fake.open_pull_request(SHOP, "change")
        waited: list[float] = []
        pace = Pace(write_gap=0.0, notify_gap=0.0, max_wait=100.0, sleep=waited.append)
        broker = TokenBroker(str(fake.app.id), fake.app.private_key, fake.url, pace=pace)
        installation = next(iter(fake.world.installations))
        client = AppClient(broker, pace)
        scenario = Scenario(fake, pace, waited, broker, client, installation, repository.id, number, head)
        yield scenario
        for opened in scenario.clients:
            opened.__exit__(None, None, None)


@pytest.fixture
def repo(scenario: Scenario) -> RepositoryClient:
    return scenario.repository()
