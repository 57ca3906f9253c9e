"""What an end-to-end test does, and what it can read."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.demo.stage import Service
from tests.fakegithub.server import FakeGitHub
from tests.fakegithub.state import CheckRun, PullRequest, ReviewComment
from tests.processes import wait_for

Files = Mapping[str, str | None]
on_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@dataclass(frozen=True)
class Scene:
    """A fake GitHub, a service that reviews what happens there, and the repository of this test."""

    fake: FakeGitHub
    service: Service
    repository: str = ""

    def in_repository(self, full_name: str, files: Files) -> Scene:
        """The same scene in a new repository whose default branch holds these files."""
        self.fake.create_repository(full_name)
        self.fake.push(full_name, "main", files, "The shop")
        return replace(self, repository=full_name)

    def push(self, files: Files, branch: str = "change", *, onto: str | None = None) -> str:
        return self.fake.push(self.repository, branch, files, onto=onto)

    def open_pull_request(self, files: Files, branch: str = "change") -> int:
        """Opens a pull request with these files; its number."""
        self.push(files, branch)
        return self.fake.open_pull_request(self.repository, branch)

    def open_and_review(self, files: Files) -> int:
        """Opens a pull request with these files and waits until it has been reviewed; its number."""
        number = self.open_pull_request(files)
        self.wait_until_reviewed()
        return number

    def wait_until_reviewed(self) -> None:
        """Waits until every webhook has been answered and every review has ended."""
        self.fake.settle()
        wait_for(f"the review to end\n{self.service.running.tail()}", self.service.is_idle)

    def pull(self, number: int) -> PullRequest:
        return self.fake.pull(self.repository, number)

    def checks(self, number: int, sha: str | None = None) -> list[CheckRun]:
        """The check runs of the pull request's head or of another commit."""
        pull = self.pull(number)
        return self.fake.world.runs(pull.base, sha or pull.head_sha)

    def conclusions(self, number: int, sha: str | None = None) -> list[str | None]:
        """None is a check that is still pending."""
        return [run.conclusion for run in self.checks(number, sha)]

    def comments(self, number: int) -> list[ReviewComment]:
        return self.pull(number).comments

    def request_count(self, what: str) -> int:
        """How many requests there were: `what` is a method and a pattern of the path after the repository."""
        method, _, pattern = what.partition(" ")
        path = re.compile(rf"/repos/{re.escape(self.repository)}{pattern}$")
        return sum(1 for one in self.fake.log if one.method == method and path.match(one.path))

    def wait_for_request(self, what: str, times: int = 1) -> None:
        """Waits until the request was answered this often."""
        wait_for(what, lambda: self.request_count(what) >= times)

    def kill(self, command: str) -> None:
        """SIGKILL to the one process of the service whose command line matches the pattern `command`."""
        found = self.pids(command)
        assert len(found) == 1, f"{command}: {len(found)} processes"
        os.kill(found[0], signal.SIGKILL)

    def pids(self, command: str) -> list[int]:
        """The processes of the service whose command line matches the pattern `command`."""
        running = _descendants(self.service.running.process.pid)
        return [pid for pid, line in running if re.match(command, line)]


@contextmanager
def start_scene(folder: Path, prepare: Callable[[FakeGitHub], object] | None = None, **more: str) -> Iterator[Scene]:
    """A scene of its own; `prepare` is called before the service starts, and `more` are its settings by variable,
    `{github}` in them the fake's address."""
    (folder / "github").mkdir()
    with FakeGitHub(folder / "github") as fake:
        if prepare is not None:
            prepare(fake)
        app = {"id": fake.app.id, "private_key": fake.app.private_key, "webhook_secret": fake.app.webhook_secret}
        settings = {name: value.replace("{github}", fake.url) for name, value in more.items()}
        with Service(folder / "service", app, fake.url, **settings) as service:
            fake.webhook_url = service.webhook_url
            yield Scene(fake, service)


def _descendants(pid: int) -> list[tuple[int, str]]:
    """Processes below `pid` with their command lines."""
    listed = subprocess.run(
        ["ps", "-axww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    children = [(int(own), line) for own, parent, line in rows if int(parent) == pid]
    return [*children, *(below for own, _ in children for below in _descendants(own))]
