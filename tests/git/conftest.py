"""Real repositories, and a real git server over HTTP, for the tests of the git room."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.processes import WAIT_SECONDS

IDENTITY = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "shop@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@dataclass(frozen=True)
class Repository:
    """A work tree on disk with the few things that tests do to one."""

    folder: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=IDENTITY, capture_output=True, check=True, timeout=WAIT_SECONDS
        )
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        for path, content in files.items():
            full = self.folder / path
            if content is None:
                full.unlink()
                continue
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Mapping[str, str | bytes | None]) -> str:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def new_repository(tmp_path: Path) -> Callable[[str], Repository]:
    def new(name: str = "shop") -> Repository:
        folder = tmp_path / "origins" / name
        folder.mkdir(parents=True)
        repository = Repository(folder)
        repository.git("init", "--quiet", "--initial-branch=main")
        for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            repository.git("config", setting, "true")
        return repository

    return new


@pytest.fixture
def shop(new_repository: Callable[[str], Repository]) -> Repository:
    return new_repository("shop")


@dataclass
class Server:
    """`git http-backend` below a folder; it records its requests, and may demand a token."""

    url: str
    requests: list[str] = field(default_factory=list)
    authorization: str | None = None
    answer: int | None = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    root = tmp_path / "origins"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])))

        def _serve(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            state.requests.append(f"{self.command} {path.split('/', 2)[2]}")
            if state.answer or state.authorization not in {None, self.headers["Authorization"]}:
                self.send_error(state.answer or 401)
                return
            environment = {
                "PATH": os.defpath,
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path.replace(".git/", "/.git/", 1),
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"],
                env=environment,
                input=body,
                capture_output=True,
                check=False,
                timeout=WAIT_SECONDS,
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state = Server(f"http://127.0.0.1:{httpd.server_port}")
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield state
        httpd.shutdown()
        thread.join()
