"""Who may open which page and press which button: every address that there is, for everybody, in one table.

The addresses are those of the application itself, so that a new one without a row fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from tests.fakegithub.server import FakeGitHub
from tests.jobs.harness import Service, make_service
from tests.web.sign_in import SHA, csrf_token, make_client, sign_in, store_report

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
VIEWERS = ("anonymous", "stranger", "reader", "writer", "operator")
"""The operator may not read the private repository on GitHub."""
REPOSITORIES = {"public": "shop/open", "private": "shop/secret"}

ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}

EVERYBODY = dict.fromkeys(VIEWERS, 200)
READERS = {"anonymous": 404, "stranger": 404, "reader": 200, "writer": 200, "operator": 404}
OPERATORS = {**dict.fromkeys(VIEWERS, 404), "operator": 200}
# Who is not signed in has no token of a form.
SIGNED_IN = {**dict.fromkeys(VIEWERS, 302), "anonymous": 403}

# (method, address): what each viewer is answered; two tables where it depends on the repository.
ROWS: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/style.css"): EVERYBODY,
    ("GET", "/rules"): EVERYBODY,
    ("GET", "/rules/<name>"): EVERYBODY,
    ("GET", "/rules/<name>.md"): EVERYBODY,
    ("GET", "/rules/<name>.svg"): EVERYBODY,
    ("GET", "/docs"): EVERYBODY,
    ("GET", "/docs/<name>"): EVERYBODY,
    ("GET", "/docs/<name>.md"): EVERYBODY,
    ("GET", "/dashboard"): EVERYBODY,
    ("GET", "/dashboard/<int:repository_id>"): {"public": EVERYBODY, "private": READERS},
    ("GET", "/operator"): OPERATORS,
    ("GET", "/operator/runs"): OPERATORS,
    ("GET", "/operator/deliveries"): OPERATORS,
    ("GET", "/operator/audit"): OPERATORS,
    ("POST", "/operator/deliveries/<int:delivery_id>/redeliver"): {**OPERATORS, "anonymous": 403, "operator": 303},
    ("GET", "/reports/<int:repository_id>/<int:number>/<sha>"): {"public": EVERYBODY, "private": READERS},
    ("GET", "/playground"): EVERYBODY,
    ("GET", "/playground.js"): EVERYBODY,
    # It needs no session, and all that is sent here comes from another site.
    ("POST", "/playground"): dict.fromkeys(VIEWERS, 403),
    ("GET", "/account"): EVERYBODY,
    ("GET", "/sign-in"): dict.fromkeys(VIEWERS, 302),
    ("GET", "/sign-in/callback"): dict.fromkeys(VIEWERS, 400),
    # Not for people: the proxy in front passes on the first one alone.
    ("POST", "/webhooks/github"): dict.fromkeys(VIEWERS, 401),
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): EVERYBODY,
    ("GET", "/bundles/gracegate.tar.gz"): EVERYBODY,
    # The last: it ends the session.
    ("POST", "/sign-out"): SIGNED_IN,
}


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path_factory.mktemp("github")) as made:
        for visibility, name in REPOSITORIES.items():
            made.create_repository(name, private=visibility == "private")
            for login, permission in (("reader", "read"), ("writer", "write")):
                made.permit(name, login, permission)
        made.webhook_url = "http://127.0.0.1:9/"
        made.ping()
        made.settle()
        made.world.people |= {"stranger": "none", "operator": "none"}
        yield made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, fake: FakeGitHub) -> Iterator[Service]:
    service = make_service(tmp_path_factory.mktemp("service"))
    for visibility, name in REPOSITORIES.items():
        store_report(service, fake.repository(name).id, is_public=visibility == "public", name=name)
    yield service
    service.stop()


@pytest.fixture(scope="module")
def clients(service: Service, fake: FakeGitHub) -> dict[str, FlaskClient]:
    found = {
        login: make_client(service, fake, GRACEGATE_OPERATORS="operator", GRACEGATE_PLAYGROUND="on")
        for login in VIEWERS
    }
    for login in VIEWERS[1:]:
        sign_in(found[login], login)
    return found


def test_a_list_has_what_its_reader_may_see(clients: dict[str, FlaskClient]) -> None:
    shown = {viewer: re.findall("shop/[a-z]+", client.get("/dashboard").text) for viewer, client in clients.items()}
    both = ["shop/secret", "shop/open"]
    assert {viewer: [*dict.fromkeys(names)] for viewer, names in shown.items()} == {
        "anonymous": ["shop/open"],
        "stranger": ["shop/open"],
        "reader": both,
        "writer": both,
        "operator": ["shop/open"],
    }


def test_every_address_has_a_row(clients: dict[str, FlaskClient]) -> None:
    served = {
        (method, rule.rule)
        for rule in clients["anonymous"].application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == ROWS.keys()


def test_proxies_pass_on_what_is_for_people_and_github() -> None:
    inside = {"/healthz", "/readyz", "/metrics", "/bundles/gracegate.tar.gz"}
    nginx = (DEPLOY / "nginx.conf").read_text()
    locations = [*re.findall(r"location ~ (\S+) \{", nginx), *map(re.escape, re.findall(r"location = (\S+) \{", nginx))]
    ingress = yaml.safe_load((DEPLOY / "kubernetes" / "ingress.yaml").read_text())["spec"]["rules"][0]["http"]["paths"]
    for _, address in ROWS:
        through_nginx = any(re.match(one, address) for one in locations)
        through_ingress = any(
            address == one["path"] or (one["pathType"] == "Prefix" and address.startswith(one["path"] + "/"))
            for one in ingress
        )
        assert (through_nginx, through_ingress) == (address not in inside,) * 2, address


@pytest.mark.parametrize("visibility", REPOSITORIES)
def test_the_matrix(fake: FakeGitHub, clients: dict[str, FlaskClient], visibility: str) -> None:
    repository = fake.repository(REPOSITORIES[visibility])
    (delivery,) = fake.deliveries[:1]
    values = {"int:delivery_id": delivery.id, "int:repository_id": repository.id, "int:number": 1, "sha": SHA}
    if visibility == "private":
        # Those that were signed out have to come again.
        for login in VIEWERS[1:]:
            sign_in(clients[login], login)
    wrong = {}
    for (method, rule), row in ROWS.items():
        expected: dict[str, Any] = dict(row.get(visibility, row))
        address = rule.replace("<name>", "start" if rule.startswith("/docs") else "prestop-drain-missing")
        for name, value in values.items():
            address = address.replace(f"<{name}>", str(value))
        for viewer, client in clients.items():
            if method == "POST":
                forms: list[dict[str, str]] = [{}, {"csrf_token": csrf_token(client)}]
                answers = [client.post(address, data=form, headers=ELSEWHERE) for form in forms]
                # Without the token nothing is done.
                assert answers[0].status_code in {401, 403}, address
                answer = answers[1]
            else:
                answer = client.get(address)
            if answer.status_code != expected[viewer]:
                wrong[method, address, viewer] = answer.status_code
    assert wrong == {}
