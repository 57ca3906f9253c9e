"""The App itself, as GitHub knows it: its registration, its webhook, where it is installed; and the server it is on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from github.Requester import Requester

from gracegate.errors import Gone
from gracegate.github_app.answers import send
from gracegate.github_app.client import AppClient
from gracegate.github_app.errors import translate_errors

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Registration:
    """The App's registration; `settings_url` is where its owner changes it."""

    id: int
    slug: str
    name: str
    page_url: str
    settings_url: str
    permissions: Mapping[str, str]
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where and how GitHub delivers the App's events; `url` is "" if nowhere."""

    url: str
    content_type: str
    has_secret: bool
    verifies_tls: bool


@dataclass(frozen=True, slots=True)
class Installation:
    """The App on one account; `settings_url` is where that account accepts permissions."""

    id: int
    account: str
    settings_url: str
    permissions: Mapping[str, str]
    is_suspended: bool


@dataclass(frozen=True, slots=True)
class GitHubServer:
    """What answers at the address of the API. `skew` is how many seconds our clock is ahead of its.

    `version` is that of a GitHub Enterprise Server, "" on github.com; `sunset` is when it ends our API version, "" if
    it does not say.
    """

    is_github: bool
    skew: float | None
    version: str
    sunset: str
    status: int


def read_server(api_url: str, timeout: float) -> GitHubServer:
    """Ask without credentials. Raises GitHubUnavailable if there is no answer."""
    with requests.Session() as session, translate_errors():
        answer = send(session, "GET", f"{api_url}/rate_limit", headers={}, data=None, timeout=timeout)
    now, headers = time.time(), answer.headers
    return GitHubServer(
        is_github="X-GitHub-Request-Id" in headers,
        skew=now - _seconds(headers["Date"]) if "Date" in headers else None,
        version=headers.get("X-GitHub-Enterprise-Version", "").partition("@")[2],
        sunset=headers.get("Sunset", ""),
        status=answer.status_code,
    )


def read_registration(client: AppClient) -> Registration:
    """Raises Gone if GitHub does not accept the App's id or its key."""
    app = client.read_as_app(lambda requester: requester.requestJsonAndCheck("GET", "/app")[1])
    web, _, _ = app["html_url"].rpartition("/apps/")
    owner = app.get("owner") or {}
    # An App of an enterprise has an owner without a login.
    of_organization = f"/organizations/{owner['login']}" if owner.get("type") == "Organization" else ""
    return Registration(
        id=app["id"],
        slug=app["slug"],
        name=app["name"],
        page_url=app["html_url"],
        settings_url=f"{web}{of_organization}/settings/apps/{app['slug']}",
        permissions=app["permissions"],
        events=frozenset(app["events"]),
    )


def read_webhook(client: AppClient) -> Webhook:
    """GitHub knows no webhook of an App that was registered without one: then all is empty."""
    try:
        config = client.read_as_app(lambda requester: requester.requestJsonAndCheck("GET", "/app/hook/config")[1])
    except Gone as error:
        if error.status != 404:
            raise
        config = {}
    return Webhook(
        url=config.get("url") or "",
        content_type=config.get("content_type") or "",
        has_secret=bool(config.get("secret")),
        verifies_tls=str(config.get("insecure_ssl", "0")) == "0",
    )


def list_installations(client: AppClient) -> list[Installation]:
    """All of them; GitHub gives a hundred in one answer."""
    return client.read_as_app(lambda requester: [_installation(one) for one in _pages(requester, "/app/installations")])


def find_installation(client: AppClient, full_name: str) -> int | None:
    """The installation that covers a repository, None where the App may not read it."""
    try:
        found = client.read_as_app(
            lambda requester: requester.requestJsonAndCheck("GET", f"/repos/{full_name}/installation")[1]
        )
    except Gone as error:
        if error.status != 404:
            raise
        return None
    return int(found["id"])


def _pages(requester: Requester, path: str) -> Iterator[dict[str, Any]]:
    number = 1
    while True:
        parameters = {"per_page": _PAGE, "page": number}
        headers, items = requester.requestJsonAndCheck("GET", path, parameters=parameters)
        yield from items
        if 'rel="next"' not in headers.get("link", ""):
            return
        number += 1


def _installation(one: Mapping[str, Any]) -> Installation:
    # The account may be an enterprise, which has a slug in place of a login, and it may be gone.
    account = one.get("account") or {}
    return Installation(
        id=one["id"],
        account=account.get("login") or account.get("slug") or f"installation {one['id']}",
        settings_url=one.get("html_url") or "",
        permissions=one["permissions"],
        is_suspended=one.get("suspended_at") is not None,
    )


def _seconds(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
