"""One git process: with an environment of its own, limited in time, its failures as errors of errors.py."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
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


class GitCommandError(GitFailed):
    """git ended with an error, and printed `stderr`."""

    def __init__(self, command: str, stderr: str) -> None:
        super().__init__(f"git {command}: {stderr}" if stderr else f"git {command} failed and printed nothing")
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder. The environment may hold a token, so it is not in the repr."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = 120.0

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git and return its output. Raises GitCommandError if it ends with an error, GitFailed after `seconds`."""
        process = subprocess.Popen(
            [_git_program(), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            try:
                out, err = process.communicate(stdin, timeout=self.seconds)
            except subprocess.TimeoutExpired:
                raise GitFailed(f"git {_subcommand(arguments)} took longer than {self.seconds:g} s") from None
            finally:
                if process.returncode is None:
                    # The whole group: git's own helper would keep the connection and the pipes open.
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            raise GitCommandError(_subcommand(arguments), err.decode(errors="replace").strip())
        return out


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
    """For fetching from a server. Only this environment defines the remote `origin`.

    With `origin` in the repository's configuration, git would fetch missing blobs by itself, one by one.
    """
    return _isolated(
        (
            (f"protocol.{_scheme(url)}.allow", "always"),
            ("remote.origin.url", url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
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
