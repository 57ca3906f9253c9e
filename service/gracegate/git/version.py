"""Which git is installed."""

from __future__ import annotations

import re
from pathlib import Path

from gracegate.errors import GitFailed, RepositoryError
from gracegate.git.process import Git, local_environment

_SECONDS = 10.0


def installed_version() -> tuple[int, ...] | None:
    """The version of the git on the PATH; None if there is none that runs."""
    try:
        out = Git(Path("/"), local_environment(), _SECONDS).run("version").decode(errors="replace")
    except (GitFailed, RepositoryError, OSError):
        return None
    found = re.search(r"\d+(\.\d+)+", out)
    return tuple(int(part) for part in found[0].split(".")) if found else None
