"""`gracegate doctor`: whether this machine and the GitHub App are set up as reviews need it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import click

from gracegate.check import explain_rule
from gracegate.cli import diagnosis, machine
from gracegate.cli.diagnosis import Diagnosis
from gracegate.cli.main import CLEAN
from gracegate.cli.request import CheckOptions, open_policy_engines
from gracegate.cli.terminal import progress, shows_colour, write_output
from gracegate.errors import ConfigError, GitFailed, GitHubError, Gone, GracegateError
from gracegate.git import TreeFetcher
from gracegate.github_app import AppClient, GitObjects, Pace, TokenBroker, app, contents, deliveries, installations
from gracegate.policy.sets import MemoryRecords
from gracegate.review import build_policy_sets
from gracegate.settings import Settings, SettingsInvalid, child_environment
from gracegate.store import Store, sqlite_file, url_without_password

PROBLEMS = 1
EPILOG = """\b
Exit codes:
  0  no problems
  1  problems, which keep reviews from being done
"""
TIMEOUT = 10
"""Seconds that GitHub has for an answer."""
FETCH_SECONDS = 60.0
"""Seconds that each call of git has."""
_COLOURS = {"ok": "green", "note": "cyan", "warning": "yellow", "problem": "red"}

Step = tuple[str, Callable[[], list[Diagnosis]]]
"""What it looks at, and what it finds."""


@click.command("doctor", epilog=EPILOG)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(form: str) -> int:
    """Check the set-up of the GitHub App: settings, git, the rules' engine, key, disk, database, and what GitHub says.

    Needs the settings of the service (GRACEGATE_*), and may run beside it. It changes nothing.
    """
    found: list[Diagnosis] = []
    for title, find in steps():
        with progress(f"Checking {title}"):
            diagnoses = find()
        if form == "text":
            write_output("".join(map(render, diagnoses)))
        found += diagnoses
    has_problems = any(one.level == "problem" for one in found)
    if form == "json":
        write_output(json.dumps({"ok": not has_problems, "checks": [asdict(one) for one in found]}, indent=2) + "\n")
    return PROBLEMS if has_problems else CLEAN


def render(one: Diagnosis) -> str:
    """One line: the problem in one sentence with its remedy."""
    level = f"{one.level:<7}"
    level = click.style(level, fg=_COLOURS[one.level]) if shows_colour() else level
    return f"{level}  {one.name:<13}  {one.message}{f': {one.remedy}' if one.remedy else ''}\n"


def steps() -> Iterator[Step]:
    """What this machine has comes first. Without settings there is nothing to ask GitHub with."""
    yield "git", lambda: [machine.check_git()]
    yield "the engine", lambda: [_check_engine()]
    try:
        settings = Settings.from_environment()
    except SettingsInvalid as error:
        wrong = [Diagnosis("settings", "problem", problem) for problem in error.problems]
        yield "the settings", lambda: wrong
        return
    yield "the settings", lambda: diagnosis.diagnose_settings(settings)
    yield "the disk", lambda: machine.check_data_dir(settings)
    yield (
        "the renderer",
        lambda: [
            machine.check_renderer(settings.data_dir / "wasm"),
            diagnosis.diagnose_sources(settings.render_sources),
        ],
    )
    if settings.policies:
        yield "the policy sets", lambda: _check_policies(settings)
    yield "the database", lambda: [_check_database(settings)]
    key = diagnosis.diagnose_key(settings.private_key)
    yield "the private key", lambda: [key]
    if key.level == "ok":
        yield from _GitHubSteps(settings).steps()


def _check_engine() -> Diagnosis:
    """Let the rules find the example of one of them."""
    try:
        with open_policy_engines(None, CheckOptions(no_policies=True)) as policies:
            (builtin,) = policies.sets
            explain_rule(next(iter(builtin.catalog.rules.values())), builtin)
    except (GracegateError, OSError) as error:
        remedy = "see OPA_URL and GRACEGATE_OPA, or unset them to use the built-in engine"
        return Diagnosis("engine", "problem", f"no manifest can be evaluated: {error}", remedy)
    engine, rules = builtin.engine, builtin.catalog.rules
    return Diagnosis("engine", "ok", f"{engine.name} {engine.version} answers, with {len(rules)} rules")


def _check_policies(settings: Settings) -> list[Diagnosis]:
    """Builds the policy sets as they are now, and keeps nothing of that."""
    broker = TokenBroker(settings.app_id, settings.private_key, settings.github_url)
    client = AppClient(broker, Pace(max_wait=0.0, backoff=()), timeout=TIMEOUT)
    with tempfile.TemporaryDirectory(prefix="gracegate-") as folder:
        sets = build_policy_sets(replace(settings, data_dir=Path(folder)), client, MemoryRecords())
        return [*map(diagnosis.diagnose_policies, sets.current())]


def _check_database(settings: Settings) -> Diagnosis:
    try:
        file = sqlite_file(settings.database)
        if file is not None and not file.exists():
            return Diagnosis("database", "note", f"{file} is not there yet: the service makes it when it starts")
        store = Store(settings.database)
    except (ConfigError, ImportError) as error:
        return Diagnosis("database", "problem", str(error), "see GRACEGATE_DATABASE in the settings (/docs/settings)")
    try:
        problem = store.check_writes()
    finally:
        store.close()
    if problem:
        return Diagnosis(
            "database", "problem", problem, "see whether GRACEGATE_DATABASE is right and the database runs"
        )
    return Diagnosis("database", "ok", f"{url_without_password(settings.database)} takes rows")


class _GitHubSteps:
    """What GitHub says of itself and of the App. A step that fails is a problem, and the others go on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        broker = TokenBroker(settings.app_id, settings.private_key, settings.github_url)
        # An operator is waiting, so what fails is told at once.
        self._client = AppClient(broker, Pace(max_wait=0.0, backoff=()), timeout=TIMEOUT)
        self._registration: app.Registration | None = None
        self._installation: app.Installation | None = None

    def steps(self) -> Iterator[Step]:
        url = self._settings.github_url
        yield self._step("GitHub", lambda: diagnosis.diagnose_server(app.read_server(url, TIMEOUT), url))
        yield self._step("the App", self._check_registration)
        registration = self._registration
        if registration is None:
            # GitHub does not know the App by this id and key, and tells nothing more of it.
            return
        page = registration.settings_url
        yield self._step(
            "the webhook", lambda: diagnosis.diagnose_webhook(app.read_webhook(self._client), self._settings, page)
        )
        yield self._step(
            "its deliveries", lambda: [diagnosis.diagnose_deliveries(deliveries.list_newest(self._client))]
        )
        yield self._step("the installations", lambda: self._check_installations(registration))
        if (installation := self._installation) is not None:
            yield self._step("a fetch", lambda: [self._check_fetching(installation)])

    def _check_registration(self) -> list[Diagnosis]:
        self._registration = app.read_registration(self._client)
        return diagnosis.diagnose_registration(self._registration)

    def _check_installations(self, registration: app.Registration) -> list[Diagnosis]:
        found = app.list_installations(self._client)
        self._installation = next((one for one in found if not one.is_suspended), None)
        return diagnosis.diagnose_installations(found, registration, self._settings.allowed_owners)

    def _check_fetching(self, installation: app.Installation) -> Diagnosis:
        """Fetch from one repository as a review does: with GitHub's API, and with git."""
        number = installation.id
        with self._client.installation(number) as reader:
            repository = installations.first_repository(reader)
        if repository is None:
            return diagnosis.diagnose_fetching(None, None)
        with self._client.repository(number, repository.id, repository.full_name) as repo:
            commit = contents.default_commit(repo)
            if commit is None:
                return diagnosis.diagnose_fetching(None, None)
            GitObjects(repo).read_tree(commit, recursive=False)
        url = f"{self._settings.git_url}/{repository.full_name}.git"
        token = self._client.git_token(number, repository.id)
        with tempfile.TemporaryDirectory(prefix="gracegate-doctor-") as folder:
            fetcher = TreeFetcher(Path(folder), seconds=FETCH_SECONDS, environment=child_environment())
            try:
                fetcher.fetch_trees(url, token, {commit: lambda _path: False})
            except (GitFailed, Gone) as error:
                return diagnosis.diagnose_fetching(repository.full_name, str(error))
        return diagnosis.diagnose_fetching(repository.full_name, None)

    def _step(self, title: str, find: Callable[[], list[Diagnosis]]) -> Step:
        def guarded() -> list[Diagnosis]:
            try:
                return find()
            except GitHubError as error:
                return [diagnosis.diagnose_error(title, error)]

        return title, guarded
