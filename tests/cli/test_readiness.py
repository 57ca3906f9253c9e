"""What /readyz says of GitHub: what makes a process unready, what is only told, and that nobody waits for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gracegate.cli import readiness
from gracegate.cli.diagnosis import diagnose_policies
from gracegate.cli.readiness import (
    BackgroundCheck,
    GitHubCheck,
    check_machine,
    check_policies,
    check_renderer,
    readiness_checks,
)
from gracegate.github_app import app
from gracegate.model import PolicySource
from gracegate.settings import Settings
from gracegate.store import Store
from gracegate.web import Degraded
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.state import new_key
from tests.jobs.harness import environment
from tests.policy.sets.policy_sets import GOOD, RULE, write
from tests.processes import WAIT_SECONDS, wait_for
from tests.review.conftest import policy_sets


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as fake:
        yield fake


@pytest.fixture
def settings(fake: FakeGitHub, tmp_path: Path) -> Settings:
    app = {"app_id": str(fake.app.id), "private_key": fake.app.private_key, "github_url": fake.url}
    return replace(Settings.from_environment(environment(tmp_path)), **app)


def kind(found: str | Degraded | None) -> tuple[str, str]:
    """What it is, and the beginning of its reason."""
    if isinstance(found, Degraded):
        return "degraded", found.reason[:44]
    return ("ready", "") if found is None else ("missing", found[:44])


def test_an_app_that_github_knows(settings: Settings) -> None:
    assert kind(GitHubCheck(settings)()) == ("ready", "")


def test_a_key_that_github_does_not_accept_at_the_start(settings: Settings) -> None:
    check = GitHubCheck(replace(settings, private_key=new_key()[0]))
    assert kind(check()) == ("missing", "GitHub does not accept the App's id and key ")


def test_a_key_that_is_none(settings: Settings, fake: FakeGitHub) -> None:
    check = GitHubCheck(replace(settings, private_key="-----BEGIN RSA PRIVATE KEY-----"))
    assert (kind(check()), fake.log) == (("missing", "the private key is damaged, cut off or encry"), [])


def test_a_key_that_github_accepted_before_takes_no_process_out_of_service(
    settings: Settings, fake: FakeGitHub
) -> None:
    check = GitHubCheck(settings)
    assert kind(check()) == ("ready", "")
    fake.app.public_key = new_key()[1]
    assert kind(check()) == ("degraded", "GitHub does not accept the App's id and key ")


def test_a_github_that_is_down_is_told(settings: Settings, fake: FakeGitHub) -> None:
    fake.fault("GET", "/app$", status=503)
    check = GitHubCheck(settings)
    assert [kind(check()), kind(check())] == [
        ("degraded", "GitHub was not reached for the App: GitHub a"),
        ("ready", ""),
    ]


def test_what_the_app_lacks_is_told(settings: Settings, fake: FakeGitHub) -> None:
    fake.app.permissions["checks"] = "read"
    found = GitHubCheck(settings)()
    assert kind(found) == ("degraded", "the App has checks: read, and gracegate needs checks: write"[:44])


def test_the_checks_of_a_process(settings: Settings, tmp_path: Path) -> None:
    own = ["github", "machine", "renderer", "rules"]
    store = Store(f"sqlite:///{tmp_path / 'gracegate.db'}")
    sources = (PolicySource("/nothing", "folder"),)
    assert sorted(readiness_checks(settings, store)) == own
    assert sorted(readiness_checks(replace(settings, opa=Path("/nothing")), store)) == sorted([*own, "opa"])
    assert sorted(readiness_checks(replace(settings, policies=sources), store)) == sorted([*own, "policies"])


def test_a_policy_set_that_is_refused_keeps_no_process_from_being_ready(tmp_path: Path, opa: Path) -> None:
    folder = write(tmp_path / "acme", GOOD)
    sets = policy_sets(tmp_path, str(folder))
    assert kind(check_policies(sets)) == ("ready", "")
    write(folder, {RULE: GOOD[RULE].replace("severity: error", "severity: fatal")})
    assert kind(check_policies(sets)) == ("degraded", f"the newest version of the policy set in {folder}"[:44])
    assert [one.remedy for one in map(diagnose_policies, sets.current())] == [
        f"correct {RULE}:7: severity is one of error, warning, info, not fatal"
    ]


def test_reviews_are_done_without_a_renderer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "find_renderer", lambda: Path("renderer.wasm.gz"))
    assert kind(check_renderer()) == ("ready", "")
    monkeypatch.setattr(readiness, "find_renderer", lambda: None)
    assert kind(check_renderer()) == ("degraded", "kustomizations and charts are named and not ")


def test_a_clock_that_is_off_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read_server = app.read_server

    def read_another_time(url: str, timeout: float) -> app.GitHubServer:
        return replace(read_server(url, timeout), skew=-400.0)

    monkeypatch.setattr(app, "read_server", read_another_time)
    assert kind(GitHubCheck(settings)()) == ("degraded", "GitHub refuses the App, because this machine")


def test_this_machine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kind(check_machine(settings)) == ("ready", "")
    assert kind(check_machine(replace(settings, data_dir=Path("/proc/nothing")))) == (
        "degraded",
        "caches and database cannot be kept, because ",
    )
    monkeypatch.setenv("PATH", "/nowhere")
    assert kind(check_machine(settings)) == ("degraded", "manifests cannot be fetched, because there i")


class Slow:
    """A check that is held until `go`; its results are numbered."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.made = 0

    def __call__(self) -> str:
        self.go.wait(WAIT_SECONDS)
        self.made += 1
        return str(self.made)


def test_nobody_waits_for_a_slow_check_and_it_is_made_once() -> None:
    slow = Slow()
    check = BackgroundCheck(slow, seconds=1e9, wait=0.01)
    assert [check(), check()] == [Degraded("the first answer is not there yet")] * 2
    slow.go.set()
    wait_for("the result", lambda: check() == "1")
    assert [check(), slow.made] == ["1", 1]


def test_the_first_result_is_waited_for() -> None:
    slow = Slow()
    slow.go.set()
    assert BackgroundCheck(slow, seconds=1e9, wait=WAIT_SECONDS)() == "1"


def test_a_result_that_is_old_is_made_again_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(readiness.time, "monotonic", lambda: now)
    slow = Slow()
    slow.go.set()
    check = BackgroundCheck(slow, seconds=60.0, wait=WAIT_SECONDS)
    assert check() == "1"
    slow.go.clear()
    now = 61.0
    assert check() == "1"
    slow.go.set()
    wait_for("the new result", lambda: check() == "2")
    now = 182.0
    assert check() == "3"


def test_a_check_that_fails_is_made_again() -> None:
    results = iter([ZeroDivisionError(), None])

    def check() -> None:
        if (result := next(results)) is not None:
            raise result

    background = BackgroundCheck(check, seconds=0.0, wait=WAIT_SECONDS)
    assert background() == Degraded("the check failed: ZeroDivisionError")
    wait_for("the next result", lambda: background() is None)
