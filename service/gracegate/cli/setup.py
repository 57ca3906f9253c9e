"""`gracegate setup`: registers the GitHub App from its manifest, and writes down its id and secrets."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click

from gracegate.cli.diagnosis import GITHUB_API, expected_urls
from gracegate.cli.main import CLEAN
from gracegate.cli.terminal import write_output
from gracegate.errors import ConfigError
from gracegate.github_app import app_manifest
from gracegate.settings import can_sign_in_at, environment
from gracegate.web import SetupPages, serve_setup

ENV_FILE, KEY_FILE = ".env", "private-key.pem"
EPILOG = """\b
The page is served on this machine alone. From another one, forward its port first:
  ssh -L 8001:127.0.0.1:8001 HOST gracegate setup --port 8001 ...
"""


@click.command("setup", epilog=EPILOG)
@click.option(
    "--url", required=True, prompt="Where GitHub reaches the service", help="The service's own URL, https://HOST."
)
@click.option("--organization", metavar="NAME", help="Let this organization own the App.  [default: your account]")
@click.option("--github-url", metavar="URL", help="A GitHub Enterprise Server.  [default: https://github.com]")
@click.option("--name", default="gracegate", show_default=True, help="The App's name, which nobody else may have.")
@click.option("--rulesets", is_flag=True, help="Also ask for statuses: write, so that rulesets can name the App.")
@click.option("--apply-fixes", is_flag=True, help="Also ask for contents: write, to commit suggestions at a click.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="Where to write.  [default: here]",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve the page here.  [default: a free port]")
@click.option("--force", is_flag=True, help=f"Replace {ENV_FILE} and {KEY_FILE}; the old ones get the ending .old.")
@click.option("--print-manifest", is_flag=True, help="Only print the App's manifest.")
def command(  # noqa: PLR0913 - the options
    *,
    url: str,
    organization: str | None,
    github_url: str | None,
    name: str,
    rulesets: bool,
    apply_fixes: bool,
    directory: Path,
    port: int,
    force: bool,
    print_manifest: bool,
) -> int:
    """Register the GitHub App: serves a page with a button on this machine, and writes what GitHub answers.

    The App's id, its secrets and the path of its private key go into the file .env, which only you can read.
    """
    service_url = _checked_url("--url", url).removesuffix(app_manifest.WEBHOOK_PATH)
    api_url, web_url = expected_urls(_checked_url("--github-url", github_url or _configured_github()))
    more = {
        **(app_manifest.RULESET_PERMISSIONS if rulesets else {}),
        **(app_manifest.FIX_PERMISSIONS if apply_fixes else {}),
    }
    if print_manifest:
        write_output(json.dumps(app_manifest.app_manifest(name, service_url, more_permissions=more), indent=2) + "\n")
        return CLEAN
    files = SetupFiles(directory, force=force)
    files.check()

    def make_manifest(redirect_url: str) -> Mapping[str, Any]:
        return app_manifest.app_manifest(name, service_url, redirect_url=redirect_url, more_permissions=more)

    def register(code: str) -> list[str]:
        registered = app_manifest.exchange_code(api_url, code)
        sign_in = _sign_in_settings(registered, service_url)
        addresses = {"GRACEGATE_PUBLIC_URL": service_url, **_github_settings(api_url, web_url)}
        files.write(registered, {**sign_in, **addresses})
        steps = next_steps(registered, files)
        click.echo("\n".join(steps))
        return steps

    place = f"organizations/{quote(organization, safe='')}/settings" if organization else "settings"
    pages = SetupPages(f"{web_url}/{place}/apps/new", make_manifest, register)
    serve_setup(
        pages, port, lambda number: click.echo(f"Open http://127.0.0.1:{number}/ in a browser on this machine.")
    )
    return CLEAN


def next_steps(registered: app_manifest.RegisteredApp, files: SetupFiles) -> list[str]:
    env_file = shlex.quote(str(files.env_file))
    return [
        f"Registered {registered.page_url}. Its settings are in {files.env_file}, its key in {files.key_file}.",
        f"1. Install it: {registered.page_url}/installations/new",
        f"2. Start the service: set -a; . {env_file}; set +a; gracegate serve",
        "3. Check the set-up, with the same settings: gracegate doctor",
    ]


class SetupFiles:
    """The two files, which only their owner may read."""

    def __init__(self, directory: Path, *, force: bool) -> None:
        self.env_file = directory.absolute() / ENV_FILE
        self.key_file = directory.absolute() / KEY_FILE
        self._force = force

    def check(self) -> None:
        """Raises ConfigError where they could not be written: once GitHub has given the key, it must not be lost."""
        existing = [path for path in (self.env_file, self.key_file) if path.exists()]
        if existing and not self._force:
            names = " and ".join(map(str, existing))
            raise ConfigError(f"{names} would be overwritten: choose another --directory, or give --force")
        directory = self.env_file.parent
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                pass
        except OSError as error:
            raise ConfigError(f"{directory} cannot be written to ({error.strerror})") from error

    def write(self, registered: app_manifest.RegisteredApp, more: Mapping[str, str]) -> None:
        settings = {
            "GRACEGATE_APP_ID": str(registered.id),
            "GRACEGATE_PRIVATE_KEY_FILE": str(self.key_file),
            "GRACEGATE_WEBHOOK_SECRETS": registered.webhook_secret,
            "GRACEGATE_COMMENT_SIGNING_KEYS": secrets.token_hex(32),
            **more,
        }
        lines = [f"# The GitHub App {registered.page_url}, registered by `gracegate setup`."]
        lines += [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
        try:
            self._write(self.key_file, registered.private_key)
            self._write(self.env_file, "\n".join([*lines, ""]))
        except OSError as error:
            message = (
                f"the App {registered.page_url} is registered, but its key could not be written ({error}):"
                " create another key and webhook secret in its settings, or delete it there and start again"
            )
            raise ConfigError(message) from error

    def _write(self, path: Path, text: str) -> None:
        """The file is whole or not there; a temporary file has mode 0600."""
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            if self._force and path.exists():
                path.replace(path.with_name(f"{path.name}.old"))
            # Unlike a rename, a link does not replace a file that has appeared meanwhile.
            os.link(name, path)
        finally:
            Path(name).unlink()


def _configured_github() -> str:
    return environment().get("GRACEGATE_GITHUB_URL", "").strip() or GITHUB_API


def _sign_in_settings(registered: app_manifest.RegisteredApp, service_url: str) -> dict[str, str]:
    if not can_sign_in_at(service_url):
        return {}
    return {"GRACEGATE_CLIENT_ID": registered.client_id, "GRACEGATE_CLIENT_SECRET": registered.client_secret}


def _github_settings(api_url: str, web_url: str) -> dict[str, str]:
    return {} if api_url == GITHUB_API else {"GRACEGATE_GITHUB_URL": api_url, "GRACEGATE_GIT_URL": web_url}


def _checked_url(option: str, value: str) -> str:
    url = value.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise click.BadParameter(f"{value!r} is not a URL such as https://gate.example.com", param_hint=option)
    return url
