"""A service without a GitHub App: its first page says what to do, and nothing on it registers one."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from gracegate.errors import ConfigError
from gracegate.settings import settings_without_app
from gracegate.web import create_app_without_github

EXAMPLE = "https://gracegate.example.com"


def client(**env: str) -> FlaskClient:
    settings = settings_without_app(env)
    assert settings is not None
    return create_app_without_github(settings).test_client()


def commands(html: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'<pre tabindex="0"><code>(.*?)</code></pre>', html)]


@pytest.mark.parametrize(
    ("host", "public_url", "url"),
    [
        ("127.0.0.1:8000", "", EXAMPLE),
        ("localhost", "", EXAMPLE),
        ("[::1]:8000", "", EXAMPLE),
        ("web", "", EXAMPLE),
        ("gate.example.org", "", "https://gate.example.org"),
        ("gate.example.org:8443", "", "https://gate.example.org:8443"),
        ("gate.example.org", "https://reviews.example.org/", "https://reviews.example.org"),
        ("127.0.0.1:8000", "https://reviews.example.org/$(x)", "'https://reviews.example.org/$(x)'"),
    ],
)
def test_the_command_has_the_address_of_the_service(host: str, public_url: str, url: str) -> None:
    answer = client(GRACEGATE_PUBLIC_URL=public_url).get("/", headers={"Host": host})
    assert (answer.status_code, commands(answer.text)) == (
        200,
        [
            f"gracegate setup --url {url}",
            f"ssh -L 8001:127.0.0.1:8001 HOST gracegate setup --url {url} --port 8001",
            "set -a; . ./.env; set +a; gracegate serve",
        ],
    )
    assert ("In the place of" in answer.text) == (url == EXAMPLE)


@pytest.mark.parametrize("host", ["a.b'; rm", "<b>.x.org", "x.org/y", "-x.org", "x_y.org", "x.org:port", "a" * 300])
def test_a_host_that_is_none_is_not_in_the_command(host: str) -> None:
    answer = client().get("/", headers={"Host": host})
    assert answer.status_code == 400 or commands(answer.text)[0] in {
        f"gracegate setup --url {EXAMPLE}",
        # What begins like an address ends there.
        "gracegate setup --url https://x.org",
    }


def test_nothing_registers_an_app_from_here() -> None:
    page = client().get("/", headers={"Host": "gate.example.org"})
    assert re.findall("<(?:form|button|script|input)", page.text) == []
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    answers = [client().get("/registered?code=c"), client().post("/"), client().get("/dashboard")]
    assert [one.status_code for one in answers] == [404, 405, 404]


def test_each_variable_of_the_app_is_named() -> None:
    shown = re.findall(r"<li><code>(GRACEGATE_\w+)</code>", client().get("/").text)
    assert shown == [
        "GRACEGATE_APP_ID",
        "GRACEGATE_PRIVATE_KEY_FILE",
        "GRACEGATE_WEBHOOK_SECRETS",
        "GRACEGATE_COMMENT_SIGNING_KEYS",
    ]


def test_it_lives_and_is_not_ready() -> None:
    answers = [client().get("/healthz"), client().get("/readyz"), client().post("/webhooks/github", json={})]
    assert [one.status_code for one in answers] == [200, 503, 503]
    why = "this service has no GitHub App yet: its page / says how to register one"
    assert (answers[1].json or {})["missing"] == {"app": why}
    assert answers[2].json == {"outcome": "unavailable", "reason": why}


@pytest.mark.parametrize("path", ["/rules", "/rules/prestop-drain-missing", "/docs/operating", "/style.css"])
def test_what_needs_no_app_is_there(path: str) -> None:
    assert client().get(path).status_code == 200


@pytest.mark.parametrize(
    "name", ["APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_FILE", "WEBHOOK_SECRETS", "COMMENT_SIGNING_KEYS", "MARKER_KEYS"]
)
def test_an_app_that_is_only_half_set_is_a_mistake(name: str) -> None:
    assert settings_without_app({f"GRACEGATE_{name}": "x"}) is None


def test_other_settings_have_to_be_right() -> None:
    with pytest.raises(ConfigError, match="GRACEGATE_WEB_THREADS is '0'"):
        settings_without_app({"GRACEGATE_WEB_THREADS": "0"})
