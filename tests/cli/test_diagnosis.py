"""From what was found to what is wrong: a table per question, what is right first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gracegate.cli import diagnosis
from gracegate.cli.diagnosis import Diagnosis
from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited
from gracegate.github_app.app import GitHubServer, Installation, Registration, Webhook
from gracegate.github_app.app_manifest import NEEDED_EVENTS, NEEDED_PERMISSIONS
from gracegate.github_app.deliveries import HookDelivery
from gracegate.model import RenderSources
from gracegate.settings import Settings
from tests.fakegithub.state import app_key

PLACE = "https://github.com/settings/apps/gracegate"
ENTERPRISE = "https://ghe.example.com"
SETTINGS = Settings(
    app_id="1",
    private_key="",
    webhook_secrets=("a secret of some length",),
    comment_signing_keys=("k",),
    data_dir=Path("/data"),
    database="sqlite:////data/gracegate.db",
)
SERVER = GitHubServer(is_github=True, skew=0.0, version="", sunset="", status=200)
REGISTRATION = Registration(
    id=1,
    slug="gracegate",
    name="gracegate",
    page_url="https://github.com/apps/gracegate",
    settings_url=PLACE,
    permissions={**NEEDED_PERMISSIONS, "statuses": "write"},
    events=frozenset(NEEDED_EVENTS),
)
WEBHOOK = Webhook("https://gate.example.com/webhooks/github", "json", has_secret=True, verifies_tls=True)
INSTALLATION = Installation(7, "Shop", "https://github.com/settings/installations/7", NEEDED_PERMISSIONS, False)


def short(found: list[Diagnosis]) -> list[tuple[str, str]]:
    """The level and the beginning of each message."""
    return [(one.level, one.message[:40]) for one in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("ok", "complete, for https://api.github.com")]),
        (
            {"github_url": f"{ENTERPRISE}/api/v3", "git_url": ENTERPRISE},
            [("ok", "complete, for https://ghe.example.com/ap")],
        ),
        (
            {"github_url": "https://api.a.ghe.com", "git_url": "https://a.ghe.com"},
            [("ok", "complete, for https://api.a.ghe.com")],
        ),
        (
            {"github_url": "http://127.0.0.1:80", "git_url": "http://127.0.0.1:80"},
            [("ok", "complete, for http://127.0.0.1:80")],
        ),
        ({"github_url": "https://github.com"}, [("problem", "GRACEGATE_GITHUB_URL is https://github.c")]),
        ({"github_url": ENTERPRISE, "git_url": ENTERPRISE}, [("problem", "GRACEGATE_GITHUB_URL is https://ghe.exam")]),
        ({"github_url": f"{ENTERPRISE}/api/v3"}, [("problem", "git does not fetch from the GitHub of th")]),
        (
            {"github_url": "http://ghe.example.com/api/v3", "git_url": "http://ghe.example.com"},
            [("problem", "tokens go to ghe.example.com in plain te")] * 2,
        ),
        ({"webhook_secrets": ("x" * 16, "guess")}, [("warning", "a secret in GRACEGATE_WEBHOOK_SECRETS ha")]),
        ({"deprecations": ("GRACEGATE_OLD is an old name",)}, [("warning", "GRACEGATE_OLD is an old name")]),
    ],
)
def test_settings(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert short(diagnosis.diagnose_settings(replace(SETTINGS, **changes))) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com", ("https://api.github.com", "https://github.com")),
        (ENTERPRISE, ("https://ghe.example.com/api/v3", ENTERPRISE)),
        (
            "https://ghe.example.com:8443/api/v3",
            ("https://ghe.example.com:8443/api/v3", "https://ghe.example.com:8443"),
        ),
        ("https://a.ghe.com", ("https://api.a.ghe.com", "https://a.ghe.com")),
        ("http://localhost:1/api/v3", ("http://localhost:1/api/v3", "http://localhost:1")),
    ],
)
def test_urls_are_known_by_either(url: str, expected: tuple[str, str]) -> None:
    assert diagnosis.expected_urls(url) == expected
    assert diagnosis.expected_urls(expected[0]) == expected


def test_a_key_has_the_fingerprint_that_github_shows() -> None:
    found = diagnosis.diagnose_key(app_key()[0])
    assert (found.level, len(found.message), found.message[:7]) == ("ok", 51, "SHA256:")


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        ("", "the private key is damaged, cut off or encrypted"),
        (app_key()[0][:200], "the private key is damaged, cut off or encrypted"),
        (
            ec.generate_private_key(ec.SECP256R1())
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode(),
            "the private key is not an RSA key, so it is not one of an App",
        ),
    ],
)
def test_a_key_that_cannot_sign(pem: str, message: str) -> None:
    found = diagnosis.diagnose_key(pem)
    assert (found.level, found.message) == ("problem", message)


@pytest.mark.parametrize(
    ("version", "level"), [((2, 32), "ok"), ((2, 51, 0), "ok"), ((2, 31, 9), "problem"), (None, "problem")]
)
def test_git(version: tuple[int, ...] | None, level: str) -> None:
    assert diagnosis.diagnose_git(version).level == level


@pytest.mark.parametrize(
    ("is_built", "is_compiled", "level"), [(False, False, "warning"), (True, False, "note"), (True, True, "ok")]
)
def test_the_renderer(is_built: bool, is_compiled: bool, level: str) -> None:
    assert diagnosis.diagnose_renderer(is_built=is_built, is_compiled=is_compiled).level == level


@pytest.mark.parametrize(
    ("patterns", "level", "message"),
    [
        ((), "note", "what needs other repositories, or charts in registries, is named and not evaluated"),
        (
            ("github.com/o/*", "git.example.com/p/q"),
            "ok",
            "pinned commits and digests of github.com/o/*, git.example.com/p/q are fetched",
        ),
    ],
)
def test_other_repositories(patterns: tuple[str, ...], level: str, message: str) -> None:
    found = diagnosis.diagnose_sources(RenderSources(patterns))
    assert (found.level, found.message) == (level, message)


@pytest.mark.parametrize(
    ("modes", "free", "expected"),
    [
        ({"/data": 0o700, "/data/gracegate.db": 0o600}, 10e9, [("ok", "/data, 10 GB free")]),
        ({"/data": 0o700, "/key": 0o604}, 10e9, [("warning", "other users of this machine may open /ke")]),
        ({}, 1e9, [("warning", "only 1.0 GB are free in /data, and the g")]),
        (
            {"/data": 0o777},
            1e8,
            [
                ("warning", "other users of this machine may open /da"),
                ("problem", "only 0.1 GB are free in /data, and the g"),
            ],
        ),
    ],
)
def test_the_data_directory(modes: dict[str, int], free: float, expected: list[tuple[str, str]]) -> None:
    assert short(diagnosis.diagnose_data_dir("/data", modes, int(free))) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [("ok", "https://api.github.com answers, and the ")]),
        ({"skew": None}, [("ok", "https://api.github.com answers, and the ")]),
        ({"skew": -19.0}, [("ok", "https://api.github.com answers, and the ")]),
        ({"skew": 30.0}, [("warning", "this machine's clock is 30 s ahead of Gi")]),
        ({"skew": -200.0}, [("warning", "this machine's clock is 200 s behind Git")]),
        ({"skew": 61.0}, [("problem", "GitHub refuses the App, because this mac")]),
        ({"skew": -301.0}, [("problem", "GitHub refuses the App, because this mac")]),
        ({"version": "3.19.0"}, [("ok", "GitHub Enterprise Server 3.19.0 answers,")]),
        ({"version": "3.22.9"}, [("ok", "GitHub Enterprise Server 3.22.9 answers,")]),
        ({"version": "3.18.7"}, [("warning", "gracegate is made for GitHub Enterprise ")]),
        ({"version": "4.0"}, [("warning", "gracegate is made for GitHub Enterprise ")]),
        ({"sunset": "Fri, 10 Mar 2028"}, [("warning", "GitHub ends the version of its API that ")]),
        ({"is_github": False, "status": 404}, [("warning", "what answers 404 at https://api.github.c")]),
    ],
)
def test_the_server(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert short(diagnosis.diagnose_server(replace(SERVER, **changes), "https://api.github.com")) == expected


@pytest.mark.parametrize(
    ("error", "message", "remedy"),
    [
        (
            Gone("GitHub answered 401: no", status=401),
            "GitHub does not accept the App's id and key",
            "write the id and",
        ),
        (
            Gone("GitHub answered 404: no", status=404),
            "GitHub does not accept the App's id and key",
            "write the id and",
        ),
        (GitHubUnavailable("no answer"), "GitHub was not reached for the App: no answer", "see GRACEGATE_GITHUB_URL"),
        (RateLimited("slow down", seconds=1), "GitHub did not tell about the App: slow down", "try again"),
        (Gone("forbidden", status=403), "GitHub did not tell about the App: forbidden", "try again"),
    ],
)
def test_errors(error: GitHubError, message: str, remedy: str) -> None:
    found = diagnosis.diagnose_error("the App", error)
    assert (found.level, found.message.startswith(message), found.remedy.startswith(remedy)) == ("problem", True, True)


def test_a_registration_that_is_right() -> None:
    message = "gracegate (1) has the permissions and events that it needs"
    assert diagnosis.diagnose_registration(REGISTRATION) == [Diagnosis("app", "ok", message)]


RULESETS = (
    "by GitHub's documentation only an App with statuses: write can be the expected source of a check in a ruleset;"
    " gracegate itself does not use it"
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"checks": "read"}, [("problem", "the App has checks: read, and gracegate needs checks: write")]),
        ({"checks": None}, [("problem", "the App has checks: none, and gracegate needs checks: write")]),
        ({"contents": "write"}, [("ok", "gracegate (1) has the permissions and events that it needs")]),
        (
            {"members": "read", "issues": "write"},
            [("warning", "the App may do more than gracegate needs: issues: write, members: read")],
        ),
        (
            {"statuses": "read"},
            [
                ("ok", "gracegate (1) has the permissions and events that it needs"),
                ("note", RULESETS),
            ],
        ),
    ],
)
def test_permissions(changes: dict[str, str | None], expected: list[tuple[str, str]]) -> None:
    changed = {**REGISTRATION.permissions, **changes}
    permissions = {name: level for name, level in changed.items() if level}
    found = diagnosis.diagnose_registration(replace(REGISTRATION, permissions=permissions))
    assert [(one.level, one.message) for one in found] == expected


@pytest.mark.parametrize("event", NEEDED_EVENTS)
def test_events(event: str) -> None:
    (found,) = diagnosis.diagnose_registration(replace(REGISTRATION, events=REGISTRATION.events - {event}))
    assert found == Diagnosis(
        "app",
        "problem",
        f"GitHub does not tell of {event}, because the App does not subscribe to it",
        f"subscribe to it at {PLACE}/permissions",
    )


@pytest.mark.parametrize(
    ("changes", "public_url", "expected"),
    [
        ({}, None, [("ok", "https://gate.example.com/webhooks/github")]),
        ({}, "https://gate.example.com", [("ok", "https://gate.example.com/webhooks/github")]),
        ({"url": ""}, None, [("problem", "GitHub delivers no events, because the A")]),
        ({"has_secret": False}, None, [("problem", "every delivery is refused with 401, beca")]),
        ({"content_type": "form"}, None, [("problem", "every delivery is refused with 415, beca")]),
        ({"url": "https://gate.example.com/"}, None, [("warning", "GitHub delivers to https://gate.example.")]),
        ({}, "https://other.example.com", [("warning", "GitHub delivers to https://gate.example.")]),
        (
            {"url": "http://gate.example.com/webhooks/github"},
            None,
            [("warning", "others on the way can read the deliverie")],
        ),
        ({"verifies_tls": False}, None, [("warning", "others on the way can read the deliverie")]),
        (
            {"url": "http://localhost:1/webhooks/github", "verifies_tls": False},
            None,
            [("ok", "http://localhost:1/webhooks/github, JSON")],
        ),
    ],
)
def test_the_webhook(changes: dict[str, Any], public_url: str | None, expected: list[tuple[str, str]]) -> None:
    settings = replace(SETTINGS, public_url=public_url)
    assert short(diagnosis.diagnose_webhook(replace(WEBHOOK, **changes), settings, PLACE)) == expected


def delivery(guid: str, status_code: int, status: str = "") -> HookDelivery:
    return HookDelivery(1, guid, "push", "", 0.0, status or ("OK" if status_code == 202 else "failed"), status_code)


OK, REFUSED = delivery("a", 202), delivery("b", 403)


@pytest.mark.parametrize(
    ("newest_first", "level", "message"),
    [
        ([], "note", "GitHub has delivered nothing in the last days"),
        ([OK, delivery("b", 202)], "ok", "the last 2 came in"),
        ([delivery("b", 202), REFUSED], "ok", "the last 1 came in"),
        ([OK, REFUSED, REFUSED], "warning", "1 of the last 2 did not come in, at last: push: 403 failed"),
        ([REFUSED, OK], "problem", "the last delivery did not come in (push: 403 failed)"),
        ([delivery("b", 0, "timed out")], "problem", "the last delivery did not come in (push: timed out)"),
    ],
)
def test_deliveries(newest_first: list[HookDelivery], level: str, message: str) -> None:
    found = diagnosis.diagnose_deliveries(newest_first)
    assert (found.level, found.message) == (level, message)


@pytest.mark.parametrize(
    ("status_code", "remedy"),
    [
        (0, "let GitHub reach the webhook's URL"),
        (403, "write the secret that the webhook has at GitHub"),
        (404, "let the webhook's URL end with /webhooks/github"),
        (413, "let the proxy take bodies of 25 MB"),
        (502, "see whether `gracegate serve` runs"),
        (503, "see whether `gracegate serve` runs"),
    ],
)
def test_each_refusal_has_its_remedy(status_code: int, remedy: str) -> None:
    assert diagnosis.diagnose_deliveries([delivery("a", status_code)]).remedy.startswith(remedy)


LACKS_CHECKS = {**NEEDED_PERMISSIONS, "checks": "read"}


@pytest.mark.parametrize(
    ("changes", "owners", "expected"),
    [
        ([{}], (), [("ok", "Shop")]),
        ([{}], ("shop",), [("ok", "Shop")]),
        ([{"account": f"o{number}"} for number in range(7)], (), [("ok", "o0, o1, o2, o3, o4 and 2 more")]),
        ([], (), [("problem", "the App is installed nowhere")]),
        ([{"is_suspended": True}], (), [("warning", "Shop has suspended the App, so its pull requests get no check")]),
        (
            [{"permissions": LACKS_CHECKS}],
            (),
            [("problem", "Shop has granted checks: read, and gracegate needs checks: write")],
        ),
        ([{}], ("shop", "ada"), [("warning", "GRACEGATE_ALLOWED_OWNERS names ada, where the App is not installed")]),
        (
            [{}, {"account": "eve"}],
            ("shop",),
            [("note", "pull requests of eve are not reviewed, because of GRACEGATE_ALLOWED_OWNERS")],
        ),
    ],
)
def test_installations(changes: list[dict[str, Any]], owners: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    installations = [replace(INSTALLATION, **change) for change in changes]
    found = diagnosis.diagnose_installations(installations, REGISTRATION, frozenset(owners))
    assert [(one.level, one.message) for one in found] == expected


def test_what_the_app_lacks_is_not_said_again_for_each_installation() -> None:
    lacking = replace(REGISTRATION, permissions=LACKS_CHECKS)
    found = diagnosis.diagnose_installations([replace(INSTALLATION, permissions=LACKS_CHECKS)], lacking, ())
    assert short(found) == [("ok", "Shop")]
