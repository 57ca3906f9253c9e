"""`gracegate setup` from the button to the files, and what they are good for: a browser's requests, and a GitHub."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from gracegate.cli.main import CLEAN, INTERRUPTED, USAGE, run
from gracegate.github_app.app_manifest import NEEDED_EVENTS, NEEDED_PERMISSIONS, app_manifest
from gracegate.settings import Settings
from tests.fakegithub.server import FakeGitHub
from tests.processes import WAIT_SECONDS
from tests.web.test_setup import Form

SERVICE = "https://gate.example.com"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    (tmp_path / "github").mkdir()
    with FakeGitHub(tmp_path / "github") as fake:
        yield fake


class Setup:
    """The command as a process, and the browser of who started it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.first_line = process.stdout.readline()
        self.page = re.findall(r"http://\S+", self.first_line)[0]
        self.browser = requests.Session()
        self.browser.trust_env = False

    def click_the_button(self) -> requests.Response:
        """GitHub's page sends the browser back at once."""
        form = Form(self.browser.get(self.page, timeout=WAIT_SECONDS).text)
        return self.browser.post(form.action, data=form.fields, timeout=WAIT_SECONDS)

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, out


@contextmanager
def started(fake: FakeGitHub, folder: Path, *options: str) -> Iterator[Setup]:
    command = [sys.executable, "-m", "gracegate", "setup", "--url", SERVICE, "--github-url", f"{fake.url}/api/v3"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GRACEGATE_")}
    with subprocess.Popen(
        [*command, "--directory", str(folder), *options],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Setup(process)
        finally:
            process.kill()


def read_settings(file: Path) -> dict[str, str]:
    """What a shell makes of it."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return {name: shlex.split(value)[0] for name, _, value in (line.partition("=") for line in lines)}


def test_from_the_button_to_a_set_up_that_the_doctor_finds_right(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my service"
    with started(fake, folder, "--rulesets", "--apply-fixes", "--name", "our-gate") as setup:
        assert setup.first_line == f"Open {setup.page} in a browser on this machine.\n"
        answer = setup.click_the_button()
        code, out = setup.end()
    page = f"{fake.url}/apps/our-gate"
    assert (code, answer.status_code, f"1. Install it: {page}/installations/new" in answer.text) == (CLEAN, 200, True)
    assert out.splitlines() == [
        f"Registered {page}. Its settings are in {folder}/.env, its key in {folder}/private-key.pem.",
        f"1. Install it: {page}/installations/new",
        f"2. Start the service: set -a; . '{folder}/.env'; set +a; gracegate serve",
        "3. Check the set-up, with the same settings: gracegate doctor",
    ]
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert files == {".env": 0o600, "private-key.pem": 0o600}
    settings = read_settings(folder / ".env")
    assert re.fullmatch(r"[0-9a-f]{64}", settings.pop("GRACEGATE_COMMENT_SIGNING_KEYS"))
    assert settings == {
        "GRACEGATE_APP_ID": str(fake.app.id),
        "GRACEGATE_PRIVATE_KEY_FILE": f"{folder}/private-key.pem",
        "GRACEGATE_WEBHOOK_SECRETS": fake.app.webhook_secret,
        "GRACEGATE_CLIENT_ID": fake.app.client_id,
        "GRACEGATE_CLIENT_SECRET": fake.app.client_secret,
        "GRACEGATE_PUBLIC_URL": SERVICE,
        "GRACEGATE_GITHUB_URL": f"{fake.url}/api/v3",
        "GRACEGATE_GIT_URL": fake.url,
    }
    assert not any(
        secret in out + answer.text for secret in (fake.app.webhook_secret, fake.app.client_secret, "PRIVATE KEY")
    )
    assert fake.app.callback_urls == (f"{SERVICE}/sign-in/callback",)
    assert (fake.app.permissions, fake.app.events, fake.app.owner) == (
        {**NEEDED_PERMISSIONS, "statuses": "write", "contents": "write"},
        [*NEEDED_EVENTS],
        "ada",
    )

    fake.webhook_url, webhook_url = None, fake.webhook_url
    fake.install("shop")
    fake.webhook_url = webhook_url
    for name in [name for name in os.environ if name.startswith("GRACEGATE_")]:
        monkeypatch.delenv(name)
    for name, value in read_settings(folder / ".env").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GRACEGATE_DATA_DIR", str(tmp_path / "data"))
    assert run(["doctor", "--format", "json"]) == CLEAN
    found = {one["name"]: one["level"] for one in json.loads(capfd.readouterr().out)["checks"]}
    assert {name for name, level in found.items() if level == "ok"} >= {"settings", "key", "app", "webhook", "github"}


def test_an_organization_may_own_the_app_and_nobody_signs_in_without_tls(fake: FakeGitHub, tmp_path: Path) -> None:
    with started(fake, tmp_path, "--organization", "shop", "--url", "http://gate.example.com") as setup:
        setup.click_the_button()
        assert setup.end()[0] == CLEAN
    assert fake.app.owner == "shop"
    settings = read_settings(tmp_path / ".env")
    assert "GRACEGATE_CLIENT_SECRET" not in settings
    assert Settings.from_environment({**settings, "HOME": "/home/ada"}).public_url == "http://gate.example.com"


def test_a_code_that_github_does_not_know_writes_nothing_and_can_be_tried_again(
    fake: FakeGitHub, tmp_path: Path
) -> None:
    fake.fault("POST", "/conversions$", status=404)
    with started(fake, tmp_path / "new") as setup:
        answer = setup.click_the_button()
        assert (answer.status_code, "GitHub answered 404" in answer.text) == (502, True)
        assert list((tmp_path / "new").iterdir()) == []
        assert setup.click_the_button().status_code == 200
        assert setup.end()[0] == CLEAN


def test_files_are_replaced_by_force_alone(fake: FakeGitHub, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text("mine")
    assert run(["setup", "--url", SERVICE, "--directory", str(tmp_path)]) == USAGE
    assert capfd.readouterr().err == (
        f"gracegate: {tmp_path}/.env would be overwritten: choose another --directory, or give --force\n"
    )
    with started(fake, tmp_path, "--force") as setup:
        setup.click_the_button()
        assert setup.end()[0] == CLEAN
    assert (tmp_path / ".env.old").read_text() == "mine"
    assert read_settings(tmp_path / ".env")["GRACEGATE_APP_ID"] == str(fake.app.id)


def test_a_file_that_appears_meanwhile_is_not_overwritten(fake: FakeGitHub, tmp_path: Path) -> None:
    with started(fake, tmp_path) as setup:
        (tmp_path / "private-key.pem").write_text("mine")
        answer = setup.click_the_button()
        assert (answer.status_code, "its key could not be written" in answer.text) == (502, True)
    assert (tmp_path / "private-key.pem").read_text() == "mine"


@pytest.fixture
def heeded_interrupts() -> Iterator[None]:
    """A shell has its background jobs ignore SIGINT, and their children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_interrupts")
def test_it_can_be_left(fake: FakeGitHub, tmp_path: Path) -> None:
    with started(fake, tmp_path) as setup:
        setup.process.send_signal(signal.SIGINT)
        assert setup.end()[0] == INTERRUPTED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--url", "gate.example.com"], "'gate.example.com' is not a URL such as"),
        (["--url", SERVICE, "--github-url", "ghe"], "'ghe' is not a URL such as"),
        (["--url", SERVICE, "--directory", "/proc/nothing"], "/proc/nothing cannot be written to"),
    ],
)
def test_wrong_options(options: list[str], message: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["setup", "--directory", str(tmp_path), *options]) == USAGE
    assert message in capfd.readouterr().err


@pytest.mark.parametrize("url", [SERVICE, f"{SERVICE}/", f"{SERVICE}/webhooks/github"])
def test_the_manifest_alone(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["setup", "--url", url, "--print-manifest"]) == CLEAN
    manifest: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert manifest == app_manifest("gracegate", SERVICE)
