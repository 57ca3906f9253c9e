"""Archives of others, .tar.gz, read without trust in what is in them. Nothing is written."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, NamedTuple, cast

from gracegate.errors import RepositoryError

_CHUNK = 65536


class Download(NamedTuple):
    """An archive, the `digest` of it or of the image that it is in, and its media type in that image."""

    digest: str
    data: bytes
    media_type: str = ""


class ArchiveLimits(NamedTuple):
    """How many files something may have, by its `name`, and how many bytes together."""

    name: str
    files: int
    bytes: int

    @property
    def unpacked(self) -> int:
        """Bytes of a whole archive: headers, padding and files that nobody wants come on top of the others."""
        return 2 * self.bytes + 2_000 * self.files

    def check(self, count: int, size: int, source: str) -> None:
        """Raises RepositoryError, in the name of the `source`, for more than that."""
        if count > self.files or size > self.bytes:
            message = f"{self.name} has at most {self.files:,} files of {self.bytes // 1_000_000} MB together"
            raise RepositoryError(message, file=source)


def unpack(data: bytes, source: str, is_wanted: Callable[[str], bool], limits: ArchiveLimits) -> dict[str, bytes]:
    """The files in a .tar.gz whose paths are wanted, by path.

    Raises RepositoryError, in the name of the `source`, for what is no such archive, has too much, or has links or
    paths that lead out of it.
    """
    files: dict[str, bytes] = {}
    count = size = 0
    try:
        bounded = _Bounded(cast("IO[bytes]", gzip.GzipFile(fileobj=io.BytesIO(data))), limits.unpacked)
        with tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r|") as tar:
            for member in tar:
                count += 1
                limits.check(count, size, source)
                path = _path_of(member, source)
                if member.isdir() or path is None or not is_wanted(path):
                    continue
                size += member.size
                limits.check(count, size, source)
                content = tar.extractfile(member)
                if path in files:
                    raise RepositoryError(f"the archive has {_shown(path)} twice", file=source)
                files[path] = b"" if content is None else content.read()
        while bounded.read(_CHUNK):  # to the end, where the checksum is
            pass
    except _TooLarge:
        message = f"the archive has more than {limits.unpacked // 1_000_000} MB"
        raise RepositoryError(message, file=source) from None
    # RecursionError and OverflowError: what tarfile makes of headers that lie.
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise RepositoryError(f"this is no .tar.gz archive: {error}", file=source) from error
    for path in files:
        if parent := next((str(one) for one in PurePosixPath(path).parents if str(one) in files), None):
            raise RepositoryError(f"the archive has {_shown(parent)} as a file and as a folder", file=source)
    return files


class _TooLarge(Exception):
    """The archive has more bytes than are read of one."""


class _Bounded(io.RawIOBase):
    """What is unpacked of a stream, up to a limit: a few bytes may stand for gigabytes."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left:
            size = self._left + 1
        found = self._stream.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise _TooLarge
        return found


def _path_of(member: tarfile.TarInfo, source: str) -> str | None:
    """The path of a member as we write it, None for the top folder. OPA's bundles begin their paths with a slash."""
    if member.issparse() or not (member.isfile() or member.isdir()):
        raise RepositoryError(
            f"the archive has {_shown(member.name)}, which is neither a file nor a folder", file=source
        )
    parts = [part for part in member.name.split("/") if part not in {"", "."}]
    if ".." in parts or any(len(part.encode(errors="surrogateescape")) > 255 for part in parts) or len(parts) > 50:
        raise RepositoryError(f"the archive has the path {_shown(member.name)}", file=source)
    path = "/".join(parts)
    if any(ord(letter) < 32 or "\ud800" <= letter <= "\udfff" or letter == "\\" for letter in path):
        raise RepositoryError(f"the archive has the path {_shown(member.name)}", file=source)
    return path or None


def _shown(name: str) -> str:
    """A name in a code span: a reader of the message may see it as Markdown."""
    return f"`{ascii(name[:100])[1:-1].replace('`', '?')}`"
