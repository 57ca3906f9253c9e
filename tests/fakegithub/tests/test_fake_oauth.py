"""A person lets the App act for them, and their token reads what both may read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.tests.rest import REPOSITORY, Rest
from tests.processes import WAIT_SECONDS

BACK = "http://127.0.0.1:8123/sign-in/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def authorize(fake: FakeGitHub, form: dict[str, str], **more: str) -> requests.Response:
    asked = {"client_id": fake.app.client_id, "redirect_uri": BACK, "state": "s", "code_challenge": CHALLENGE, **more}
    url = f"{fake.url}/login/oauth/authorize?{urlencode(asked)}"
    return requests.post(url, form, allow_redirects=False, timeout=WAIT_SECONDS)


def query_of(answer: requests.Response) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def exchange(fake: FakeGitHub, code: str, **more: str) -> dict[str, Any]:
    app = {"client_id": fake.app.client_id, "client_secret": fake.app.client_secret}
    form = {**app, "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **more}
    url, accept = f"{fake.url}/login/oauth/access_token", {"Accept": "application/json"}
    made: dict[str, Any] = requests.post(url, form, headers=accept, timeout=WAIT_SECONDS).json()
    return made


def token_of(fake: FakeGitHub, login: str) -> str:
    made = exchange(fake, query_of(authorize(fake, {"login": login}))["code"])
    return str(made["access_token"])


def test_a_code_becomes_a_token_once(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> None:
    query = query_of(authorize(fake, {"login": "ada"}))
    made = exchange(fake, query["code"])
    assert (query["state"], made["token_type"], made["expires_in"]) == ("s", "bearer", 28800)
    assert client(f"Bearer {made['access_token']}").get("/user").json()["login"] == "ada"
    assert exchange(fake, query["code"])["error"] == "bad_verification_code"
    fake.clock.advance(28801)
    assert client(f"Bearer {made['access_token']}").get("/user").status_code == 401


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "w" * 43}, "bad_verification_code"),
        ({"client_secret": "another"}, "incorrect_client_credentials"),
        ({"redirect_uri": "http://127.0.0.1:1/"}, "redirect_uri_mismatch"),
    ],
)
def test_a_code_is_for_who_asked_for_it(fake: FakeGitHub, change: dict[str, str], error: str) -> None:
    code = query_of(authorize(fake, {"login": "ada"}))["code"]
    assert exchange(fake, code, **change)["error"] == error


def test_a_person_may_refuse_and_a_foreign_address_gets_no_code(fake: FakeGitHub) -> None:
    assert query_of(authorize(fake, {"refuse": "1"}))["error"] == "access_denied"
    assert authorize(fake, {"login": "ada"}, redirect_uri="https://example.com/").status_code == 404
    url = f"{fake.url}/login/oauth/authorize?{urlencode({'client_id': fake.app.client_id, 'redirect_uri': BACK})}"
    assert "Authorize as ada" in requests.get(url, timeout=WAIT_SECONDS).text


def test_a_token_reads_what_the_person_and_the_app_may_read(
    fake: FakeGitHub, client: Callable[[str | None], Rest]
) -> None:
    fake.permit(REPOSITORY, "ada", "read")
    fake.permit(REPOSITORY, "bob", "none")
    repository = fake.repository(REPOSITORY)
    ada, bob = (client(f"Bearer {token_of(fake, login)}") for login in ("ada", "bob"))
    assert [one.get(f"/repositories/{repository.id}").status_code for one in (ada, bob)] == [200, 404]
    assert ada.get(f"/repositories/{repository.id}").json()["permissions"]["push"] is False
    installation = ada.get("/user/installations").json()["installations"][0]["id"]
    listed = ada.get(f"/user/installations/{installation}/repositories").json()
    assert [one["full_name"] for one in listed["repositories"]] == [REPOSITORY]
    assert bob.get("/user/installations").json()["installations"] == []
    assert bob.get(f"/user/installations/{installation}/repositories").status_code == 404
    fake.uninstall("shop")
    assert ada.get(f"/repositories/{repository.id}").status_code == 404


def test_the_app_ends_a_token(fake: FakeGitHub, client: Callable[[str | None], Rest]) -> None:
    token = token_of(fake, "ada")
    url = f"{fake.url}/applications/{fake.app.client_id}/token"
    for secret, status in (("another", 404), (fake.app.client_secret, 204), (fake.app.client_secret, 422)):
        signed = (fake.app.client_id, secret)
        answer = requests.delete(url, auth=signed, json={"access_token": token}, timeout=WAIT_SECONDS)
        assert answer.status_code == status
    assert client(f"Bearer {token}").get("/user").status_code == 401
