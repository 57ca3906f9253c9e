"""One git process: with an environment of its own, limited in time, its failures as errors of errors.py."""

from __future__ import annotations

import base64
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gracegate.errors import GitFailed, RepositoryError

Setting = tuple[str, str]

# Nothing of an untrusted repository may run: no hooks, no helpers, no transport but the one that the URL needs.
_RUN_NOTHING: tuple[Setting, ...] = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("protocol.allow", "never"),
    ("safe.directory", "*"),
)


_CHUNK = 1_000_000
_MAX_STDERR = 100_000
# What git says of a helper, such as the one that writes packs, that was ended by its limit.
_FILE_TOO_LARGE = f"died of signal {signal.SIGXFSZ:d}"


class TooLarge(GitFailed):
    """A repository has more than is read of one."""


class FetchTooLarge(GitFailed):
    """A server sends more than is kept: one that does not know partial clones sends all files."""


class GitCommandError(GitFailed):
    """git ended with an error, and printed `stderr`."""

    def __init__(self, command: str, stderr: str) -> None:
        super().__init__(f"git {command}: {stderr}" if stderr else f"git {command} failed and printed nothing")
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder. The environment may hold a token, so it is not in the repr.

    A call takes at most `seconds`, prints at most `max_output` bytes, and on Linux writes no file of more than
    `max_file` bytes: a few hundred bytes of trees can name billions of files.
    """

    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = 120.0
    max_output: int = 300_000_000
    max_file: int | None = None

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git and return its output.

        Raises TooLarge or FetchTooLarge beyond its limits, GitFailed after `seconds`, and GitCommandError if it ends
        with an error.
        """
        command = _subcommand(arguments)
        # Files, not pipes: git may fill one pipe while it waits for us to read from another.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
            given.write(stdin)
            given.seek(0)
            with subprocess.Popen(
                [_git_program(), *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            ) as process:
                self._limit(process)
                timed_out, out = self._read_output(process)
            errors.seek(0)
            stderr = errors.read(_MAX_STDERR).decode(errors="replace").strip()
        if timed_out:
            raise GitFailed(f"git {command} took longer than {self.seconds:g} s")
        if out is None:
            raise TooLarge(f"git {command} printed more than {self.max_output:,} bytes")
        if process.returncode == -signal.SIGXFSZ or _FILE_TOO_LARGE in stderr:
            raise FetchTooLarge(f"git {command} needs a file of more than {self.max_file or 0:,} bytes")
        if process.returncode != 0:
            raise GitCommandError(command, stderr)
        return out

    def _limit(self, process: subprocess.Popen[bytes]) -> None:
        """For git and what it starts from now on, such as the helper that receives a pack."""
        if sys.platform == "linux" and self.max_file is not None:
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self.max_file, self.max_file))

    def _read_output(self, process: subprocess.Popen[bytes]) -> tuple[bool, bytes | None]:
        """Whether the time was not enough, and the output, None if there is more than is allowed."""
        timed_out = threading.Event()

        def end() -> None:
            timed_out.set()
            _kill(process)

        timer = threading.Timer(self.seconds, end)
        timer.start()
        chunks: list[bytes] = []
        size = 0
        try:
            while process.stdout and size <= self.max_output and (chunk := process.stdout.read(_CHUNK)):
                chunks.append(chunk)
                size += len(chunk)
            if size > self.max_output:
                _kill(process)
            process.wait()
        finally:
            timer.cancel()
            _kill(process)
        return timed_out.is_set(), None if size > self.max_output else b"".join(chunks)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End git with its group: its own helper would keep the connection and the pipes open."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _git_program() -> str:
    program = shutil.which("git")
    if program is None:
        raise RepositoryError("git is not installed, or not on the PATH")
    return program


def _subcommand(arguments: Sequence[str]) -> str:
    return next(word for word in arguments if word[0].islower() and "." not in word)


def local_environment() -> dict[str, str]:
    """For the user's own repository: their configuration applies (safe.directory, LFS), and git writes no files."""
    return {
        "PATH": os.defpath,
        "HOME": os.path.expanduser("~"),  # noqa: PTH111 - Path.home() raises where a container's user has none
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }


def cache_environment() -> dict[str, str]:
    """For what was fetched from a server: no configuration but this one, and no network."""
    return _isolated(())


def server_environment(url: str, token: str | None) -> dict[str, str]:
    """For fetching from a server. Only this environment defines the remote `origin`. Without a token no redirect is
    followed: a server that may be anybody's could lead to one that only this machine reaches.

    With `origin` in the repository's configuration, git would fetch missing blobs by itself, one by one.
    """
    return _isolated(
        (
            (f"protocol.{_scheme(url)}.allow", "always"),
            ("remote.origin.url", url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            ("http.followRedirects", "false" if token is None else "initial"),
            *_authorization(url, token),
        )
    )


def _isolated(settings: tuple[Setting, ...]) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        **_as_variables((*_RUN_NOTHING, *settings)),
    }


def _scheme(url: str) -> str:
    scheme = urlsplit(url).scheme
    if scheme not in {"https", "http", "file"}:
        raise RepositoryError(f"{url} is not an https URL of a git repository")
    return scheme


def _authorization(url: str, token: str | None) -> tuple[Setting, ...]:
    if token is None:
        return ()
    parts = urlsplit(url)
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    # For the server's own host alone, so that a redirect to another host does not take the token there.
    return ((f"http.{parts.scheme}://{parts.netloc}/.extraHeader", f"Authorization: Basic {secret}"),)


def _as_variables(settings: Sequence[Setting]) -> dict[str, str]:
    variables = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
