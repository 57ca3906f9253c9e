"""`gracegate doctor` as an operator sees it, against a GitHub that answers, and one that does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gracegate.cli.main import CLEAN, run
from gracegate.github_app.app_manifest import NEEDED_EVENTS, NEEDED_PERMISSIONS
from gracegate.store import Store
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.state import new_key
from tests.jobs.harness import environment

PROBLEMS = 1


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    """The App as the manifest registers it, installed on one account, with a webhook."""
    (tmp_path / "github").mkdir()
    with FakeGitHub(tmp_path / "github") as fake:
        fake.app.permissions = {**NEEDED_PERMISSIONS, "statuses": "write"}
        fake.app.events = [*NEEDED_EVENTS]
        fake.create_repository("shop/web")
        fake.push("shop/web", "main", {"web.yaml": "a: 1\n"})
        fake.webhook_url = "https://gate.example.com/webhooks/github"
        yield fake


@pytest.fixture
def service(fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The settings of a service, in the environment, and its database."""
    data = tmp_path / "data"
    data.mkdir(0o700)
    more = {
        "GRACEGATE_APP_ID": str(fake.app.id),
        "GRACEGATE_PRIVATE_KEY": fake.app.private_key,
        "GRACEGATE_WEBHOOK_SECRETS": "a secret of some length",
        "GRACEGATE_GITHUB_URL": fake.url,
        "GRACEGATE_GIT_URL": fake.url,
    }
    for name in ("GRACEGATE_OPA", "OPA_URL", "GRACEGATE_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(data, **more).items():
        monkeypatch.setenv(name, value)
    store = Store(f"sqlite:///{data / 'gracegate.db'}")
    store.migrate()
    (data / "gracegate.db").chmod(0o600)
    return store


def diagnose(capfd: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[tuple[str, str, str]]]]:
    """The exit code, and what was found by what was looked at."""
    code = run(["doctor", "--format", "json"])
    report: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert report["ok"] is (code == CLEAN)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for one in report["checks"]:
        found.setdefault(one["name"], []).append((one["level"], one["message"], one["remedy"]))
    return code, found


def test_a_set_up_that_is_right(service: Store, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == CLEAN
    out, err = capfd.readouterr()
    # Where the renderer is not built, that is no problem.
    assert [line.split()[:2] for line in out.splitlines() if "renderer" not in line] == [
        ["ok", "git"],
        ["ok", "engine"],
        ["ok", "settings"],
        ["ok", "data"],
        ["note", "sources"],
        ["ok", "database"],
        ["ok", "key"],
        ["ok", "github"],
        ["ok", "app"],
        ["ok", "webhook"],
        ["note", "deliveries"],
        ["ok", "installations"],
        ["ok", "fetch"],
    ]
    assert (err, fake.app.private_key.splitlines()[1] in out) == ("", False)


def test_without_settings_what_is_left_is_checked(
    service: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GRACEGATE_APP_ID")
    monkeypatch.setenv("GRACEGATE_ON_INCOMPLETE", "maybe")
    code, found = diagnose(capfd)
    assert (code, sorted(found)) == (PROBLEMS, ["engine", "git", "settings"])
    assert [message.split()[0] for _, message, _ in found["settings"]] == [
        "GRACEGATE_APP_ID",
        "GRACEGATE_ON_INCOMPLETE",
    ]


def test_the_key_of_another_app(
    service: Store, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRACEGATE_PRIVATE_KEY", new_key()[0])
    code, found = diagnose(capfd)
    assert (code, "app" in found, [level for level, _, _ in found["github"]]) == (PROBLEMS, False, ["ok", "problem"])
    assert found["github"][1][1].startswith("GitHub does not accept the App's id and key (GitHub answered 401: A JSON")


def test_a_key_that_is_damaged_is_not_sent(
    service: Store, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRACEGATE_PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----")
    code, found = diagnose(capfd)
    assert (code, found["key"][0][0], fake.log) == (PROBLEMS, "problem", [])


def test_a_github_that_is_away(
    service: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRACEGATE_GITHUB_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("GRACEGATE_GIT_URL", "http://127.0.0.1:1")
    code, found = diagnose(capfd)
    assert (code, [message for _, message, _ in found["github"]]) == (
        PROBLEMS,
        [
            "GitHub was not reached for GitHub: no answer from GitHub: ConnectionError",
            "GitHub was not reached for the App: no answer from GitHub: ConnectionError",
        ],
    )


def test_a_question_that_fails_is_told_and_the_others_go_on(
    service: Store, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.fault("GET", "/app/hook/config$", status=500)
    code, found = diagnose(capfd)
    assert (code, found["github"][1][:2], [level for level, _, _ in found["installations"]]) == (
        PROBLEMS,
        ("problem", "GitHub was not reached for the webhook: GitHub answered 500: Server Error"),
        ["ok"],
    )


def test_what_github_knows_is_held_against_what_is_needed(
    service: Store, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.app.permissions["checks"] = "read"
    fake.app.events.remove("check_run")
    fake.webhook_url = "http://127.0.0.1:1/webhooks/github"
    fake.app.webhook_content_type = "form"
    fake.ping()
    fake.settle()
    next(iter(fake.world.installations.values())).suspended_at = fake.clock.iso()
    place = f"{fake.url}/settings/apps/gracegate"
    code, found = diagnose(capfd)
    assert code == PROBLEMS
    assert found["app"] == [
        (
            "problem",
            "the App has checks: read, and gracegate needs checks: write",
            f"grant it at {place}/permissions, then accept it for each installation",
        ),
        (
            "problem",
            "GitHub does not tell of check_run, because the App does not subscribe to it",
            f"subscribe to it at {place}/permissions",
        ),
    ]
    assert [level for level, _, _ in found["webhook"]] == ["problem"]
    assert found["deliveries"][0][:2] == (
        "problem",
        "the last delivery did not come in (ping: failed to connect to host)",
    )
    assert found["installations"][0][:2] == (
        "warning",
        "shop has suspended the App, so its pull requests get no check",
    )


def test_git_that_is_refused(service: Store, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]) -> None:
    fake.fault("GET", r"\.git/", status=404, times=-1)
    code, found = diagnose(capfd)
    level, message, _ = found["fetch"][0]
    assert (code, level, message.partition(": ")[0]) == (
        CLEAN,
        "warning",
        "git does not fetch shop/web, so reviews read it slowly by GitHub's API",
    )
    assert "ghs_" not in message


def test_an_api_that_is_refused(service: Store, fake: FakeGitHub, capfd: pytest.CaptureFixture[str]) -> None:
    fake.fault("GET", "/git/trees/", status=403)
    code, found = diagnose(capfd)
    assert (code, found["github"][1][1]) == (
        PROBLEMS,
        "GitHub did not tell about a fetch: GitHub answered 403: Server Error",
    )


@pytest.mark.parametrize("repositories", [[], ["shop/empty"]])
def test_nothing_to_fetch(
    service: Store, fake: FakeGitHub, capfd: pytest.CaptureFixture[str], repositories: list[str]
) -> None:
    fake.world.repositories.clear()
    for name in repositories:
        fake.create_repository(name)
    code, found = diagnose(capfd)
    assert (code, found["fetch"][0][0]) == (CLEAN, "note")


def test_the_service_has_not_started_yet(
    service: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRACEGATE_DATA_DIR", str(tmp_path / "new"))
    code, found = diagnose(capfd)
    assert (code, found["database"][0][0], found["data"][0][0]) == (CLEAN, "note", "ok")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TABLE audit", "tables are missing: audit; the service makes them when it starts"),
        (
            "UPDATE alembic_version SET version_num = '1'",
            "the tables are of another version of gracegate; the service migrates them when it starts",
        ),
    ],
)
def test_a_database_of_another_version(
    service: Store, capfd: pytest.CaptureFixture[str], statement: str, message: str
) -> None:
    with service.transaction() as tx:
        tx.exec_driver_sql(statement)
    code, found = diagnose(capfd)
    assert (code, found["database"][0][:2]) == (PROBLEMS, ("problem", message))


@pytest.mark.parametrize(
    ("variable", "looked_at", "message"),
    [
        ("GRACEGATE_DATABASE=sqlite://", "database", "GRACEGATE_DATABASE is in memory"),
        ("GRACEGATE_DATABASE=mysql://db/gracegate", "database", "GRACEGATE_DATABASE is neither"),
        ("GRACEGATE_DATABASE=nonsense", "database", "GRACEGATE_DATABASE is not a database URL"),
        ("GRACEGATE_DATABASE=postgresql://u:hidden@127.0.0.1:1/x", "database", "the database does not answer"),
        ("GRACEGATE_DATA_DIR=/proc/nothing", "data", "caches and database cannot be kept, because /proc"),
        ("OPA_URL=http://127.0.0.1:1", "engine", "no manifest can be evaluated"),
    ],
)
def test_wrong_places(
    service: Store, monkeypatch: pytest.MonkeyPatch, capfd: Any, variable: str, looked_at: str, message: str
) -> None:
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    code, found = diagnose(capfd)
    assert (code, found[looked_at][0][0], "hidden" in str(found)) == (PROBLEMS, "problem", False)
    assert found[looked_at][0][1].startswith(message)


def test_what_others_may_open_is_named(
    service: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "data" / "gracegate.db"
    database.chmod(0o644)
    key = tmp_path / "key.pem"
    key.touch(0o640)
    key.chmod(0o640)
    monkeypatch.setenv("GRACEGATE_PRIVATE_KEY_FILE", str(key))
    code, found = diagnose(capfd)
    assert (code, found["data"]) == (
        CLEAN,
        [("warning", f"other users of this machine may open {path}", f"chmod go= {path}") for path in (key, database)],
    )


def test_a_database_that_takes_no_rows(service: Store, capfd: pytest.CaptureFixture[str]) -> None:
    with service.transaction() as tx:
        tx.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON executor BEGIN SELECT RAISE(ABORT, 'is full'); END")
    code, found = diagnose(capfd)
    assert (code, found["database"][0][1].startswith("the database takes no rows: ")) == (PROBLEMS, True)
