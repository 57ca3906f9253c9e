"""An App is registered from a manifest, and answers for itself and its webhook."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest, app_jwt
from tests.processes import WAIT_SECONDS

MANIFEST: dict[str, Any] = {
    "name": "Our gate",
    "url": "https://gate.example.com",
    "redirect_url": "http://127.0.0.1:1/registered",
    "hook_attributes": {"url": "https://gate.example.com/webhooks/github"},
    "default_permissions": {"checks": "write"},
    "default_events": ["check_run"],
}


def post_manifest(fake: FakeGitHub, manifest: object, path: str = "/settings/apps/new?state=s") -> requests.Response:
    form = {"manifest": json.dumps(manifest)}
    return requests.post(f"{fake.url}{path}", data=form, allow_redirects=False, timeout=WAIT_SECONDS)


def query_of(answer: requests.Response) -> dict[str, list[str]]:
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def test_a_manifest_becomes_an_app_once(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> None:
    query = query_of(post_manifest(fake, MANIFEST))
    assert query["state"] == ["s"]
    path = f"/app-manifests/{query['code'][0]}/conversions"
    made = client(None).post(path).json()
    shown = ("name", "slug", "permissions", "events", "webhook_secret", "pem")
    assert {key: made[key] for key in shown} == {
        "name": "Our gate",
        "slug": "our-gate",
        "permissions": {"metadata": "read", "checks": "write"},
        "events": ["check_run"],
        "webhook_secret": fake.app.webhook_secret,
        "pem": fake.app.private_key,
    }
    app = client(f"Bearer {app_jwt(fake)}")
    assert [app.get("/app").json()["id"], app.get("/app/installations").json()] == [made["id"], []]
    assert app.get("/app/hook/config").json() == {
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "********",
        "url": "https://gate.example.com/webhooks/github",
    }
    assert client(None).post(path).status_code == 404


def test_an_organization_owns_the_app_that_it_registers(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> None:
    query = query_of(post_manifest(fake, MANIFEST, "/organizations/shop/settings/apps/new"))
    made = client(None).post(f"/app-manifests/{query['code'][0]}/conversions").json()
    assert (made["owner"]["login"], "state" in query) == ("shop", False)


def test_a_code_ends_after_an_hour(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> None:
    code = query_of(post_manifest(fake, MANIFEST))["code"][0]
    fake.clock.advance(3601)
    assert client(None).post(f"/app-manifests/{code}/conversions").status_code == 404


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"url": None}, "url is not a URL"),
        ({"redirect_url": ""}, "redirect_url is not a URL"),
        ({"hook_attributes": {}}, "hook_attributes.url is not a URL"),
        ({"name": "x" * 35}, "Name is too long"),
        ({"default_events": ["merge_group"]}, "Default events unsupported: merge_group"),
    ],
)
def test_a_wrong_manifest_is_refused(fake: FakeGitHub, changes: dict[str, Any], problem: str) -> None:
    answer = post_manifest(fake, {**MANIFEST, **changes})
    assert (answer.status_code, problem in answer.text) == (400, True)


def test_the_webhook_of_an_app_may_lack_a_url_and_a_secret(fake: FakeGitHub, app: Rest) -> None:
    fake.app.webhook_secret = ""
    assert app.get("/app/hook/config").json() == {"content_type": "json", "insecure_ssl": "0"}


def test_the_api_of_a_server_is_below_a_path(fake: FakeGitHub, app: Rest, rest: Rest) -> None:
    answers = [app.get("/api/v3/app"), rest.get(f"/api/v3/repositories/{fake.repository(REPOSITORY).id}")]
    assert [answer.status_code for answer in answers] == [200, 200]
