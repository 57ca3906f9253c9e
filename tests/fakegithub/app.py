"""The fake as a Flask application: authentication, GitHub's headers, the OpenAPI check, the handlers."""

from __future__ import annotations

import json
import logging
import re
import secrets
from functools import lru_cache
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from tests.fakegithub import (
    api_apps,
    api_checks,
    api_graphql,
    api_issues,
    api_pulls,
    api_repositories,
    api_reviews,
    auth,
    control,
    oauth,
    pages,
    registration,
    smart_http,
)
from tests.fakegithub.contract import (
    Operation,
    brief,
    contract,
    place,
    request_errors,
    response_errors,
    unknown_keys,
    validation_message,
)
from tests.fakegithub.errors import ApiError, not_found
from tests.fakegithub.gitdir import GitError
from tests.fakegithub.web import fake, world

API = (
    api_apps.api, api_checks.api, api_graphql.api, api_issues.api, api_pulls.api, api_repositories.api, api_reviews.api,
    oauth.api, registration.api,
)  # fmt: skip
API_PATHS = re.compile(
    r"/(app|app-manifests|applications|graphql|installation|rate_limit|repos|repositories|user)(/|$)"
)
LOG = logging.getLogger("fakegithub")
REQUESTS_PER_HOUR = 5_000
REDIRECTS = frozenset([301, 307])
"""Any request about a repository that has moved is answered so; the description leaves it out in places."""


@lru_cache(maxsize=1)
def application() -> Flask:
    """One application serves every fake of a process: building its routes takes a tenth of a second, and which fake a
    request is for travels with the request (see web.fake)."""
    app = Flask("tests.fakegithub")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's default provider
    for blueprint in (*API, smart_http.git, pages.site, registration.site, oauth.site, control.control):
        app.register_blueprint(blueprint)
    app.add_url_rule("/rate_limit", "rate_limit", _rate_limit)
    app.before_request(_enter)
    app.after_request(_leave)
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(GitError, _git_error)
    return app


def is_api(path: str) -> bool:
    """Whether a path belongs to the API or to git, not to the pages or the control API."""
    return API_PATHS.match(path) is not None or ".git/" in path


def _enter() -> None:
    """Identifies the caller and refuses a request that does not fit the description, in GitHub's words."""
    g.caller = auth.Caller()
    if not API_PATHS.match(request.path):
        return
    g.caller = auth.identify(world(), request.headers.get("Authorization"))
    operation = _operation()
    body = _request_json()
    if operation is None:
        return
    for key in unknown_keys(operation, body):
        _violation(f"request {operation.id}: unknown key {key!r}")
    errors = request_errors(operation, body)
    for error in errors:
        _violation(f"request {operation.id}: {place(error)}: {brief(error)}")
    if errors:
        raise ApiError(422, "Invalid request.\n\n" + "\n".join(validation_message(error) for error in errors))


def _operation() -> Operation | None:
    rule = request.url_rule.rule if request.url_rule else ""
    return contract().operation(request.method, rule)


def _request_json() -> Any:
    if not request.get_data():
        return {} if request.method in {"POST", "PATCH", "PUT"} else None
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None


def _leave(response: Response) -> Response:
    if not API_PATHS.match(request.path):
        return response
    operation = _operation()
    if operation is not None and response.status_code not in REDIRECTS:
        for problem in response_errors(operation, response.status_code, response.get_json(silent=True)):
            _violation(f"answer {operation.id}: {problem}")
    response.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
    response.headers["X-GitHub-Request-Id"] = secrets.token_hex(8).upper()
    response.headers.update(_limits())
    if request.method == "GET" and response.status_code == 200:
        response.add_etag(weak=True)
        response.make_conditional(request)
    return response


def _violation(text: str) -> None:
    fake().violations.append(text)
    LOG.warning("OpenAPI violation: %s", text)


def _limits() -> dict[str, str]:
    """The rate limit headers; nothing is ever limited here but by a fault."""
    used = fake().used
    with world().lock:
        hour = int(world().clock.now() // 3600)
        key = (hour, g.caller.token.value if g.caller.token else g.caller.app)
        used[key] = used.get(key, 0) + 1
        limits = {"limit": REQUESTS_PER_HOUR, "remaining": max(0, REQUESTS_PER_HOUR - used[key]), "used": used[key]}
    limits["reset"] = (hour + 1) * 3600
    return {f"X-RateLimit-{name.title()}": str(value) for name, value in limits.items()} | {
        "X-RateLimit-Resource": "core"
    }


def _rate_limit() -> Response:
    core = {"limit": REQUESTS_PER_HOUR, "used": 0, "remaining": REQUESTS_PER_HOUR, "reset": 2_000_000_000}
    return jsonify({"resources": {"core": core, "search": core, "graphql": core}, "rate": core})


def _api_error(error: ApiError) -> Response:
    response = jsonify(error.body())
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def _http_error(error: HTTPException) -> Response:
    return _api_error(not_found() if error.code == 404 else ApiError(error.code or 500, error.name))


def _git_error(error: GitError) -> Response:
    LOG.error("%s", error)
    return _api_error(ApiError(500, str(error)))
