"""Clients of GitHub's API: one for the App, and one for each repository that a job works on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from github import Auth
from github.Repository import Repository
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester, RequestsResponse

from gracegate.errors import GitHubError
from gracegate.github_app.answers import API_VERSION, USER_AGENT, send
from gracegate.github_app.auth import TokenBroker
from gracegate.github_app.graphql import is_query
from gracegate.github_app.pace import LocalWriteBudget, Pace, Pacer, WriteBudget, WriteKind
from gracegate.github_app.retry import Retrier
from gracegate.github_app.writes import RecordWrite, describe_write, without_record

Result = TypeVar("Result")

_MEMORY = 300.0
"""Seconds for which it is known what an installation has granted."""

READ_PERMISSIONS: Mapping[str, str] = {"contents": "read"}
"""What git needs to fetch."""
REVIEW_PERMISSIONS: Mapping[str, str] = {"checks": "write", "contents": "read", "pull_requests": "write"}
"""What a review needs."""
PUSH_PERMISSIONS: Mapping[str, str] = {"contents": "write", "pull_requests": "write"}
"""What it takes to commit to a branch, and to resolve a thread; an installation need not have granted it."""
SWEEP_PERMISSIONS: Mapping[str, str] = {"checks": "read", "contents": "read", "pull_requests": "read"}
"""What finding pull requests and merge groups without a check needs; contents are the branches of the latter."""


class AppClient:
    """GitHub for one App. The writes of an installation are paced over all its repositories, by `budget`.

    `record` is told of the writes that are the App's own, and those to a repository are told to the one given there.
    """

    def __init__(
        self,
        broker: TokenBroker,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        budget: WriteBudget | None = None,
        *,
        timeout: int = 15,
        record: RecordWrite = without_record,
    ) -> None:
        self._broker = broker
        self._pace = pace
        self._budget = budget or LocalWriteBudget()
        self._timeout = timeout
        self._record = record
        self._app: tuple[int, str] | None = None
        self._may_push: dict[int, tuple[float, bool]] = {}

    def app_id(self) -> int:
        """The App's number, by which its check runs are known."""
        issuer = self._broker.issuer
        return int(issuer) if issuer.isdecimal() else self._read_app()[0]

    def app_slug(self) -> str:
        """The App's name in URLs."""
        return self._read_app()[1]

    def _read_app(self) -> tuple[int, str]:
        """The App's number and name. Asks GitHub the first time."""
        if self._app is None:
            app = self.read_as_app(lambda requester: requester.requestJsonAndCheck("GET", "/app")[1])
            self._app = (int(app["id"]), str(app["slug"]))
        return self._app

    def may_push(self, installation_id: int) -> bool:
        """Whether an installation has granted PUSH_PERMISSIONS. What GitHub has said is remembered for a while."""
        asked_at, may_push = self._may_push.get(installation_id, (-_MEMORY, False))
        if time.monotonic() - asked_at < _MEMORY:
            return may_push
        path = f"/app/installations/{installation_id}"
        found = self.read_as_app(lambda requester: requester.requestJsonAndCheck("GET", path)[1])
        may_push = all(found["permissions"].get(name) == level for name, level in PUSH_PERMISSIONS.items())
        self._may_push[installation_id] = (time.monotonic(), may_push)
        return may_push

    def read_as_app(self, do: Callable[[Requester], Result]) -> Result:
        """Read what belongs to the App itself and to no installation, see Retrier.read."""
        with closing(self._requester(self._broker.app_auth, self._record)) as requester:
            return Retrier(self._pace, Pacer(self._pace)).read(lambda: do(requester))

    def update_as_app(self, do: Callable[[Requester], Result]) -> Result:
        """Change what belongs to the App itself and is the same when it is done twice, see Retrier.update."""
        with closing(self._requester(self._broker.app_auth, self._record)) as requester:
            return Retrier(self._pace, Pacer(self._pace)).update(lambda: do(requester), "edit")

    def installation(self, installation_id: int) -> InstallationReader:
        """A reader of all repositories of an installation, for one thread. Use it in a `with` block."""
        auth = BrokeredAuth(self._broker, installation_id, None, SWEEP_PERMISSIONS)
        retrier = Retrier(self._pace, Pacer(self._pace), auth.renew)
        return InstallationReader(self._requester(auth, without_record), retrier, self)

    def repository(
        self,
        installation_id: int,
        repository_id: int,
        full_name: str,
        record: RecordWrite = without_record,
        permissions: Mapping[str, str] = REVIEW_PERMISSIONS,
    ) -> RepositoryClient:
        """A client of one repository, for one thread. Use it in a `with` block, which closes it."""
        auth = BrokeredAuth(self._broker, installation_id, repository_id, permissions)
        retrier = Retrier(self._pace, Pacer(self._pace, installation_id, self._budget), auth.renew)
        # By its id: a name is another repository's after a rename.
        repository = Repository(self._requester(auth, record), url=f"/repositories/{repository_id}")
        return RepositoryClient(repository, full_name, retrier, self)

    def git_token(self, installation_id: int, repository_id: int) -> str:
        """A token that can only be used to fetch with git."""
        return self._broker.token(installation_id, repository_id, READ_PERMISSIONS)

    def _requester(self, auth: Auth.Auth, record: RecordWrite) -> Requester:
        # PyGithub's own retries post twice and do not repeat a PATCH, and each of its objects paces only itself.
        return _Requester(
            record,
            auth=auth,
            base_url=self._broker.api_url,
            timeout=self._timeout,
            user_agent=USER_AGENT,
            per_page=100,
            verify=True,
            retry=None,
            pool_size=None,
            lazy=True,
            api_version=API_VERSION,
        )


class _HttpConnection(HTTPRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _answer(self)


class _HttpsConnection(HTTPSRequestsConnectionClass):
    def getresponse(self) -> RequestsResponse:
        return _answer(self)


def _answer(connection: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass) -> RequestsResponse:
    """PyGithub itself takes a redirect or a page for an answer, and follows a 301 without the query."""
    url = f"{connection.protocol}://{connection.host}:{connection.port}{connection.url}"
    answer = send(
        connection.session,
        connection.verb,
        url,
        headers=connection.headers,
        data=connection.input,
        timeout=connection.timeout,
    )
    return RequestsResponse(answer)


class _Requester(Requester):
    """PyGithub's requester over our connections. All that it sends goes through `requestJson`."""

    # What Requester.injectConnectionClasses sets, which would also end the reuse of connections.
    _Requester__httpConnectionClass = _HttpConnection
    _Requester__httpsConnectionClass = _HttpsConnection

    def __init__(self, record: RecordWrite, **options: Any) -> None:
        super().__init__(**options)
        self._record = record
        self._api_path = urlsplit(self.base_url).path

    def requestJson(  # noqa: N802, PLR0913, PLR0917 - PyGithub's
        self,
        verb: str,
        url: str,
        parameters: dict[str, Any] | None = None,
        headers: dict[str, Any] | None = None,
        input: Any | None = None,  # noqa: A002 - PyGithub's
        cnx: HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass | None = None,
        follow_302_redirect: bool = False,
    ) -> tuple[int, dict[str, Any], str]:
        if verb in {"GET", "HEAD"} or is_query(input):
            return super().requestJson(verb, url, parameters, headers, input, cnx, follow_302_redirect)
        record_end = self._record(describe_write(verb, urlsplit(url).path.removeprefix(self._api_path), input or {}))
        status = 0
        try:
            answer = super().requestJson(verb, url, parameters, headers, input, cnx, follow_302_redirect)
            status = answer[0]
        except GitHubError as error:
            status = error.status
            raise
        finally:
            record_end(status)
        return answer


class RepositoryClient:
    """One repository. The functions passed in get PyGithub's Repository and return plain data."""

    def __init__(self, repository: Repository, full_name: str, retrier: Retrier, client: AppClient) -> None:
        self.full_name = full_name
        self.app_id = client.app_id
        self.app_slug = client.app_slug
        self._repository = repository
        self._retrier = retrier

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._repository.requester.close()

    def app_login(self) -> str:
        """The login of the App where it comments and commits; only Apps have one with brackets."""
        return f"{self.app_slug()}[bot]"

    def read(self, do: Callable[[Repository], Result], *, is_new: bool = False) -> Result:
        """See Retrier.read."""
        return self._retrier.read(lambda: do(self._repository), is_new=is_new)

    def update(self, do: Callable[[Repository], Result], kind: WriteKind) -> Result:
        """See Retrier.update."""
        return self._retrier.update(lambda: do(self._repository), kind)

    def create(
        self, do: Callable[[Repository], Result], find: Callable[[Repository], Result | None], kind: WriteKind
    ) -> Result:
        """See Retrier.create."""
        return self._retrier.create(lambda: do(self._repository), lambda: find(self._repository), kind)


class InstallationReader:
    """All repositories of an installation, by one token that may change nothing."""

    def __init__(self, requester: Requester, retrier: Retrier, client: AppClient) -> None:
        self._requester = requester
        self._retrier = retrier
        self._client = client

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._requester.close()

    def read(self, do: Callable[[Requester], Result]) -> Result:
        """See Retrier.read."""
        return self._retrier.read(lambda: do(self._requester))

    def repository(self, repository_id: int, full_name: str) -> RepositoryClient:
        """A client of one repository, which is closed with this reader."""
        repository = Repository(self._requester, url=f"/repositories/{repository_id}")
        return RepositoryClient(repository, full_name, self._retrier, self._client)

    def remaining_share(self) -> float:
        """The part of this hour's requests that the installation has left; 1.0 where the server has no limit."""
        remaining, limit = self._requester.rate_limiting
        return remaining / limit if limit > 0 else 1.0


class BrokeredAuth(Auth.Auth):
    """PyGithub's authentication with tokens of a broker, which each request asks for the current one."""

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
        """Drop the token that was used last."""
        self._broker.invalidate(self._last)
