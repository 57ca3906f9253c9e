"""The stage of the demo, of the replay and of the end-to-end tests: the service on loopback, against a fake GitHub."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.processes import WAIT_SECONDS, Running, WaitFailed, free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# The variables that the processes inherit: no setting of gracegate, and no proxy.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
# Short times, so that a killed worker is noticed at once; but what was missed is looked for at the start alone, and a
# check may take long, however busy the machine is.
_FAST_SETTINGS = {
    "GRACEGATE_POLL_SECONDS": "0.05",
    "GRACEGATE_HEARTBEAT_SECONDS": "0.5",
    "GRACEGATE_DEAD_SECONDS": "3",
    "GRACEGATE_BACKOFF_SECONDS": "0.5",
    "GRACEGATE_SHUTDOWN_SECONDS": "5",
    "GRACEGATE_CHECK_SECONDS": "600",
    "GRACEGATE_RECONCILE_SECONDS": "86400",
}

# An owner need not have defaults for their repositories, and only the answer tells.
_NO_DEFAULTS = re.compile(r"GET /repos/[^/]+/\.github/contents/\.gracegate\.yaml: 404")


class Peer:
    """A child process with an HTTP API, reached without a proxy; `with` waits until it is ready."""

    def __init__(self, url: str, running: Running, ready_path: str) -> None:
        """`ready_path` answers with success once the process is ready."""
        self.url = url
        self.running = running
        self._ready_path = ready_path
        self._last_answer = ""
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Self:
        try:
            wait_for(f"{self.running.log.stem} to be ready", self._is_ready)
        except BaseException as error:
            self.__exit__(None, None, None)
            if isinstance(error, WaitFailed):
                raise WaitFailed(f"{error}; its last answer is {self._last_answer}\n{self.running.tail()}") from None
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.session.close()
        self.running.end()

    def _is_ready(self) -> bool:
        self.running.check()
        try:
            answer = self.session.get(self.url + self._ready_path, timeout=WAIT_SECONDS)
        except requests.RequestException as error:
            self._last_answer = type(error).__name__
            return False
        self._last_answer = answer.text
        return answer.ok


class Service(Peer):
    """gracegate as an operator runs it: web and worker, one folder, SQLite unless `more` says otherwise."""

    def __init__(self, folder: Path, app: Mapping[str, Any], github: str, *, port: int = 0, **more: str) -> None:
        """`app` is the App's id, private_key and webhook_secret, and its client_id and client_secret if people are to
        sign in; it listens at any free port unless one is given;
        `more` are further variables of the environment."""
        folder.mkdir(exist_ok=True)
        bind = f"127.0.0.1:{port or free_port()}"
        own = {"GRACEGATE_BIND": bind, "GRACEGATE_PUBLIC_URL": f"http://{bind}"}
        self.environment = {**service_environment(folder, app, github), **own, **more}
        running = Running([str(BIN / "gracegate"), "serve"], self.environment, folder / "service.log")
        super().__init__(f"http://{bind}", running, "/readyz")

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/webhooks/github"

    def is_idle(self) -> bool:
        """Whether every queued review has ended."""
        self.running.check()
        shown = self.session.get(f"{self.url}/metrics", timeout=WAIT_SECONDS).text
        counts = re.findall(r"^gracegate_runs\{.*\} (\S+)$", shown, re.MULTILINE)
        return not any(float(count) for count in counts)


def service_environment(folder: Path, app: Mapping[str, Any], github: str) -> dict[str, str]:
    """The environment of gracegate's processes but where they listen; `folder` exists. See Service."""
    return {**_inherited_environment(), **_FAST_SETTINGS, **_settings(folder, app, github)}


def _inherited_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def _settings(folder: Path, app: Mapping[str, Any], github: str) -> dict[str, str]:
    key = folder / "app.pem"
    key.touch(0o600)
    key.write_text(app["private_key"])
    return {
        "GRACEGATE_APP_ID": str(app["id"]),
        "GRACEGATE_PRIVATE_KEY_FILE": str(key),
        "GRACEGATE_WEBHOOK_SECRETS": app["webhook_secret"],
        "GRACEGATE_COMMENT_SIGNING_KEYS": secrets.token_hex(32),
        "GRACEGATE_GITHUB_URL": github,
        "GRACEGATE_GIT_URL": github,
        "GRACEGATE_DATA_DIR": str(folder / "data"),
        **_sign_in(app),
    }


def _sign_in(app: Mapping[str, Any]) -> dict[str, str]:
    """Where the App's client secret is known, people sign in, and ada is an operator."""
    if "client_secret" not in app:
        return {}
    return {
        "GRACEGATE_CLIENT_ID": app["client_id"],
        "GRACEGATE_CLIENT_SECRET": app["client_secret"],
        "GRACEGATE_OPERATORS": "ada",
    }


class Fake(Peer):
    """The fake GitHub as a process, driven over its control API."""

    def __init__(self, folder: Path) -> None:
        repositories = folder / "repositories"
        repositories.mkdir(parents=True)
        port = str(free_port())
        command = [sys.executable, "-m", "tests.fakegithub", "--port", port, "--folder", str(repositories)]
        running = Running(command, {**_inherited_environment(), "PYTHONPATH": str(ROOT)}, folder / "fakegithub.log")
        super().__init__(f"http://127.0.0.1:{port}", running, "/_fake/app")

    def read(self, what: str) -> Any:
        """`app`, `log`, `deliveries`, `violations` or `state`."""
        answer = self.session.get(f"{self.url}/_fake/{what}", timeout=WAIT_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def call(self, what: str, **arguments: Any) -> Any:
        """A method of FakeGitHub with its arguments; its result, if that is JSON. Raises RequestRejected."""
        answer = self.session.post(f"{self.url}/_fake/{what}", json=arguments, timeout=WAIT_SECONDS)
        if not answer.ok:
            raise RequestRejected(answer.json()["message"])
        return answer.json()["result"]

    def send_webhooks_to(self, webhook_url: str | None) -> None:
        """Where webhooks go from now on; None sends none."""
        self.session.put(
            f"{self.url}/_fake/webhook", json={"url": webhook_url}, timeout=WAIT_SECONDS
        ).raise_for_status()

    def pull(self, repository: str, number: int) -> Any:
        """The pull request with its checks, reviews and comments."""
        found = [one for one in self.read("state")["repositories"] if one["full_name"] == repository]
        return next(pull for pull in found[0]["pulls"] if pull["number"] == number)

    def failed_requests(self) -> list[str]:
        """The requests that failed, and those that violate GitHub's OpenAPI description."""
        failed = [f"{one['method']} {one['path']}: {one['status']}" for one in self.read("log") if one["status"] >= 400]
        return [*(one for one in failed if not _NO_DEFAULTS.fullmatch(one)), *self.read("violations")]


class RequestRejected(Exception):
    """The fake GitHub refuses the call, as GitHub would."""


class Stage:
    """Fake and service as processes in one folder; `with` starts both, and ends both whatever happens."""

    def __init__(self, folder: Path, **more: str) -> None:
        self._folder = folder
        self._more = more
        self._port = free_port()
        self._started = ExitStack()
        self.fake: Fake
        self.service: Service

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.fake = starting.enter_context(Fake(self._folder))
            self._start_service()
            starting.push(self._end_service)
            self._started = starting.pop_all()
        return self

    def restart_service(self) -> None:
        """Ends the service and starts it again, with the same folder, at the same port: reports stay where they are."""
        self.fake.send_webhooks_to(None)
        self._end_service()
        self._start_service()

    def _end_service(self, *_exception: object) -> None:
        # The one that runs now, which need not be the first.
        self.service.__exit__(None, None, None)

    def _start_service(self) -> None:
        self.service = Service(
            self._folder / "service", self.fake.read("app"), self.fake.url, port=self._port, **self._more
        )
        self.service.__enter__()
        self.fake.send_webhooks_to(self.service.webhook_url)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._started.__exit__(kind, error, at)

    def wait_until_reviewed(self, seconds: float = WAIT_SECONDS) -> None:
        """Waits until every webhook has been answered and every review has ended."""
        self.fake.call("settle")
        wait_for("the review to end", self.service.is_idle, seconds)

    def logs(self) -> str:
        """The end of both logs, for the report of a failure."""
        return "\n".join(
            f"--- {one.log.name}\n{one.tail()}"
            for one in (self.fake.running, self.service.running)
            if one.log.is_file()
        )
