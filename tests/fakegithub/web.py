"""What the handlers share: the world, who may call, pages of a list, request bodies."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from flask import Response, g, jsonify, request

from tests.fakegithub import shapes_pulls
from tests.fakegithub.auth import Caller, allow
from tests.fakegithub.errors import ApiError, not_found
from tests.fakegithub.events import Events
from tests.fakegithub.state import PullRequest, Reaction, Repository
from tests.fakegithub.world import World

if TYPE_CHECKING:
    from tests.fakegithub.server import FakeGitHub

FAKE = "fakegithub.fake"
Answer = Any
Handler = Callable[..., Answer]


def fake() -> FakeGitHub:
    """The fake that the request came to; its server puts itself there."""
    found: FakeGitHub = request.environ[FAKE]
    return found


def world() -> World:
    return fake().world


def events() -> Events:
    return fake().events


def base_url() -> str:
    """The address the client came to: clients refuse answers whose links name another host or port."""
    return request.host_url.rstrip("/")


def caller() -> Caller:
    found: Caller = g.caller
    return found


def login() -> str:
    return world().app.login


def app_only(handler: Handler) -> Handler:
    """For the endpoints that want the App's JWT."""

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Answer:
        if not caller().app:
            raise ApiError(401, "A JSON web token could not be decoded")
        with world().lock:
            return handler(*args, **kwargs)

    return guarded


def needs(permission: str, level: str = "read") -> Callable[[Handler], Handler]:
    """For the endpoints of a repository: checks the token, passes the Repository in place of `owner` and `repo`.

    `permission` may name several ("issues|pull_requests"), any of which is enough.
    """

    def wrap(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def guarded(owner: str, repo: str, **kwargs: Any) -> Answer:
            with world().lock:
                repository = world().repository(f"{owner}/{repo}")
                if repository is None:
                    raise _moved(f"{owner}/{repo}")
                allow(world(), caller(), repository, permission, level)
                return handler(repository, **kwargs)

        return guarded

    return wrap


def _moved(full_name: str) -> ApiError:
    """The answer for a repository that has another name now; 404 if there was none, or the caller may not see it."""
    repository = world().moved_repository(full_name)
    if repository is None:
        return not_found()
    allow(world(), caller(), repository, "metadata", "read")
    below = request.path.split("/", 4)[4:]
    path = "/".join([f"{base_url()}/repositories/{repository.id}", *map(quote, below)])
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    is_read = request.method in {"GET", "HEAD"}
    status, message = (301, "Moved Permanently") if is_read else (307, "Temporary Redirect")
    return ApiError(status, message, headers={"Location": path + query})


def pull_of(repository: Repository, number: int) -> PullRequest:
    found = repository.pulls.get(number)
    if found is None:
        raise not_found()
    return found


def commit_of(repository: Repository, revision: str) -> str:
    found = repository.git.resolve(revision) or repository.git.resolve(f"refs/heads/{revision}")
    if found is None:
        raise ApiError(422, f"No commit found for SHA: {revision}")
    return found


def body() -> Mapping[str, Any]:
    """The JSON of the request, {} if it has none. The OpenAPI check comes first."""
    found = request.get_json(silent=True)
    return found if isinstance(found, dict) else {}


def add_reaction(reactions: list[Reaction]) -> Answer:
    """Adds the caller's reaction to those of a comment; 200 with the one that is there already."""
    content = body()["content"]
    found = next((one for one in reactions if (one.author, one.content) == (login(), content)), None)
    if found is not None:
        return jsonify(shapes_pulls.reaction(base_url(), found))
    made = Reaction(world().new_id(), login(), content, world().clock.iso())
    reactions.append(made)
    return jsonify(shapes_pulls.reaction(base_url(), made)), 201


def page(items: Sequence[Any], shape: Callable[[Any], Any], key: str | None = None) -> Response:
    """One page of a list with GitHub's `Link` header; `key`: inside an object with `total_count`."""
    size = max(1, min(_number("per_page", 30), 100))
    number = max(1, _number("page", 1))
    last = max(1, -(-len(items) // size))
    shown = [shape(item) for item in items[(number - 1) * size : number * size]]
    response = jsonify(shown if key is None else {"total_count": len(items), key: shown})
    links = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number == 1:
        del links["prev"], links["first"]
    if number >= last:
        del links["next"], links["last"]
    if links:
        response.headers["Link"] = ", ".join(f'<{_page_url(to)}>; rel="{name}"' for name, to in links.items())
    return response


def _number(name: str, default: int) -> int:
    return request.args.get(name, default, type=int)


def _page_url(number: int) -> str:
    return f"{request.base_url}?{urlencode({**request.args, 'page': number})}"
