"""Sign-in with GitHub: there and back, what the session holds, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa
from flask.testing import FlaskClient

from gracegate.store import sessions
from gracegate.store.tables import SESSION
from gracegate.web import viewers
from tests.fakegithub.server import FakeGitHub
from tests.jobs.harness import Service
from tests.processes import WAIT_SECONDS
from tests.web import payloads
from tests.web.sign_in import PUBLIC_URL, SHA, agree, begin, csrf_token, make_client, sign_in, store_report
from tests.web.test_webhooks import send


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    """A private repository, which ada may read, and bob may not."""
    with FakeGitHub(tmp_path_factory.mktemp("github")) as made:
        made.create_repository("shop/secret")
        made.permit("shop/secret", "ada", "read")
        made.permit("shop/secret", "bob", "none")
        yield made


@pytest.fixture
def client(service: Service, fake: FakeGitHub) -> FlaskClient:
    return make_client(service, fake)


def test_nobody_can_sign_in_without_a_client_secret(service: Service, fake: FakeGitHub) -> None:
    client = make_client(service, fake, GRACEGATE_CLIENT_SECRET="")
    assert [client.get(path).status_code for path in ("/sign-in", "/sign-in/callback", "/account")] == [404] * 3
    assert "Sign in" not in client.get("/").text
    assert client.get(store_report(service, 42)).status_code == 404


def test_there_and_back(client: FlaskClient) -> None:
    url = begin(client, "/docs")
    asked = parse_qs(urlsplit(url).query)
    assert (asked["code_challenge_method"], asked["redirect_uri"]) == (["S256"], [f"{PUBLIC_URL}/sign-in/callback"])
    answer = client.get(agree(url))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/docs")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get_cookie("gracegate-sign-in") is None
    page = client.get("/docs")
    assert ">ada</a>" in page.text
    assert (page.headers["Cache-Control"], page.headers["Vary"]) == ("private, no-store", "Cookie")


@pytest.mark.parametrize(
    ("public_url", "name", "flags"),
    [
        (PUBLIC_URL, "gracegate-session", {"HttpOnly", "SameSite=Lax", "Path=/"}),
        ("https://gate.example.com", "__Host-gracegate-session", {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}),
    ],
)
def test_cookies_are_for_this_service_alone(
    service: Service, fake: FakeGitHub, public_url: str, name: str, flags: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake.world.app, "callback_urls", (f"{public_url}/sign-in/callback",))
    client = make_client(service, fake, GRACEGATE_PUBLIC_URL=public_url)
    url = client.get("/sign-in", base_url=public_url).headers["Location"]
    back = requests.post(url, {"login": "ada"}, allow_redirects=False, timeout=WAIT_SECONDS).headers["Location"]
    answer = client.get(back, base_url=public_url)
    set_cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(f"{name}="))
    assert {one for one in set_cookie.split("; ")[1:] if not one.startswith(("Expires", "Max-Age"))} == flags
    assert "Max-Age=28800" in set_cookie


@pytest.mark.parametrize(
    ("after", "leads_to"),
    [
        ("/reports/42/1/" + SHA, "/reports/42/1/" + SHA),
        ("/dashboard?page=2", "/dashboard?page=2"),
        ("//example.com/", "/account"),
        ("/\\example.com", "/account"),
        ("https://example.com/", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/a\r\nSet-Cookie: b=c", "/account"),
        ("account", "/account"),
        ("/" + "a" * 5000, "/account"),
    ],
)
def test_a_person_comes_back_to_this_service_alone(client: FlaskClient, after: str, leads_to: str) -> None:
    assert sign_in(client, after=after).headers["Location"] == leads_to


def test_who_did_not_begin_here_is_not_signed_in(service: Service, fake: FakeGitHub, client: FlaskClient) -> None:
    back = agree(begin(make_client(service, fake)))
    assert client.get(back).status_code == 400
    begin(client)
    assert client.get(back).status_code == 400
    again = agree(begin(client))
    assert client.get(again.replace("state=", "state=x")).status_code == 400
    assert "You are not signed in" in client.get("/account").text
    # Nobody else can end the attempt either.
    assert client.get(again).status_code == 302


def test_what_github_answers_is_not_taken_for_more(fake: FakeGitHub, client: FlaskClient) -> None:
    refused = agree(begin(client), refuse="1")
    assert "was not allowed to say who you are" in client.get(refused).text
    used = agree(begin(client))
    fake.clock.advance(601)
    assert client.get(used).status_code == 400
    for fault in ({"status": 502}, {"status": 200, "body": "{}"}, {"status": 200, "body": "<html>"}):
        with_fault = agree(begin(client))
        fake.fault("GET", "/user", **fault, times=1)
        assert client.get(with_fault).status_code == 503, fault
        fake.clear_faults()
    assert "You are not signed in" in client.get("/account").text


def test_the_database_alone_tells_no_token(service: Service, fake: FakeGitHub, client: FlaskClient) -> None:
    sign_in(client)
    with service.store.reading() as tx:
        row = tx.execute(SESSION.select()).one()
    token = next(iter(fake.world.user_tokens))
    cookie = client.get_cookie("gracegate-session")
    assert cookie is not None
    stored = repr(tuple(row))
    assert token not in stored
    assert cookie.value.partition(".")[0] not in stored
    assert token not in cookie.value


def test_a_cookie_that_was_not_made_here_is_nobodys(service: Service, fake: FakeGitHub, client: FlaskClient) -> None:
    sign_in(client)
    cookie = client.get_cookie("gracegate-session")
    assert cookie is not None
    with_new_secret = make_client(service, fake, GRACEGATE_CLIENT_SECRET="another")
    for other, value in (
        (client, cookie.value[:-1]),
        (client, "x.y"),
        (client, "\xff"),
        (with_new_secret, cookie.value),
    ):
        other.set_cookie("gracegate-session", value)
        assert "You are not signed in" in other.get("/account").text


def test_a_person_sees_the_private_reports_that_they_can_read(
    service: Service, fake: FakeGitHub, client: FlaskClient
) -> None:
    address = store_report(service, fake.repository("shop/secret").id)
    nothing = address.replace(SHA, payloads.sha(8))
    denied = client.get(address)
    assert (denied.status_code, "/sign-in?next=" in denied.text) == (404, True)
    sign_in(client, "ada")
    assert [client.get(one).status_code for one in (address, nothing)] == [200, 404]
    stranger = make_client(service, fake)
    sign_in(stranger, "bob")
    answers = [stranger.get(one) for one in (address, nothing)]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].text == answers[1].text


def test_github_is_asked_once_in_minutes_and_says_when_access_is_lost(
    service: Service, fake: FakeGitHub, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = fake.repository("shop/secret")
    address = store_report(service, repository.id)
    sign_in(client)

    def count() -> int:
        return sum(one.path == f"/repositories/{repository.id}" for one in fake.log)

    before = count()
    assert [client.get(address).status_code for _ in range(3)] == [200] * 3
    assert count() == before + 1
    monkeypatch.setattr("gracegate.web.viewers.GRANTED_SECONDS", -1.0)
    sign_in(client)
    assert client.get(address).status_code == 200
    monkeypatch.setitem(fake.world.collaborators[repository.id], "ada", "none")
    assert client.get(address).status_code == 404


def test_where_github_does_not_answer_nothing_is_shown(service: Service, fake: FakeGitHub, client: FlaskClient) -> None:
    address = store_report(service, fake.repository("shop/secret").id)
    sign_in(client)
    for one in (address, address.replace(SHA, payloads.sha(8))):
        fake.fault("GET", "/repositories/.*", status=502, times=1)
        assert client.get(one).status_code == 503
    fake.clear_faults()
    assert client.get(address).status_code == 200


def test_few_threads_wait_for_github(
    service: Service, fake: FakeGitHub, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are for webhooks."""
    monkeypatch.setattr(viewers, "_MAX_REQUESTS", 0)
    monkeypatch.setattr(viewers, "_MAX_WAIT", 0.01)
    address = store_report(service, fake.repository("shop/secret").id)
    sign_in(client)
    busy = make_client(service, fake)
    cookie = client.get_cookie("gracegate-session")
    assert cookie is not None
    busy.set_cookie("gracegate-session", cookie.value)
    assert (busy.get(address).status_code, sign_in(busy).status_code) == (503, 503)


def test_signing_out_ends_session_and_token(service: Service, fake: FakeGitHub, client: FlaskClient) -> None:
    fake.world.user_tokens.clear()
    sign_in(client)
    cookie = client.get_cookie("gracegate-session")
    assert cookie is not None
    assert client.post("/sign-out", data={"csrf_token": "x"}).status_code == 403
    answer = client.post("/sign-out", data={"csrf_token": csrf_token(client)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get_cookie("gracegate-session") is None
    client.set_cookie("gracegate-session", cookie.value)
    assert "You are not signed in" in client.get("/account").text
    assert fake.world.user_tokens == {}


def test_a_token_that_github_has_ended_ends_the_session(
    service: Service, fake: FakeGitHub, client: FlaskClient
) -> None:
    address = store_report(service, fake.repository("shop/secret").id)
    sign_in(client)
    fake.world.user_tokens.clear()
    assert client.get(address).status_code == 404
    assert "You are not signed in" in client.get("/account").text


def test_a_person_who_revokes_the_app_is_signed_out_everywhere(service: Service, client: FlaskClient) -> None:
    sign_in(client)
    with service.store.reading() as tx:
        user_id = tx.scalar(sa.select(SESSION.c.user_id))
    payload = {"action": "revoked", "sender": {"id": user_id}}
    assert send(client, "github_app_authorization", payload, "a") == (202, "recorded")
    assert "You are not signed in" in client.get("/account").text


def test_a_person_has_few_sessions(service: Service, fake: FakeGitHub) -> None:
    clients = [make_client(service, fake) for _ in range(sessions.MAX_OF_USER + 1)]
    for one in clients:
        sign_in(one)
    shown = [">ada</a>" in one.get("/").text for one in clients]
    assert shown == [False] + [True] * sessions.MAX_OF_USER


@pytest.mark.parametrize(
    ("operators", "is_operator"),
    [
        ("ADA", True),
        ("id:{id}", True),
        ("bob,id:1", False),
        ("", False),
    ],
)
def test_operators_are_those_of_a_list(service: Service, fake: FakeGitHub, operators: str, is_operator: bool) -> None:
    first = make_client(service, fake)
    sign_in(first)
    with service.store.reading() as tx:
        user_id = tx.scalar(sa.select(SESSION.c.user_id))
    client = make_client(service, fake, GRACEGATE_OPERATORS=operators.format(id=user_id))
    sign_in(client)
    assert ("an operator of this service" in client.get("/account").text) is is_operator


def test_a_private_repository_keeps_its_reports_where_people_sign_in(service: Service, fake: FakeGitHub) -> None:
    client = make_client(service, fake)
    repository = fake.repository("shop/secret")
    address = store_report(service, repository.id, is_public=True)
    assert client.get(address).status_code == 200
    named = {"repository": {**payloads.REPOSITORY, "id": repository.id}}
    assert send(client, "repository", {"action": "privatized", **payloads.COMMON, **named}, "a") == (202, "recorded")
    assert client.get(address).status_code == 404
    sign_in(client)
    assert client.get(address).status_code == 200
    assert send(client, "repository", {"action": "deleted", **payloads.COMMON, **named}, "b") == (202, "recorded")
    assert client.get(address).status_code == 404
