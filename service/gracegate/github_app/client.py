"""Clients of GitHub's API: one for the App itself, one for each repository that a job works on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from github import Auth, Github
from github.Repository import Repository
from github.Requester import Requester

from gracegate.github_app.auth import API_VERSION, TokenBroker
from gracegate.github_app.retry import Calls, Pace, Pacer

Result = TypeVar("Result")

READING: Mapping[str, str] = {"contents": "read"}
"""What fetching with git needs."""
WRITING: Mapping[str, str] = {"checks": "write", "contents": "read", "pull_requests": "write"}
"""What a review needs."""


class Client:
    """All of GitHub for one App; the writes of an installation are paced over all its repositories."""

    def __init__(self, broker: TokenBroker, pace: Pace = Pace(), *, timeout: int = 15) -> None:  # noqa: B008 - frozen
        self._broker = broker
        self._pace = pace
        self._timeout = timeout
        self._lock = threading.Lock()
        self._pacers: dict[int, Pacer] = {}
        self._slug: str | None = None

    def app_slug(self) -> str:
        """The App's name in addresses; its comments are by `<slug>[bot]`."""
        if self._slug is None:
            self._slug = str(self.app("/app")["slug"])
        return self._slug

    def app(self, path: str) -> Any:
        """A GET as the App itself: JSON, all pages of it where it is a list."""
        with self._github(self._broker.app_auth) as github:
            return Calls(self._pace, self._pacer(0)).read(lambda: _pages(github.requester, path))

    def installation(self, installation_id: int, path: str, key: str) -> list[Any]:
        """A GET as an installation with all its repositories: the items under `key`, of all pages."""
        auth = BrokeredAuth(self._broker, installation_id, None, {"metadata": "read"})
        with self._github(auth) as github:
            calls = Calls(self._pace, self._pacer(installation_id), auth.renew)
            return calls.read(lambda: _pages(github.requester, path, key))

    def repository(
        self, installation_id: int, repository_id: int, full_name: str, permissions: Mapping[str, str] = WRITING
    ) -> RepositoryClient:
        """A client of one repository, for one thread; close it."""
        auth = BrokeredAuth(self._broker, installation_id, repository_id, permissions)
        calls = Calls(self._pace, self._pacer(installation_id), auth.renew)
        return RepositoryClient(self._github(auth), full_name, calls, self)

    def git_token(self, installation_id: int, repository_id: int) -> str:
        """A token for fetching with git, and for nothing else."""
        return self._broker.token(installation_id, repository_id, READING)

    @property
    def app_id(self) -> int:
        return self._broker.app_id

    def _pacer(self, installation_id: int) -> Pacer:
        with self._lock:
            return self._pacers.setdefault(installation_id, Pacer(self._pace))

    def _github(self, auth: Auth.Auth) -> Github:
        # PyGithub's own retries post twice and never try a PATCH again; its pacing knows one object only.
        return Github(
            auth=auth,
            base_url=self._broker.api_url,
            timeout=self._timeout,
            per_page=100,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version=API_VERSION,
            user_agent="gracegate",
        )


class RepositoryClient:
    """One repository. What is passed in gets PyGithub's Repository and returns plain data."""

    def __init__(self, github: Github, full_name: str, calls: Calls, client: Client) -> None:
        self.full_name = full_name
        self.app_id = client.app_id
        self.app_slug = client.app_slug
        self._github = github
        self._repository = github.get_repo(full_name)
        self._calls = calls

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._github.close()

    def read(self, do: Callable[[Repository], Result], *, fresh: bool = False) -> Result:
        """See Calls.read."""
        return self._calls.read(lambda: do(self._repository), fresh=fresh)

    def update(self, do: Callable[[Repository], Result]) -> Result:
        """See Calls.update."""
        return self._calls.update(lambda: do(self._repository))

    def create(
        self, do: Callable[[Repository], Result], find: Callable[[Repository], Result | None], *, notifies: bool = False
    ) -> Result:
        """See Calls.create."""
        repository = self._repository
        return self._calls.create(lambda: do(repository), lambda: find(repository), notifies=notifies)


class BrokeredAuth(Auth.Auth):
    """PyGithub's authentication by a broker: each request asks for the token of the moment."""

    def __init__(
        self, broker: TokenBroker, installation_id: int, repository_id: int | None, permissions: Mapping[str, str]
    ) -> None:
        self._broker = broker
        self._scope = (installation_id, repository_id, permissions)
        self._last = ""

    @property
    def token_type(self) -> str:
        return "token"

    @property
    def token(self) -> str:
        self._last = self._broker.token(*self._scope)
        return self._last

    @property
    def _masked_token(self) -> str:
        return "token (installation token removed)"

    def renew(self) -> None:
        """Drops the token that was used last."""
        self._broker.invalidate(self._last)


def _pages(requester: Requester, path: str, key: str | None = None) -> Any:
    found: list[Any] = []
    for page in range(1, 1001):
        _, data = requester.requestJsonAndCheck("GET", path, {"per_page": 100, "page": page})
        items = data if key is None else data[key]
        if not isinstance(items, list):
            return items
        found += items
        if len(items) < 100:
            break
    return found
