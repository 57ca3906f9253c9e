"""The App itself: what GitHub tells about its registration, its webhook, its installations and the server."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gracegate.errors import GitHubUnavailable, Gone
from gracegate.github_app import AppClient, TokenBroker, app, deliveries
from gracegate.github_app.app import GitHubServer, Installation, Registration, Webhook
from gracegate.github_app.app_manifest import NEEDED_PERMISSIONS, app_manifest
from gracegate.github_app.client import READ_PERMISSIONS, REVIEW_PERMISSIONS, SWEEP_PERMISSIONS
from tests.fakegithub.state import new_key
from tests.github_app.conftest import Scenario

FINE = GitHubServer(is_github=True, skew=0.0, version="", sunset="", status=200)


def rounded(server: GitHubServer) -> GitHubServer:
    """With its skew in hours: a busy machine may take its time to answer."""
    return dataclasses.replace(server, skew=None if server.skew is None else round(server.skew / 3600) * 3600.0)


def test_the_registration(scenario: Scenario) -> None:
    fake = scenario.fake
    expected = Registration(
        id=fake.app.id,
        slug="gracegate",
        name="gracegate",
        page_url=f"{fake.url}/apps/gracegate",
        settings_url=f"{fake.url}/settings/apps/gracegate",
        permissions=fake.app.permissions,
        events=frozenset(fake.app.events),
    )
    assert app.read_registration(scenario.client) == expected


@pytest.mark.parametrize(
    ("owner", "place"),
    [
        ({"type": "Organization", "login": "shop"}, "/organizations/shop/settings/apps/gracegate"),
        ({"type": "User", "login": "ada"}, "/settings/apps/gracegate"),
        ({"slug": "an-enterprise"}, "/settings/apps/gracegate"),
        (None, "/settings/apps/gracegate"),
    ],
)
def test_the_owner_decides_where_an_app_is_changed(scenario: Scenario, owner: Any, place: str) -> None:
    page = "https://ghe.example.com/apps/gracegate"
    shown = {"id": 1, "slug": "gracegate", "name": "g", "html_url": page, "permissions": {}, "events": []}
    scenario.fake.fault("GET", "/app$", status=200, body=json.dumps({**shown, "owner": owner}))
    assert app.read_registration(scenario.client).settings_url == f"https://ghe.example.com{place}"


def test_another_key_is_not_the_apps(scenario: Scenario) -> None:
    broker = TokenBroker(str(scenario.fake.app.id), new_key()[0], scenario.fake.url)
    with pytest.raises(Gone, match="401"):
        app.read_registration(AppClient(broker, scenario.pace))


def test_the_webhook(scenario: Scenario) -> None:
    scenario.fake.webhook_url = "https://gate.example.com/webhooks/github"
    good = Webhook("https://gate.example.com/webhooks/github", "json", has_secret=True, verifies_tls=True)
    assert app.read_webhook(scenario.client) == good
    scenario.fake.app.webhook_secret, scenario.fake.app.webhook_content_type = "", "form"
    scenario.fake.app.webhook_insecure_ssl = "1"
    bad = Webhook("https://gate.example.com/webhooks/github", "form", has_secret=False, verifies_tls=False)
    assert app.read_webhook(scenario.client) == bad


def test_an_app_without_a_webhook(scenario: Scenario) -> None:
    scenario.fake.fault("GET", "/app/hook/config$", status=404)
    assert app.read_webhook(scenario.client) == Webhook("", "", has_secret=False, verifies_tls=True)
    scenario.fake.fault("GET", "/app/hook/config$", status=401, times=-1)
    with pytest.raises(Gone):
        app.read_webhook(scenario.client)


def test_installations(scenario: Scenario) -> None:
    fake = scenario.fake
    for number in range(100):
        fake.install(f"org-{number}")
    next(reversed(fake.world.installations.values())).suspended_at = fake.clock.iso()
    found = app.list_installations(scenario.client)
    assert found[0] == Installation(
        id=scenario.installation,
        account="shop",
        settings_url=f"{fake.url}/settings/installations/{scenario.installation}",
        permissions=fake.app.permissions,
        is_suspended=False,
    )
    assert [one.account for one in found] == ["shop", *(f"org-{number}" for number in range(100))]
    assert [one.account for one in found if one.is_suspended] == ["org-99"]


@pytest.mark.parametrize(
    ("account", "name"),
    [({"slug": "an-enterprise"}, "an-enterprise"), (None, "installation 5"), ({}, "installation 5")],
)
def test_an_installation_need_not_have_a_login(scenario: Scenario, account: Any, name: str) -> None:
    shown = [{"id": 5, "account": account, "permissions": {}}]
    scenario.fake.fault("GET", "/app/installations$", status=200, body=json.dumps(shown))
    assert app.list_installations(scenario.client) == [Installation(5, name, "", {}, is_suspended=False)]


def test_deliveries_the_newest_first(scenario: Scenario) -> None:
    scenario.fake.webhook_url = "http://127.0.0.1:1/webhooks/github"
    scenario.fake.ping()
    scenario.fake.settle()
    scenario.fake.ping()
    scenario.fake.settle()
    found = deliveries.list_newest(scenario.client)
    assert [(one.event, one.status, one.status_code, one.is_delivered) for one in found] == [
        ("ping", "failed to connect to host", 0, False)
    ] * 2
    assert [one.guid for one in found] == [one.guid for one in reversed(scenario.fake.deliveries)]
    assert abs(found[0].delivered_at - time.time()) < 3600


def test_the_server(scenario: Scenario) -> None:
    assert rounded(app.read_server(scenario.fake.url, 60)) == FINE


@pytest.mark.parametrize("seconds", [-7200.0, 7200.0])
def test_how_far_our_clock_is_ahead(scenario: Scenario, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: time.time() + seconds))
    skew = app.read_server(scenario.fake.url, 60).skew
    assert skew is not None
    assert abs(skew - seconds) < 3600


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ({"X-GitHub-Enterprise-Version": "enterprise-server@3.19.4"}, {"version": "3.19.4"}),
        ({"Sunset": "Fri, 10 Mar 2028 00:00:00 GMT"}, {"sunset": "Fri, 10 Mar 2028 00:00:00 GMT"}),
    ],
)
def test_what_its_headers_tell(scenario: Scenario, headers: dict[str, str], changes: dict[str, Any]) -> None:
    scenario.fake.fault("GET", "/rate_limit$", status=200, headers={"X-GitHub-Request-Id": "1", **headers}, body="{}")
    assert rounded(app.read_server(scenario.fake.url, 60)) == dataclasses.replace(FINE, **changes)


@pytest.mark.parametrize(("status", "is_github"), [(404, False), (502, False)])
def test_another_server_is_told_apart(scenario: Scenario, status: int, is_github: bool) -> None:
    scenario.fake.fault("GET", "/rate_limit$", status=status)
    found = app.read_server(scenario.fake.url, 60)
    assert (found.is_github, found.status) == (is_github, status)


def test_a_page_is_no_server_and_nothing_is_none(scenario: Scenario) -> None:
    with pytest.raises(GitHubUnavailable, match="in place of JSON"):
        app.read_server(scenario.fake.url + "/shop/web/pull/1?", 60)
    with pytest.raises(GitHubUnavailable, match="no answer from GitHub: ConnectionError"):
        app.read_server("http://127.0.0.1:1", 60)


@pytest.mark.parametrize("asked_for", [READ_PERMISSIONS, REVIEW_PERMISSIONS, SWEEP_PERMISSIONS])
def test_what_is_needed_covers_what_tokens_ask_for(asked_for: Mapping[str, str]) -> None:
    lacking = {name for name, level in asked_for.items() if NEEDED_PERMISSIONS.get(name) not in {level, "write"}}
    assert lacking == set()


def test_a_manifest_may_ask_for_more() -> None:
    manifest = app_manifest("g", "https://g.example", redirect_url="http://127.0.0.1:1", more_permissions={"a": "read"})
    assert manifest["default_permissions"] == {**NEEDED_PERMISSIONS, "a": "read"}
    assert (manifest["redirect_url"], "redirect_url" in app_manifest("g", "https://g.example")) == (
        "http://127.0.0.1:1",
        False,
    )
