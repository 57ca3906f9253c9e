"""What was found about an installation of the service -> what is wrong with it, and the remedy. No I/O."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from gracegate.errors import GitHubError, GitHubUnavailable, Gone
from gracegate.github_app import app, app_manifest, deliveries
from gracegate.model import RenderSources
from gracegate.policy.sets import OperatorPolicies
from gracegate.settings import Settings, is_loopback

Level = Literal["ok", "note", "warning", "problem"]

GITHUB_API, GITHUB = "https://api.github.com", "https://github.com"
ENTERPRISE_SERVERS = ((3, 19), (3, 22))
"""The oldest and the newest that gracegate is made for."""
MIN_GIT = (2, 32)
"""The first that takes its whole configuration, with the token, from the environment."""
MIN_FREE_BYTES, FEW_FREE_BYTES = 200_000_000, 3_000_000_000
"""Below these, fetching fails soon, or may: the git caches may take 2 GB."""
MAX_AHEAD, MAX_BEHIND, NOTABLE_SKEW = 60.0, 300.0, 20.0
"""Seconds. The App's own tokens (JWT) begin a minute ago and end in five: where the clock is off by more, none does."""
MIN_SECRET = 16
_ACCESS = {"none": 0, "read": 1, "write": 2, "admin": 3}
_SHOWN = 5

_REFUSALS = {
    401: "set the webhook's secret at GitHub, to one of GRACEGATE_WEBHOOK_SECRETS",
    403: "write the secret that the webhook has at GitHub into GRACEGATE_WEBHOOK_SECRETS",
    404: f"let the webhook's URL end with {app_manifest.WEBHOOK_PATH}, and the proxy pass that path on",
    413: "let the proxy take bodies of 25 MB",
    415: "set the webhook's content type to application/json",
}
_NO_SERVICE = "see whether `gracegate serve` runs, and whether the proxy passes requests on to GRACEGATE_BIND"
_NOT_REACHED = "let GitHub reach the webhook's URL: its name, the firewall and the certificate"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`message` is what is there, or what goes wrong and why; `remedy` is what to do about it, "" where nothing is.

    A `problem` keeps reviews from being done, or will; a `warning` is a risk; a `note` is worth knowing.
    """

    name: str
    level: Level
    message: str
    remedy: str = ""


def diagnose_settings(settings: Settings) -> list[Diagnosis]:
    """The URLs of GitHub, and secrets that can be guessed. That they are set at all was found when they were read."""
    found = [*_diagnose_urls(settings.github_url, settings.git_url)]
    if min(map(len, settings.webhook_secrets)) < MIN_SECRET:
        found.append(
            Diagnosis(
                "settings",
                "warning",
                f"a secret in GRACEGATE_WEBHOOK_SECRETS has less than {MIN_SECRET} characters, so it can be guessed",
                "make one with `openssl rand -hex 32`, and set it at GitHub too",
            )
        )
    found += [Diagnosis("settings", "warning", deprecation) for deprecation in settings.deprecations]
    return found or [Diagnosis("settings", "ok", f"complete, for {settings.github_url}")]


def _diagnose_urls(api: str, git: str) -> Iterator[Diagnosis]:
    for name, url in (("GRACEGATE_GITHUB_URL", api), ("GRACEGATE_GIT_URL", git)):
        if urlsplit(url).scheme == "http" and not is_loopback(url):
            message = f"tokens go to {urlsplit(url).hostname} in plain text, because {name} is {url}"
            yield Diagnosis("settings", "problem", message, f"write https:// into {name}")
    expected_api, expected_git = expected_urls(api)
    if api != expected_api:
        message = f"GRACEGATE_GITHUB_URL is {api}, where GitHub has no API"
        yield Diagnosis("settings", "problem", message, f"write {expected_api}")
    if git != expected_git:
        message = f"git does not fetch from the GitHub of the API, because GRACEGATE_GIT_URL is {git}"
        yield Diagnosis("settings", "problem", message, f"write {expected_git}")


def expected_urls(url: str) -> tuple[str, str]:
    """The address of the API and that of the website and of git, by either of them."""
    parts = urlsplit(url)
    host = parts.netloc
    if is_loopback(url):
        return url, url.removesuffix("/api/v3")
    if host in {"github.com", "api.github.com"}:
        return GITHUB_API, GITHUB
    if host.endswith(".ghe.com"):
        return f"{parts.scheme}://api.{host.removeprefix('api.')}", f"{parts.scheme}://{host.removeprefix('api.')}"
    return f"{parts.scheme}://{host}/api/v3", f"{parts.scheme}://{host}"


def diagnose_key(pem: str) -> Diagnosis:
    """Whether the App's private key can sign; GitHub lists the fingerprints of an App's keys."""
    remedy = "write the file that GitHub gave you when you created the key, or create another one"
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Diagnosis("key", "problem", "the private key is damaged, cut off or encrypted", remedy)
    if not isinstance(key, RSAPrivateKey):
        return Diagnosis("key", "problem", "the private key is not an RSA key, so it is not one of an App", remedy)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Diagnosis("key", "ok", f"SHA256:{base64.b64encode(hashlib.sha256(public).digest()).decode()}")


def diagnose_git(version: tuple[int, ...] | None) -> Diagnosis:
    """`version` is None where there is no git."""
    newer = f"install git {_dotted(MIN_GIT)} or newer"
    if version is None:
        return Diagnosis("git", "problem", "manifests cannot be fetched, because there is no git on the PATH", newer)
    if version < MIN_GIT:
        message = f"git {_dotted(version)} does not take its configuration from the environment, so it gets no token"
        return Diagnosis("git", "problem", message, newer)
    return Diagnosis("git", "ok", f"git {_dotted(version)}")


def diagnose_policies(policies: OperatorPolicies) -> Diagnosis:
    """Whether the newest version of a policy set is in use."""
    name = f"policies {policies.name}"
    rules = sum(len(one.catalog.rules) for one in policies.own)
    commits = {one.commit.removeprefix("sha256:")[:12] for one in policies.own} - {""}
    versions = ", ".join([*sorted(commits), *(one.catalog.digest[:12] for one in policies.own)])
    if not policies.mistakes:
        return Diagnosis(name, "ok", f"{rules} rules of {policies.source}, {versions}")
    mistakes = "; ".join(map(str, policies.mistakes))
    if policies.is_rolled_back:
        return Diagnosis(name, "warning", f"{rules} rules of {policies.source}, {versions}: {mistakes}")
    used = f", {versions} is used instead" if policies.own else ""
    message = f"the newest version of the policy set in {policies.source} is not used{used}"
    return Diagnosis(name, "problem", message, f"correct {mistakes}")


def diagnose_renderer(*, is_built: bool, is_compiled: bool) -> Diagnosis:
    """Whether kustomizations and charts can be rendered; the service compiles the renderer when it starts."""
    if not is_built:
        message = "kustomizations and charts are named and not evaluated, because the renderer is not built"
        return Diagnosis("renderer", "warning", message, "run `make tools`, or install a wheel that has it")
    if not is_compiled:
        return Diagnosis("renderer", "note", "the service compiles the renderer at its next start, for half a minute")
    return Diagnosis("renderer", "ok", "kustomizations and charts are rendered")


def diagnose_sources(sources: RenderSources) -> Diagnosis:
    """Of which repositories and registries commits and charts are fetched, for the roots that need them."""
    if not sources.patterns:
        message = "what needs other repositories, or charts in registries, is named and not evaluated"
        remedy = "name the repositories and registries in GRACEGATE_RENDER_SOURCES"
        return Diagnosis("sources", "note", message, remedy)
    return Diagnosis("sources", "ok", f"pinned commits and digests of {', '.join(sources.patterns)} are fetched")


def diagnose_data_dir(folder: str, modes: Mapping[str, int], free_bytes: int) -> list[Diagnosis]:
    """The folder of the caches. `modes` are the permission bits of what only the service's user should read."""
    found = [
        Diagnosis("data", "warning", f"other users of this machine may open {path}", f"chmod go= {path}")
        for path, mode in modes.items()
        if mode & 0o077
    ]
    if free_bytes < FEW_FREE_BYTES:
        level: Level = "problem" if free_bytes < MIN_FREE_BYTES else "warning"
        message = f"only {free_bytes / 1e9:.1f} GB are free in {folder}, and the git caches may take 2 GB"
        found.append(Diagnosis("data", level, message, "make room, or set GRACEGATE_DATA_DIR to a larger disk"))
    return found or [Diagnosis("data", "ok", f"{folder}, {free_bytes / 1e9:.0f} GB free")]


def diagnose_server(server: app.GitHubServer, url: str) -> list[Diagnosis]:
    """What answers at `url`: whether it is GitHub, which one, and whether the clocks agree."""
    found = [*_diagnose_skew(server.skew or 0.0)]
    if not server.is_github:
        message = f"what answers {server.status} at {url} has not the headers of GitHub"
        found.append(Diagnosis("github", "warning", message, "see whether GRACEGATE_GITHUB_URL or a proxy is wrong"))
    oldest, newest = ENTERPRISE_SERVERS
    version = tuple(int(part) for part in server.version.split(".")[:2] if part.isdecimal())
    if version and not oldest <= version <= newest:
        message = f"gracegate is made for GitHub Enterprise Server {_dotted(oldest)} to {_dotted(newest)}"
        found.append(Diagnosis("github", "warning", f"{message}, and this is {server.version}"))
    if server.sunset:
        message = f"GitHub ends the version of its API that gracegate uses on {server.sunset}"
        found.append(Diagnosis("github", "warning", message, "update gracegate before that day"))
    name = f"GitHub Enterprise Server {server.version}" if server.version else url
    return found or [Diagnosis("github", "ok", f"{name} answers, and the clocks agree")]


def _diagnose_skew(skew: float) -> Iterator[Diagnosis]:
    if abs(skew) < NOTABLE_SKEW:
        return
    direction = "ahead of" if skew > 0 else "behind"
    message = f"this machine's clock is {abs(skew):.0f} s {direction} GitHub's"
    if -MAX_BEHIND < skew < MAX_AHEAD:
        limit = MAX_AHEAD if skew > 0 else MAX_BEHIND
        yield Diagnosis(
            "clock", "warning", f"{message}; from {limit:.0f} s on GitHub refuses the App", "synchronize it"
        )
    else:
        yield Diagnosis("clock", "problem", f"GitHub refuses the App, because {message}", "synchronize it")


def diagnose_error(title: str, error: GitHubError) -> Diagnosis:
    """A question to GitHub about `title` that was not answered."""
    if isinstance(error, Gone) and error.status in {401, 404}:
        message = f"GitHub does not accept the App's id and key ({error})"
        remedy = "write the id and a key of one App into GRACEGATE_APP_ID and GRACEGATE_PRIVATE_KEY_FILE"
    elif isinstance(error, GitHubUnavailable):
        message = f"GitHub was not reached for {title}: {error}"
        remedy = "see GRACEGATE_GITHUB_URL and the firewall, and where you need them https_proxy and REQUESTS_CA_BUNDLE"
    else:
        message, remedy = f"GitHub did not tell about {title}: {error}", "try again"
    return Diagnosis("github", "problem", message, remedy)


def diagnose_registration(registration: app.Registration) -> list[Diagnosis]:
    """The App's permissions and events against what is needed."""
    place = f"{registration.settings_url}/permissions"
    found = [
        Diagnosis("app", "problem", message, f"grant it at {place}, then accept it for each installation")
        for message in _missing_permissions("the App has", registration.permissions)
    ]
    missing = [event for event in app_manifest.NEEDED_EVENTS if event not in registration.events]
    if missing:
        message = f"GitHub does not tell of {_listed(missing)}, because the App does not subscribe to it"
        found.append(Diagnosis("app", "problem", message, f"subscribe to it at {place}"))
    known = {**app_manifest.NEEDED_PERMISSIONS, **app_manifest.OPTIONAL_PERMISSIONS}
    more = [
        f"{name}: {level}"
        for name, level in registration.permissions.items()
        if _access(level) > _access(known.get(name))
    ]
    if more:
        message = f"the App may do more than gracegate needs: {_listed(more)}"
        found.append(Diagnosis("app", "warning", message, f"take it away at {place}"))
    if not found:
        found = [
            Diagnosis(
                "app", "ok", f"{registration.name} ({registration.id}) has the permissions and events that it needs"
            )
        ]
    if _access(registration.permissions.get("statuses")) < _access("write"):
        message = (
            "by GitHub's documentation only an App with statuses: write can be the expected source of a check in a"
            " ruleset; gracegate itself does not use it"
        )
        remedy = f"grant it at {place} where your rulesets name the source, or set integration_id by GitHub's API"
        found.append(Diagnosis("rulesets", "note", message, remedy))
    return found


def diagnose_webhook(webhook: app.Webhook, settings: Settings, settings_url: str) -> list[Diagnosis]:
    """How events are delivered. GitHub does not show the secret: whether it is ours is told by the deliveries."""
    url = f"{settings.public_url or 'https://<your host>'}{app_manifest.WEBHOOK_PATH}"
    if not webhook.url:
        message = "GitHub delivers no events, because the App has no webhook"
        return [Diagnosis("webhook", "problem", message, f"set {url} at {settings_url}")]
    found = []
    if not webhook.has_secret:
        message = "every delivery is refused with 401, because the webhook has no secret"
        found.append(Diagnosis("webhook", "problem", message, f"set it at {settings_url}"))
    if webhook.content_type != "json":
        message = f"every delivery is refused with 415, because the webhook's content type is {webhook.content_type}"
        found.append(Diagnosis("webhook", "problem", message, f"set application/json at {settings_url}"))
    is_ours = webhook.url == url if settings.public_url else urlsplit(webhook.url).path == app_manifest.WEBHOOK_PATH
    if not is_ours:
        message = f"GitHub delivers to {webhook.url}, and the service listens at {url}"
        found.append(Diagnosis("webhook", "warning", message, f"compare them at {settings_url}"))
    if not is_loopback(webhook.url) and (urlsplit(webhook.url).scheme == "http" or not webhook.verifies_tls):
        message = "others on the way can read the deliveries, because their TLS is off or the certificate not verified"
        found.append(Diagnosis("webhook", "warning", message, f"use https and SSL verification at {settings_url}"))
    return found or [Diagnosis("webhook", "ok", f"{webhook.url}, JSON, with a secret")]


def diagnose_deliveries(newest_first: Sequence[deliveries.HookDelivery]) -> Diagnosis:
    """Whether what GitHub delivered lately came in."""
    if not newest_first:
        return Diagnosis("deliveries", "note", "GitHub has delivered nothing in the last days")
    delivered = {one.guid for one in newest_first if one.is_delivered}
    lost = [one for one in newest_first if one.guid not in delivered]
    count = len({one.guid for one in newest_first})
    if not lost:
        return Diagnosis("deliveries", "ok", f"the last {count} came in")
    last = lost[0]
    remedy = _delivery_remedy(last)
    if last is newest_first[0]:
        return Diagnosis("deliveries", "problem", f"the last delivery did not come in ({_outcome(last)})", remedy)
    message = f"{len({one.guid for one in lost})} of the last {count} did not come in, at last: {_outcome(last)}"
    return Diagnosis("deliveries", "warning", message, f"{remedy}; a worker asks GitHub for them again")


def _outcome(one: deliveries.HookDelivery) -> str:
    return f"{one.event}: {one.status_code or ''} {one.status}".replace(":  ", ": ")


def _delivery_remedy(one: deliveries.HookDelivery) -> str:
    if one.status_code == 0:
        return _NOT_REACHED
    return _REFUSALS.get(one.status_code, _NO_SERVICE)


def diagnose_installations(
    installations: Sequence[app.Installation], registration: app.Registration, allowed_owners: Collection[str]
) -> list[Diagnosis]:
    """Where the App is installed, and what those accounts have not accepted yet."""
    if not installations:
        message = "the App is installed nowhere"
        return [
            Diagnosis("installations", "problem", message, f"install it at {registration.page_url}/installations/new")
        ]
    found = []
    for one in installations:
        if one.is_suspended:
            message = f"{one.account} has suspended the App, so its pull requests get no check"
            found.append(Diagnosis("installations", "warning", message, f"unsuspend it at {one.settings_url}"))
        # What the App itself lacks is said once, for the App.
        granted = {name: registration.permissions.get(name, "none") for name in app_manifest.NEEDED_PERMISSIONS}
        found += [
            Diagnosis("installations", "problem", message, f"accept it at {one.settings_url}")
            for message in _missing_permissions(
                f"{one.account} has granted", one.permissions, _least(app_manifest.NEEDED_PERMISSIONS, granted)
            )
        ]
    accounts = {one.account.lower() for one in installations}
    if allowed_owners and (ignored := sorted(accounts - set(allowed_owners))):
        message = f"pull requests of {_listed(ignored)} are not reviewed, because of GRACEGATE_ALLOWED_OWNERS"
        found.append(Diagnosis("installations", "note", message))
    if absent := sorted(set(allowed_owners) - accounts):
        message = f"GRACEGATE_ALLOWED_OWNERS names {_listed(absent)}, where the App is not installed"
        found.append(
            Diagnosis("installations", "warning", message, f"install it at {registration.page_url}/installations/new")
        )
    return found or [Diagnosis("installations", "ok", _listed([one.account for one in installations]))]


def diagnose_fetching(repository: str | None, git_error: str | None) -> Diagnosis:
    """A fetch from a repository, which the API has given; None where no installation has one with a commit."""
    if repository is None:
        return Diagnosis("fetch", "note", "there is no repository with a commit to try a fetch with")
    if git_error is not None:
        message = f"git does not fetch {repository}, so reviews read it slowly by GitHub's API: {git_error}"
        remedy = "see GRACEGATE_GIT_URL and https_proxy, and whether git trusts the server's certificate"
        return Diagnosis("fetch", "warning", message, remedy)
    return Diagnosis("fetch", "ok", f"{repository} comes by git and by GitHub's API")


def _missing_permissions(
    whose: str, permissions: Mapping[str, str], needed: Mapping[str, str] = app_manifest.NEEDED_PERMISSIONS
) -> Iterator[str]:
    for name, level in needed.items():
        if _access(has := permissions.get(name)) < _access(level):
            yield f"{whose} {name}: {has or 'none'}, and gracegate needs {name}: {level}"


def _least(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {name: min(level, other[name], key=_access) for name, level in one.items()}


def _access(level: str | None) -> int:
    return _ACCESS.get(level or "none", 0)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return f"{', '.join(shown[:_SHOWN])}{more}"


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))
