"""`/playground` as a form: it works without its script, and takes nothing from other sites."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from gracegate.outputs import PlaygroundForm
from gracegate.review import Playground, playground
from gracegate.web.local_playground import create_local_app
from gracegate.web.playground import packaged_example

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
LONG = {"manifests": "x" * 200_001}


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client(GRACEGATE_PLAYGROUND="on")


def test_it_is_off_unless_the_operator_turns_it_on(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client()
    page = client.get("/playground")
    assert page.status_code == 404
    assert "GRACEGATE_PLAYGROUND=on" in page.text
    assert client.post("/playground", data=LONG).status_code == 405
    assert client.get("/playground.js").status_code == 404
    for address in ("/", "/rules/prestop-drain-missing"):
        assert "/playground" not in client.get(address).text


def test_the_page_begins_with_an_example(client: FlaskClient) -> None:
    page = client.get("/playground")
    assert page.headers["Content-Security-Policy"] == POLICY
    assert re.findall("<script.*?</script>", page.text) == ['<script src="/playground.js" defer></script>']
    assert client.get("/playground.js").content_type == "text/javascript; charset=utf-8"
    assert f"\n{packaged_example().manifests}</textarea>" in page.text
    assert "Press Review." in page.text
    assert 'href="/playground"' in client.get("/").text


def test_each_rule_leads_to_its_example(client: FlaskClient) -> None:
    link = re.findall('href="(/playground[?].*?)"', client.get("/rules/probe-removed").text)
    assert link == ["/playground?rule=probe-removed"]
    page = client.get(link[0]).text
    assert "<option selected>probe-removed</option>" in page
    assert page.count("kind: Deployment") == 2  # and before the change


def test_a_form_is_reviewed(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playground, "_SECONDS", 600.0)
    form = {
        "manifests": packaged_example().manifests.replace("\n", "\r\n"),
        "rego": "",
        "only": "prestop-drain-missing",
    }
    page = client.post("/playground", data=form)
    assert (page.status_code, page.headers["Content-Security-Policy"]) == (200, POLICY)
    assert "<strong>1 error in 1 workload</strong>" in page.text
    assert 'href="#manifests:16"' in page.text
    assert '<span class="added">+        lifecycle:\n</span>' in page.text
    assert "data:image/svg+xml;base64," in page.text
    assert "<option selected>prestop-drain-missing</option>" in page.text
    assert f"\n{packaged_example().manifests}</textarea>" in page.text
    # Where nothing is reviewed, nothing is green.
    for nothing in ("", "a: [", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"):
        page = client.post("/playground", data={"manifests": nothing})
        assert '<div class="verdict neutral"><strong>Nothing to review</strong>' in page.text


def test_what_is_written_is_text_in_the_page(client: FlaskClient) -> None:
    evil = "</textarea><script>alert(1)</script>"
    page = client.post("/playground", data={**LONG, "rego": evil, "only": evil})
    assert page.status_code == 422
    assert (
        "<strong>Not reviewed</strong><br>A text is longer than 200,000 characters: leave some of it out." in page.text
    )
    assert "alert(1)</script>" not in page.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"Sec-Fetch-Site": "same-origin"}, 422),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_a_form_of_another_site_is_refused(client: FlaskClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/playground", data=LONG, headers=headers).status_code == status


def test_a_body_beyond_all_texts_is_not_read(client: FlaskClient) -> None:
    assert client.post("/playground", data={"manifests": "x" * 4_000_000}).status_code == 413


@pytest.mark.parametrize(
    ("remote", "forwarded", "is_charged_alone"),
    [
        ("127.0.0.1", "203.0.113.{}", True),  # a proxy on this machine
        ("10.0.0.7", "203.0.113.{}", True),  # or in this cluster
        ("127.0.0.1", "203.0.113.{}, 203.0.113.9", False),  # the proxy's own word is the last
        ("8.8.8.8", "203.0.113.{}", False),  # nobody else's is believed
    ],
)
def test_clients_are_told_apart(client: FlaskClient, remote: str, forwarded: str, is_charged_alone: bool) -> None:
    answers = [
        client.post(
            "/playground",
            data=LONG,
            headers={"X-Forwarded-For": forwarded.format(number)},
            environ_base={"REMOTE_ADDR": remote},
        )
        for number in range(11)
    ]
    assert answers[-1].status_code == (422 if is_charged_alone else 503)
    assert is_charged_alone or 0 < int(answers[-1].headers["Retry-After"]) <= 3


def test_on_one_machine_the_pages_of_rules_are_beside_it() -> None:
    client = create_local_app(Playground(None, None), PlaygroundForm("", "kind: Own\n")).test_client()
    answers = {
        address: client.get(address) for address in ("/", "/rules/pdb-missing", "/docs", "/style.css", "/nothing")
    }
    assert [one.status_code for one in answers.values()] == [302, 200, 200, 200, 404]
    assert "\nkind: Own\n</textarea>" in client.get("/playground").text
    assert client.get("/playground", headers={"Host": "gate.example.com"}).status_code == 400
