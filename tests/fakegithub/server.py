"""The fake in a thread of the test: `with FakeGitHub(tmp_path) as fake: ...`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import make_server

from fakegithub import pulls
from fakegithub.app import create_app
from fakegithub.events import Events
from fakegithub.faults import Fault, Gate, Logged
from fakegithub.gitdir import GitDir
from fakegithub.state import App, Clock, Delivery, Installation, PullRequest, Repository, World


class FakeGitHub:
    """A GitHub on 127.0.0.1. At its end it raises AssertionError if a request or an answer broke the OpenAPI
    description, unless the test has failed already; a test that breaks it on purpose clears `violations`."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.world = World(folder)
        self.events = Events(self.world)
        self._app = create_app(self.world, self.events)
        self._gate = Gate(self._app.wsgi_app, lambda path: True)
        self._server = make_server(host, port, self._gate, threaded=True)
        self._server.daemon_threads = True
        self.url = self.world.base_url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.stop()
        if kind is None and self.violations:
            raise AssertionError("GitHub's OpenAPI description was broken:\n" + "\n".join(self.violations))

    def stop(self) -> None:
        self.events.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # What a test looks at

    @property
    def git_url(self) -> str:
        """The clone address of a repository is `{git_url}/{owner}/{name}.git`."""
        return self.url

    @property
    def app(self) -> App:
        return self.world.app

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def log(self) -> list[Logged]:
        """All requests to the API and to git, oldest first."""
        return self._gate.log

    @property
    def violations(self) -> list[str]:
        return self._app.violations

    @property
    def deliveries(self) -> list[Delivery]:
        return self.world.deliveries

    @property
    def webhook_url(self) -> str | None:
        return self.events.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.events.url = url

    def settle(self) -> None:
        """Waits until every webhook has been answered or given up."""
        self.events.settle()

    def fault(self, method: str = "*", path: str = ".*", **more: Any) -> Fault:
        """Makes the next matching request fail; see Fault for the rest."""
        fault = Fault(method, path, **more)
        self._gate.faults.append(fault)
        return fault

    # What a test does to GitHub

    def install(self, account: str, *, repositories: list[str] | None = None) -> Installation:
        """Installs the App on an account, on all its repositories or on some (full names)."""
        with self.world.lock:
            ids = None if repositories is None else {self.repository(name).id for name in repositories}
            now = self.clock.iso()
            one = Installation(self.world.new_id(), account, dict(self.app.permissions), now, ids)
            self.world.installations[one.id] = one
            self.events.installation(one, "created")
            return one

    def repository(self, full_name: str) -> Repository:
        found = self.world.repository(full_name)
        if found is None:
            raise LookupError(f"the fake has no repository {full_name}")
        return found

    def pull(self, full_name: str, number: int) -> PullRequest:
        return self.repository(full_name).pulls[number]

    def create_repository(
        self, full_name: str, *, from_git: Path | None = None, private: bool = True, default_branch: str = "main"
    ) -> Repository:
        """A repository, empty or over the objects of a local one, with the App installed on its owner's account."""
        owner, _, name = full_name.partition("/")
        with self.world.lock:
            number = self.world.new_id()
            path = self.world.folder / f"{number}.git"
            git = GitDir.borrow(path, from_git, default_branch) if from_git else GitDir.create(path, default_branch)
            one = Repository(number, owner, name, git, default_branch, private, self.clock.iso())
            self.world.repositories[number] = one
            if not any(installation.account == owner for installation in self.world.installations.values()):
                self.install(owner)
            return one

    def fork(self, full_name: str, owner: str) -> Repository:
        """A fork on an account where the App is not installed."""
        with self.world.lock:
            parent, number = self.repository(full_name), self.world.new_id()
            git = parent.git.fork(self.world.folder / f"{number}.git", parent.default_branch)
            one = Repository(
                number, owner, parent.name, git, parent.default_branch, parent.private, self.clock.iso(), parent
            )
            self.world.repositories[number] = one
            return one

    def push(
        self,
        full_name: str,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str = "Change",
        *,
        onto: str | None = None,
    ) -> str:
        """Commits files (None deletes one) and pushes; `onto`: upon that revision in place of the branch (a new branch,
        or a force-push). The new commit's id."""
        with self.world.lock:
            one = self.repository(full_name)
            before = one.branch(branch)
            parent = one.git.resolve(onto) if onto else before or one.branch(one.default_branch)
            when = int(self.clock.now())
            sha = one.git.write_commit(branch, [parent] if parent else [], files, message, when)
            pulls.branch_moved(self.world, self.events, one, branch, before)
            return sha

    def move_branch(self, full_name: str, branch: str, sha: str | None) -> None:
        """Pushes a commit that is already there, by force; None deletes the branch."""
        with self.world.lock:
            one = self.repository(full_name)
            before = one.branch(branch)
            if sha is None:
                one.git.delete_ref(f"refs/heads/{branch}")
            else:
                one.git.set_ref(f"refs/heads/{branch}", sha)
            pulls.branch_moved(self.world, self.events, one, branch, before)

    def open_pull_request(
        self,
        full_name: str,
        head: str,
        base: str = "main",
        title: str = "A change",
        *,
        body: str | None = None,
        draft: bool = False,
        fork: str | None = None,
        author: str = "ada",
    ) -> int:
        """Opens a pull request of a branch, of the repository or of a `fork` (full name). Its number."""
        with self.world.lock:
            target = self.repository(full_name)
            source = self.repository(fork) if fork else target
            more = {"title": title, "body": body, "draft": draft, "author": author}
            return pulls.open_pull(self.world, self.events, base=(target, base), head=(source, head), **more).number  # type: ignore[arg-type]

    def close_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.close(self.world, self.events, self.pull(full_name, number))

    def reopen_pull_request(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.reopen(self.world, self.events, self.pull(full_name, number))

    def ready_for_review(self, full_name: str, number: int) -> None:
        with self.world.lock:
            pulls.ready(self.events, self.pull(full_name, number))

    def edit_pull_request(
        self, full_name: str, number: int, *, base: str | None = None, title: str | None = None
    ) -> None:
        with self.world.lock:
            pulls.edit(self.world, self.events, self.pull(full_name, number), base=base, title=title)


if __name__ == "__main__":
    sys.exit("run `python -m fakegithub`")
