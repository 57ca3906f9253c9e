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
# What the processes get of this one's environment: no setting of gracegate, no proxy for loopback.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
# Short enough that a killed worker is noticed while somebody watches.
_LIVELY = {
    "GRACEGATE_POLL_SECONDS": "0.05",
    "GRACEGATE_HEARTBEAT_SECONDS": "0.5",
    "GRACEGATE_DEAD_SECONDS": "3",
    "GRACEGATE_BACKOFF_SECONDS": "0.5",
    "GRACEGATE_SHUTDOWN_SECONDS": "5",
}


class Peer:
    """A process of ours that is spoken to over HTTP, never through a proxy; `with` waits until it is up."""

    def __init__(self, url: str, running: Running, ready: str) -> None:
        """`ready` is the path that answers with success once it is up."""
        self.url = url
        self.running = running
        self._ready = ready
        self._said = ""
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Self:
        try:
            wait_for(f"{self.running.log.stem} to be ready", self._up)
        except BaseException as error:
            self.__exit__(None, None, None)
            if isinstance(error, WaitFailed):
                raise WaitFailed(f"{error}; it says {self._said}\n{self.running.tail()}") from None
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.session.close()
        self.running.end()

    def _up(self) -> bool:
        self.running.check()
        try:
            answer = self.session.get(self.url + self._ready, timeout=WAIT_SECONDS)
        except requests.RequestException as error:
            self._said = type(error).__name__
            return False
        self._said = answer.text
        return answer.ok


class Service(Peer):
    """gracegate as an operator runs it: web and worker, SQLite, one folder."""

    def __init__(self, folder: Path, app: Mapping[str, Any], github: str, **more: str) -> None:
        """`app` is the App's id, private_key and webhook_secret; `more` are further variables of the environment."""
        folder.mkdir(exist_ok=True)
        bind = f"127.0.0.1:{free_port()}"
        environment = {**_kept(), **_LIVELY, **_settings(folder, app, github), "GRACEGATE_BIND": bind, **more}
        running = Running([str(BIN / "gracegate"), "serve"], environment, folder / "service.log")
        super().__init__(f"http://{bind}", running, "/readyz")

    @property
    def webhook_url(self) -> str:
        return f"{self.url}/webhooks/github"

    def idle(self) -> bool:
        """Whether every review that was accepted is over."""
        self.running.check()
        shown = self.session.get(f"{self.url}/metrics", timeout=WAIT_SECONDS).text
        counts = re.findall(r"^gracegate_runs\{.*\} (\S+)$", shown, re.MULTILINE)
        return not any(float(count) for count in counts)


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


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
    }


class Fake(Peer):
    """The fake GitHub as a process, spoken to over its control API."""

    def __init__(self, folder: Path) -> None:
        repositories = folder / "repositories"
        repositories.mkdir(parents=True)
        port = str(free_port())
        command = [sys.executable, "-m", "tests.fakegithub", "--port", port, "--folder", str(repositories)]
        running = Running(command, {**_kept(), "PYTHONPATH": str(ROOT)}, folder / "fakegithub.log")
        super().__init__(f"http://127.0.0.1:{port}", running, "/_fake/app")

    def see(self, what: str) -> Any:
        """`app`, `log`, `deliveries`, `violations` or `state`."""
        answer = self.session.get(f"{self.url}/_fake/{what}", timeout=WAIT_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def do(self, what: str, **arguments: Any) -> Any:
        """A method of FakeGitHub with its arguments; its result, if it is a plain one. Raises Refusal."""
        answer = self.session.post(f"{self.url}/_fake/{what}", json=arguments, timeout=WAIT_SECONDS)
        if not answer.ok:
            raise Refusal(answer.json()["message"])
        return answer.json()["result"]

    def listen(self, webhook_url: str | None) -> None:
        """Where webhooks go from now on; None sends none."""
        self.session.put(
            f"{self.url}/_fake/webhook", json={"url": webhook_url}, timeout=WAIT_SECONDS
        ).raise_for_status()

    def pull(self, repository: str, number: int) -> Any:
        """The pull request with its checks, reviews and comments."""
        found = [one for one in self.see("state")["repositories"] if one["full_name"] == repository]
        return next(pull for pull in found[0]["pulls"] if pull["number"] == number)

    def refused(self) -> list[str]:
        """The requests that did not succeed, and what broke GitHub's OpenAPI description."""
        failed = [f"{one['method']} {one['path']}: {one['status']}" for one in self.see("log") if one["status"] >= 400]
        return [*failed, *self.see("violations")]


class Refusal(Exception):
    """The fake GitHub does not do that, as the real one would not."""


class Stage:
    """Fake and service as processes in one folder; `with` starts both, and ends both whatever happens."""

    def __init__(self, folder: Path, **more: str) -> None:
        self._folder = folder
        self._more = more
        self._started = ExitStack()
        self.fake: Fake
        self.service: Service

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self.fake = starting.enter_context(Fake(self._folder))
            service = Service(self._folder / "service", self.fake.see("app"), self.fake.url, **self._more)
            self.service = starting.enter_context(service)
            self.fake.listen(self.service.webhook_url)
            self._started = starting.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._started.__exit__(kind, error, at)

    def over(self, seconds: float = WAIT_SECONDS) -> None:
        """Waits until every webhook was answered and every review that they started is over."""
        self.fake.do("settle")
        wait_for("the review to end", self.service.idle, seconds)

    def logs(self) -> str:
        """What the two processes said last, for a failure's report."""
        return "\n".join(
            f"--- {one.log.name}\n{one.tail()}"
            for one in (self.fake.running, self.service.running)
            if one.log.is_file()
        )
