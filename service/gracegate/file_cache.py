"""Files that save work and may vanish at any moment: whole or not there, and this user's alone."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_TEMPORARY = "building-"


@dataclass
class FileCache:
    """Files in `folder`, of at most `max_bytes` and what one process adds; those go first that were used longest ago.

    What cannot be read or written costs time, nothing else. Threads and processes may share the folder.
    """

    folder: Path
    max_bytes: int
    _is_shrunk: bool = field(default=False, init=False)

    def read(self, name: str) -> bytes | None:
        """The content of a file, None where it is not there or somebody else could have written it."""
        path = self.folder / name
        with suppress(OSError):
            if is_private(self.folder):
                content = path.read_bytes()
                os.utime(path)
                return content
        return None

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, if possible."""
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_shrunk:
                self._is_shrunk = True
                self._shrink()
            write_private(self.folder / name, (content,))

    def _shrink(self) -> None:
        with os.scandir(self.folder) as entries:
            files = [(entry.path, entry.stat()) for entry in entries]
        found = sorted((status.st_mtime, status.st_size, path) for path, status in files)
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= self.max_bytes:
                return
            Path(path).unlink(missing_ok=True)
            total -= size


def write_private(path: Path, parts: Iterable[bytes | bytearray]) -> None:
    """Writes a file that others find whole or not at all, unless somebody else may write its folder. Raises OSError."""
    if not is_private(path.parent):
        return
    file, temporary = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)  # mode 0600
    try:
        with os.fdopen(file, "wb") as stream:
            stream.writelines(parts)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink()
        raise


def is_private(path: Path) -> bool:
    """Whether a file or folder, not a link, belongs to this user or to root, and nobody else can write it."""
    return is_private_status(path.lstat())


def is_private_status(status: os.stat_result) -> bool:
    """As `is_private`, for what is known of a file or folder."""
    plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return plain and status.st_uid in {0, os.geteuid()} and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
