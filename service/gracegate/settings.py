"""Environment -> Settings. The only module that reads the environment."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from gracegate.errors import ConfigError
from gracegate.model import Limits, PolicySource, RenderSources, parse_policy_source

_GITHUB = "https://github.com"
OnIncomplete = Literal["failure", "neutral"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

# Name -> its old name, which is still read, with a warning.
_OLD_NAMES = {"COMMENT_SIGNING_KEYS": "MARKER_KEYS", "SHUTDOWN_SECONDS": "DRAIN_SECONDS"}

# The variables of what a GitHub App has.
_OF_THE_APP = ("APP_ID", "PRIVATE_KEY", "PRIVATE_KEY_FILE", "WEBHOOK_SECRETS", "COMMENT_SIGNING_KEYS", "MARKER_KEYS")

# The field of model.Limits: its variable, and the least and the most that may be written.
_LIMITS = {
    "bytes": ("MAX_FILE_BYTES", 1_000, 20_000_000),
    "documents": ("MAX_DOCUMENTS", 1, 1_000_000),
    "depth": ("MAX_DEPTH", 10, 200),
    "nodes": ("MAX_NODES", 100, 5_000_000),
    "aliases": ("MAX_ALIASES", 0, 1_000_000),
}

_RENDER_SOURCE = re.compile(r"(?:(?:https?|oci)://)?[a-z0-9.-]+(?::[0-9]+)?(?:/[\w.~-]+)*(?:/\*|/[\w.~-]+)", re.ASCII)

# What a browser calls this machine alone: a page there needs no TLS.
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OPERATOR = re.compile(r"id:[1-9][0-9]{0,18}|[a-z0-9][a-z0-9_-]{0,99}", re.ASCII)

_REPOSITORIES = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-]*/(?:\*|[\w.-]+)", re.ASCII)

# The variables that a child process sees: enough to find programs, certificates and proxies, none of our secrets.
_CHILD_VARIABLES = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
)  # fmt: skip


class SettingsInvalid(ConfigError):
    """Settings of the operator are wrong: each of `problems` names one of them and what to write."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the web process listens; `bind` is host:port. Why so many threads: gracegate/web/worker.py."""

    bind: str = "127.0.0.1:8000"
    processes: int = 1
    threads: int = 64


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How reviews are run. Times in seconds; `backoff` is the pause after the first failure, doubled after each next.

    `poll` is the time between two looks for a review by a worker that has room for one. `shutdown` is how long a worker
    that is stopped waits for the reviews that it is doing. `reconcile` is the time between two searches for what
    webhooks have not told. `keep_audit` is for how long the log of writes is kept.
    """

    workers: int = 1
    concurrency: int = 4
    poll: float = 0.2
    heartbeat: float = 5.0
    dead_after: float = 45.0
    shutdown: float = 25.0
    attempts: int = 8
    crashes: int = 5
    backoff: float = 5.0
    backoff_limit: float = 900.0
    reconcile: float = 300.0
    keep_audit: float = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator decides. URLs have no slash at their end.

    `write_gap` and `notify_gap` are the seconds between two writes of an installation, and between two that notify,
    after a burst of them; 0 for a server without rate limits.
    `client_id` and `client_secret` are those of the App; people can sign in only with a secret. `operators` are logins,
    in lower case, and ids as `id:1`.
    `policies` are where the policy sets come from that are evaluated in every review, and `policies_allowed` are the
    patterns of repositories whose policy sets a repository's own configuration may name.
    `playground` lets anybody who reaches the service have manifests and rules evaluated, and `own_rule_pages` lets them
    read about the rules of `policies`.
    `deprecations` are the warnings to log at the start.
    """

    app_id: str
    private_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    comment_signing_keys: tuple[str, ...] = field(repr=False)
    data_dir: Path
    database: str = field(repr=False)
    github_url: str = "https://api.github.com"
    git_url: str = _GITHUB
    public_url: str | None = None
    rules_url: str | None = None
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    operators: frozenset[str] = frozenset()
    opa_url: str | None = None
    opa: Path | None = None
    on_incomplete: OnIncomplete = "failure"
    check_name: str = "gracegate"
    allowed_owners: frozenset[str] = frozenset()
    render_sources: RenderSources = field(default_factory=RenderSources)
    policies: tuple[PolicySource, ...] = ()
    policies_allowed: tuple[str, ...] = ()
    impact_repositories: tuple[str, ...] = ()
    impact_pulls: int = 20
    check_seconds: float = 120.0
    check_memory_mb: int = 1024
    limits: Limits = field(default_factory=Limits)
    write_gap: float = 1.0
    notify_gap: float = 3.0
    playground: bool = False
    own_rule_pages: bool = False
    log_level: LogLevel = "INFO"
    web: WebSettings = WebSettings()
    jobs: JobSettings = JobSettings()
    deprecations: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read `env`, by default the process's. ConfigError names every variable that is wrong and what to write."""
        read = _Reader(environment() if env is None else env)
        data_dir = read.data_dir()
        settings = cls(
            **read.app(),
            data_dir=data_dir,
            database=read.database(data_dir),
            github_url=read.url("GITHUB_URL", "https://api.github.com"),
            git_url=read.url("GIT_URL", _GITHUB),
            public_url=read.url("PUBLIC_URL", "") or None,
            rules_url=read.url("RULES_URL", _rules_url(read.url("PUBLIC_URL", ""))) or None,
            client_id=read.client_id(),
            client_secret=read.client_secret(),
            operators=read.operators(),
            opa_url=opa_url(read.env),
            opa=opa_binary(read.env),
            on_incomplete=cast("OnIncomplete", read.choice("ON_INCOMPLETE", get_args(OnIncomplete))),
            check_name=read.text("CHECK_NAME", "gracegate"),
            allowed_owners=frozenset(owner.lower() for owner in read.values("ALLOWED_OWNERS")),
            render_sources=read.render_sources(),
            policies=read.policies(),
            policies_allowed=read.policies_allowed(),
            impact_repositories=read.impact_repositories(),
            impact_pulls=int(read.number("IMPACT_PULLS", 20, 0)),
            check_seconds=read.number("CHECK_SECONDS", 120.0, 1),
            check_memory_mb=int(read.number("CHECK_MEMORY_MB", 1024, 64)),
            limits=read.limits(),
            write_gap=read.number("WRITE_GAP", 1.0, 0),
            notify_gap=read.number("NOTIFY_GAP", 3.0, 0),
            playground=read.choice("PLAYGROUND", ("off", "on")) == "on",
            own_rule_pages=read.choice("OWN_RULE_PAGES", ("off", "on")) == "on",
            log_level=cast("LogLevel", read.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR"))),
            web=read.web(),
            jobs=read.jobs(),
            deprecations=read.deprecations(),
        )
        read.raise_errors()
        return settings

    @property
    def has_sign_in(self) -> bool:
        """Whether people can sign in, so that there are pages of private repositories for those who can read them."""
        return bool(self.client_secret)

    @property
    def own_rules_url(self) -> str | None:
        """Where this service shows the pages of the rules of `policies`, None if it does not."""
        return f"{self.public_url}/rules" if self.public_url and self.own_rule_pages else None

    @property
    def policies_check_name(self) -> str:
        """The name of the check of pull requests that change policy sets."""
        return f"{self.check_name} / policies"

    def lists_policies_of(self, repository: str) -> bool:
        """Whether policy sets of a repository, by its full name, are ones that reviews may use."""
        name = repository.lower()
        is_named = any(source.repository.lower() == name for source in self.policies)
        return is_named or any(fnmatchcase(name, pattern.lower()) for pattern in self.policies_allowed)

    def secrets(self) -> tuple[str, ...]:
        """The values that must never appear in a log."""
        password = urlsplit(self.database).password
        more = filter(None, [password, self.client_secret])
        return (self.private_key, *self.webhook_secrets, *self.comment_signing_keys, *more)


@dataclass(frozen=True, slots=True)
class SettingsWithoutApp:
    """What is decided of a service that has no GitHub App yet. `missing` says of each variable of the App what to write
    into it."""

    web: WebSettings
    public_url: str | None
    missing: tuple[str, ...]


def settings_without_app(env: Mapping[str, str] | None = None) -> SettingsWithoutApp | None:
    """None where a variable of a GitHub App is set: then all of them have to be right. Raises ConfigError."""
    env = environment() if env is None else env
    if any(env.get(f"GRACEGATE_{name}", "").strip() for name in _OF_THE_APP):
        return None
    wanted = _Reader(env)
    wanted.app()
    read = _Reader(env)
    settings = SettingsWithoutApp(read.web(), read.url("PUBLIC_URL", "") or None, tuple(wanted.errors))
    read.raise_errors()
    return settings


def _rules_url(public_url: str) -> str:
    """Where this service shows the pages of the rules; "" if nobody knows its address."""
    return f"{public_url}/rules" if public_url else ""


def can_sign_in_at(public_url: str) -> bool:
    """Whether a session is safe at this address of the service: over TLS, or on this machine alone."""
    return urlsplit(public_url).scheme == "https" or is_loopback(public_url)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine by a name that nobody else can give it."""
    return urlsplit(url).hostname in _LOOPBACK


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ


def child_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process (git, OPA, the check of untrusted manifests)."""
    env = environment() if env is None else env
    return {name: env[name] for name in _CHILD_VARIABLES if name in env}


def opa_url(env: Mapping[str, str] | None = None) -> str | None:
    """The URL of an OPA server that serves gracegate alone; None if none is set."""
    return (environment() if env is None else env).get("OPA_URL", "").strip().rstrip("/") or None


def opa_binary(env: Mapping[str, str] | None = None) -> Path | None:
    """The `opa` program that gracegate starts as its child; None if none is set."""
    path = (environment() if env is None else env).get("GRACEGATE_OPA", "").strip()
    return Path(path) if path else None


def installed_opa(env: Mapping[str, str] | None = None) -> Path | None:
    """As `find_opa`, None if there is none."""
    try:
        return find_opa(env)
    except ConfigError:
        return None


def find_opa(env: Mapping[str, str] | None = None) -> Path:
    """The `opa` program that compiles rules of policy sets: of GRACEGATE_OPA, else of PATH, else of this checkout.

    Raises ConfigError if there is none.
    """
    env = environment() if env is None else env
    checkout = Path(__file__).resolve().parents[2] / ".tools"
    found = opa_binary(env) or shutil.which("opa", path=env.get("PATH", "")) or shutil.which("opa", path=str(checkout))
    if found is None:
        raise ConfigError(
            "rules of your own need OPA 1.22 or newer: put `opa` on PATH, or set GRACEGATE_OPA to it "
            "(https://www.openpolicyagent.org/docs#1-download-opa)"
        )
    return Path(found)


def find_regal(env: Mapping[str, str] | None = None) -> Path | None:
    """The `regal` program of PATH; None if there is none."""
    found = shutil.which("regal", path=(environment() if env is None else env).get("PATH", ""))
    return None if found is None else Path(found)


def git_url(env: Mapping[str, str] | None = None) -> str:
    """Where repositories are cloned from, without a slash at its end."""
    return (environment() if env is None else env).get("GRACEGATE_GIT_URL", "").strip().rstrip("/") or _GITHUB


def git_token(env: Mapping[str, str] | None = None) -> str | None:
    """The user's token for GitHub, by the names that `gh` and GitHub Actions give it; None if there is none."""
    env = environment() if env is None else env
    return env.get("GH_TOKEN", "").strip() or env.get("GITHUB_TOKEN", "").strip() or None


def limits(env: Mapping[str, str] | None = None) -> Limits:
    """The limits of one manifest file. Raises ConfigError if a variable is not a number, or out of bounds."""
    read = _Reader(environment() if env is None else env)
    limits = read.limits()
    read.raise_errors()
    return limits


def database(env: Mapping[str, str] | None = None) -> str:
    """The URL of the database; enough for a command that needs nothing else of the service."""
    read = _Reader(environment() if env is None else env)
    url = read.database(read.data_dir())
    read.raise_errors()
    return url


def cache_dir(env: Mapping[str, str] | None = None) -> Path | None:
    """The folder where the command line caches compiled rules; None if HOME is not set."""
    env = environment() if env is None else env
    if base := env.get("XDG_CACHE_HOME", "").strip():
        return Path(base) / "gracegate"
    home = env.get("HOME", "").strip()
    return Path(home) / ".cache" / "gracegate" if home else None


def wants_colour(env: Mapping[str, str] | None = None) -> bool | None:
    """False where NO_COLOR is set to anything (https://no-color.org), True where FORCE_COLOR is (https://force-color.org).

    None where nothing is said: a terminal then has colours, unless it is a dumb one.
    """
    env = environment() if env is None else env
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return True
    return False if env.get("TERM") == "dumb" else None


def step_summary() -> Path | None:
    """The file whose Markdown a GitHub Actions workflow shows as the summary of the step that runs."""
    path = environment().get("GITHUB_STEP_SUMMARY")
    return Path(path) if path else None


def render_source_problems(sources: RenderSources) -> Iterator[str]:
    """What is wrong with patterns of repositories: each names a server, so that nobody else can choose one."""
    for pattern in sources.patterns:
        if not _RENDER_SOURCE.fullmatch(pattern):
            yield (
                f"{pattern!r} names no repositories: write a host and a path such as github.com/kubernetes-sigs/*, or"
                " for a registry oci://ghcr.io/stefanprodan/charts/*"
            )


class _Reader:
    """Reads variables and collects all errors, so that one failed start names everything that is wrong."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.errors: list[str] = []

    def raise_errors(self) -> None:
        if self.errors:
            raise SettingsInvalid(self.errors)

    def deprecations(self) -> tuple[str, ...]:
        return tuple(
            f"GRACEGATE_{old} is an old name: write GRACEGATE_{new} instead"
            for new, old in _OLD_NAMES.items()
            if f"GRACEGATE_{old}" in self.env
        )

    def text(self, name: str, default: str = "") -> str:
        value = self.env.get(f"GRACEGATE_{name}", "").strip()
        if not value and name in _OLD_NAMES:
            value = self.env.get(f"GRACEGATE_{_OLD_NAMES[name]}", "").strip()
        return value or default

    def required(self, name: str, what: str) -> str:
        value = self.text(name)
        if not value:
            self.errors.append(f"GRACEGATE_{name} is not set: write {what}")
        return value

    def app(self) -> dict[str, Any]:
        """What belongs to the GitHub App, by the fields of Settings."""
        random_key = "a random key, e.g. from `openssl rand -hex 32`"
        return {
            "app_id": self.app_id(),
            "private_key": self.private_key(),
            "webhook_secrets": self.secrets("WEBHOOK_SECRETS", "the webhook secret of the GitHub App"),
            "comment_signing_keys": self.secrets("COMMENT_SIGNING_KEYS", random_key),
        }

    def app_id(self) -> str:
        value = self.required("APP_ID", "the id or the client id on the GitHub App's settings page")
        if value and not (value.isdecimal() or value.startswith("Iv")):
            self.errors.append(f"GRACEGATE_APP_ID is {value!r}: write the App's id, a number, or its client id, Iv...")
        return value

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(part for part in map(str.strip, self.text(name).split(",")) if part)

    def secrets(self, name: str, what: str) -> tuple[str, ...]:
        values = self.values(name)
        if not values:
            self.errors.append(
                f"GRACEGATE_{name} is not set: write {what} (several are separated by commas, the newest first)"
            )
        return values

    def private_key(self) -> str:
        if key := self.text("PRIVATE_KEY"):
            # Many secret stores and .env files keep a PEM on one line.
            return self._pem("GRACEGATE_PRIVATE_KEY", key.replace("\\n", "\n"))
        path = self.text("PRIVATE_KEY_FILE")
        if not path:
            self.errors.append(
                "GRACEGATE_PRIVATE_KEY_FILE is not set: write the path of the GitHub App's private key"
                " (or its text into GRACEGATE_PRIVATE_KEY)"
            )
            return ""
        try:
            return self._pem("GRACEGATE_PRIVATE_KEY_FILE", Path(path).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError) as error:
            self.errors.append(f"GRACEGATE_PRIVATE_KEY_FILE: {path} cannot be read ({error})")
            return ""

    def _pem(self, name: str, key: str) -> str:
        if "PRIVATE KEY-----" not in key:
            self.errors.append(f"{name} is not a private key: it starts with -----BEGIN RSA PRIVATE KEY-----")
        return key

    def url(self, name: str, default: str) -> str:
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc):
            self.errors.append(f"GRACEGATE_{name} is {value!r}: write a URL such as https://ghe.example.com/api/v3")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """The first choice is the default; upper and lower case do not matter."""
        value = self.text(name, choices[0])
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        self.errors.append(f"GRACEGATE_{name} is {value!r}: write one of {', '.join(choices)}")
        return choices[0]

    def number(self, name: str, default: float, least: float) -> float:
        value = self.text(name)
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not least <= number < float("inf"):
            self.errors.append(f"GRACEGATE_{name} is {value!r}: write a number from {least:g} up")
            return default
        return number

    def client_id(self) -> str:
        """By default what stands for the App's id, if that is its client id."""
        app_id = self.text("APP_ID")
        return self.text("CLIENT_ID", "" if app_id.isdecimal() else app_id)

    def client_secret(self) -> str:
        secret = self.text("CLIENT_SECRET")
        if not secret:
            return ""
        if not self.client_id():
            self.errors.append("GRACEGATE_CLIENT_ID is not set: write the client id on the GitHub App's settings page")
        url = self.text("PUBLIC_URL")
        if not url:
            self.errors.append(
                "GRACEGATE_PUBLIC_URL is not set: people who sign in are sent back there, so write the service's URL"
            )
        elif not can_sign_in_at(url):
            self.errors.append(
                "GRACEGATE_PUBLIC_URL does not begin with https://: with GRACEGATE_CLIENT_SECRET people sign in,"
                " so serve the pages over TLS"
            )
        return secret

    def operators(self) -> frozenset[str]:
        found = frozenset(value.lower() for value in self.values("OPERATORS"))
        self.errors += (
            f"GRACEGATE_OPERATORS: {one!r} is no login on GitHub, and no id such as id:583231"
            for one in sorted(found)
            if not _OPERATOR.fullmatch(one)
        )
        if found and not self.text("CLIENT_SECRET"):
            self.errors.append("GRACEGATE_OPERATORS is set and GRACEGATE_CLIENT_SECRET is not: nobody can sign in")
        return found

    def render_sources(self) -> RenderSources:
        sources = RenderSources(self.values("RENDER_SOURCES"))
        self.errors += (f"GRACEGATE_RENDER_SOURCES: {problem}" for problem in render_source_problems(sources))
        return sources

    def policies(self) -> tuple[PolicySource, ...]:
        sources = []
        for value in self.values("POLICIES"):
            try:
                source = parse_policy_source(value)
            except ValueError as error:
                self.errors.append(f"GRACEGATE_POLICIES: {error}")
                continue
            path = Path(value)
            if source.kind == "folder" and not (path.is_absolute() and path.is_dir()):
                self.errors.append(
                    f"GRACEGATE_POLICIES: {value!r} is no absolute path of a folder, and no repository such as"
                    " owner/name@ref"
                )
            elif source.kind == "file" and not (path.is_absolute() and path.is_file()):
                self.errors.append(f"GRACEGATE_POLICIES: {value!r} is no absolute path of a file")
            sources.append(source)
        return tuple(sources)

    def policies_allowed(self) -> tuple[str, ...]:
        patterns = self.values("POLICIES_ALLOWED")
        self.errors += (
            f"GRACEGATE_POLICIES_ALLOWED: {pattern!r} names no repositories: write owner/name or owner/*"
            for pattern in patterns
            if not _REPOSITORIES.fullmatch(pattern)
        )
        return patterns

    def impact_repositories(self) -> tuple[str, ...]:
        names = self.values("IMPACT_REPOSITORIES")
        self.errors += (
            f"GRACEGATE_IMPACT_REPOSITORIES: {name!r} is no repository: write owner/name"
            for name in names
            if not _REPOSITORIES.fullmatch(name) or name.endswith("*")
        )
        return names

    def limits(self) -> Limits:
        chosen: dict[str, Any] = {
            field: number
            for field, bounds in _LIMITS.items()
            if self.text(bounds[0]) and (number := self._integer(*bounds)) is not None
        }
        return Limits(**chosen)

    def _integer(self, name: str, least: int, most: int) -> int | None:
        value = self.text(name).replace("_", "")
        if value.isascii() and value.isdecimal() and len(value) < 20 and least <= int(value) <= most:
            return int(value)
        self.errors.append(f"GRACEGATE_{name} is {value[:40]!r}: write an integer from {least} to {most}")
        return None

    def data_dir(self) -> Path:
        if path := self.text("DATA_DIR"):
            return Path(path).absolute()
        if base := self.env.get("XDG_DATA_HOME", "").strip():
            return Path(base).absolute() / "gracegate"
        if home := self.env.get("HOME", "").strip():
            return Path(home).absolute() / ".local" / "share" / "gracegate"
        self.errors.append(
            "GRACEGATE_DATA_DIR is not set, and neither is HOME: write a folder for caches and the database"
        )
        return Path()

    def database(self, data_dir: Path) -> str:
        return self.text("DATABASE", f"sqlite:///{data_dir / 'gracegate.db'}")

    def web(self) -> WebSettings:
        default = WebSettings()
        return WebSettings(
            bind=self.text("BIND", default.bind),
            processes=int(self.number("WEB_PROCESSES", default.processes, 1)),
            threads=int(self.number("WEB_THREADS", default.threads, 1)),
        )

    def jobs(self) -> JobSettings:
        default = JobSettings()
        number: Callable[[str, float, float], float] = self.number
        jobs = JobSettings(
            workers=int(number("WORKERS", default.workers, 1)),
            concurrency=int(number("WORKER_CONCURRENCY", default.concurrency, 1)),
            poll=number("POLL_SECONDS", default.poll, 0.01),
            heartbeat=number("HEARTBEAT_SECONDS", default.heartbeat, 0.1),
            dead_after=number("DEAD_SECONDS", default.dead_after, 0.5),
            shutdown=number("SHUTDOWN_SECONDS", default.shutdown, 0),
            attempts=int(number("ATTEMPTS", default.attempts, 1)),
            crashes=int(number("CRASHES", default.crashes, 1)),
            backoff=number("BACKOFF_SECONDS", default.backoff, 0),
            backoff_limit=number("BACKOFF_LIMIT_SECONDS", default.backoff_limit, 0),
            reconcile=number("RECONCILE_SECONDS", default.reconcile, 1),
            keep_audit=number("AUDIT_DAYS", default.keep_audit / 86400, 0) * 86400,
        )
        if jobs.dead_after < 3 * jobs.heartbeat:
            self.errors.append(
                "GRACEGATE_DEAD_SECONDS is less than three times GRACEGATE_HEARTBEAT_SECONDS:"
                " a worker would count as dead when one heartbeat is late"
            )
        return jobs
