"""Looks at this machine for the doctor and for /readyz: its git and its disk."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gracegate import git
from gracegate.cli.diagnosis import Diagnosis, diagnose_data_dir, diagnose_git, diagnose_renderer
from gracegate.errors import ConfigError
from gracegate.settings import Settings, environment
from gracegate.store import sqlite_file


def check_git() -> Diagnosis:
    """Whether there is a git that is new enough."""
    return diagnose_git(git.installed_version())


def check_renderer(cache_dir: Path | None) -> Diagnosis:
    """Whether the renderer is there, and compiled for everybody here or in `cache_dir`."""
    from gracegate.rendering import WasmRenderer, find_renderer  # noqa: PLC0415 - wasmtime is slow to import

    wasm = find_renderer()
    is_compiled = wasm is not None and WasmRenderer(wasm, cache_dir, may_compile=False).load() is None
    return diagnose_renderer(is_built=wasm is not None, is_compiled=is_compiled)


def check_data_dir(settings: Settings) -> list[Diagnosis]:
    """Whether the folder of caches and database can be written to, how full its disk is, and who may open it."""
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not _is_writable(existing):
        message = f"caches and database cannot be kept, because {existing} cannot be written to"
        return [Diagnosis("data", "problem", message, "set GRACEGATE_DATA_DIR to a folder of the service's user")]
    # What is not there yet is made for this user alone.
    modes = {str(path): mode for path in _private_paths(settings) if (mode := _own_mode(path)) is not None}
    return diagnose_data_dir(str(folder), modes, shutil.disk_usage(existing).free)


def _private_paths(settings: Settings) -> Iterator[Path]:
    yield settings.data_dir
    if key_file := environment().get("GRACEGATE_PRIVATE_KEY_FILE"):
        yield Path(key_file)
    with suppress(ConfigError):
        if database := sqlite_file(settings.database):
            yield database


def _own_mode(path: Path) -> int | None:
    """The permission bits of a path of this user: those of a secret that a container was given are not ours."""
    try:
        status = path.stat()
    except OSError:
        return None
    return stat.S_IMODE(status.st_mode) if status.st_uid == os.getuid() else None


def _is_writable(folder: Path) -> bool:
    """Tried out: what the permission bits say need not hold, for example on a read-only file system."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
