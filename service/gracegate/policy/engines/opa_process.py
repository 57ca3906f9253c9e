"""A child `opa run --server` on loopback, for this process alone."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from gracegate.errors import EngineUnavailable

VERSION_PACKAGE = "gracegate_engine"
VERSION_MODULE = f"package {VERSION_PACKAGE}\n\nversion := opa.runtime().version\n"
"""What says the version of an OPA that it was loaded into."""

_START_SECONDS = 15.0
_EXIT_SECONDS = 1.0
_START_ATTEMPTS = 3

# The background reader ends the whole session when the pipe closes, which it also does when this process is killed: no
# OPA is ever left behind. The token stays out of arguments and environment, where others could read it.
_SCRIPT = 'exec 3<&0; (read -r _ <&3; kill -9 0) & exec "$0" "$@" </dev/null 3<&-'
_AUTHORIZATION = """package system.authz

default allow := false

allow if input.identity == "{token}"
"""


class OpaProcess:
    """Runs the OPA at `binary` between `__enter__` and `__exit__`; `url` and `token` change with `restart`.

    OPA starts with `files`, texts of modules and base documents by relative path, or a bundle of them.
    """

    def __init__(self, binary: Path, files: Mapping[str, str], *, is_bundle: bool = False) -> None:
        self._binary = binary
        self._files = files
        self._is_bundle = is_bundle
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.token = ""

    def __enter__(self) -> OpaProcess:
        self.restart()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id of OPA, None where it was not started."""
        return self._process.pid if self._process else None

    def has_ended(self) -> bool:
        """Whether OPA has ended; it gets a moment to end after its connections broke."""
        if self._process is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_SECONDS)
        return self._process.poll() is not None

    def restart(self) -> None:
        """Stops OPA if it runs, and starts it. Raises EngineUnavailable."""
        for attempt in range(_START_ATTEMPTS):
            self.stop()
            try:
                self._start()
            except EngineUnavailable:  # somebody else may have taken the port meanwhile
                self.stop()
                if attempt == _START_ATTEMPTS - 1:
                    raise
            else:
                return

    def stop(self) -> None:
        """Kill OPA and all of its session."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if process.stdin:
            process.stdin.close()
        process.wait()

    def _start(self) -> None:
        self.token = secrets.token_urlsafe(24)
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        with tempfile.TemporaryDirectory(prefix="gracegate-opa-") as name:  # mode 0700
            folder, log = Path(name), Path(name, "log")
            for path, text in {**self._files, "authz.rego": _AUTHORIZATION.format(token=self.token)}.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            with log.open("wb") as stream:
                self._process = self._spawn(folder, f"127.0.0.1:{port}", stream.fileno())
            self._wait_until_it_listens(port, log)

    def _spawn(self, folder: Path, address: str, log: int) -> subprocess.Popen[bytes]:
        options = ["--server", "--addr", address, "--skip-version-check", "--log-level", "error"]
        files = ["--bundle", "."] if self._is_bundle else [*self._files, "authz.rego"]
        access = ["--authentication", "token", "--authorization", "basic"]
        try:
            return subprocess.Popen(
                ["/bin/sh", "-c", _SCRIPT, str(self._binary.absolute()), "run", *options, *access, *files],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={},
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineUnavailable(f"{self._binary} cannot be started: {error}") from error

    def _wait_until_it_listens(self, port: int, log: Path) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self._process and self._process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.01)
        output = log.read_text(errors="replace").strip()[-500:]
        raise EngineUnavailable(f"{self._binary} did not start to listen on port {port}: {output or 'no message'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
