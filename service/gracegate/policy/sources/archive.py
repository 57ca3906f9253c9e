"""Archives of policy files: read without trust in what is in them, and written for the database."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, cast

from gracegate.errors import RepositoryError
from gracegate.policy.sources.files import MAX_BYTES, MAX_FILES, SET_FOLDERS, check_size, is_policy_file

_MAX_UNPACKED = 2 * MAX_BYTES + 2_000 * MAX_FILES
"""Bytes of the whole archive: its headers, padding and files that are no policies come on top of the policies."""
_CHUNK = 65536
_OPA_DATA = ("data.json", "data.yaml", "data.yml")


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


def unpack(data: bytes, source: str) -> dict[str, bytes]:
    """The policy files in a .tar.gz, by path. Nothing is written.

    Raises RepositoryError, in the name of the `source`, for what is no such archive, has too much, or has links or
    paths that lead out of it.
    """
    files: dict[str, bytes] = {}
    count = size = 0
    try:
        bounded = _Bounded(cast("IO[bytes]", gzip.GzipFile(fileobj=io.BytesIO(data))), _MAX_UNPACKED)
        with tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r|") as tar:
            for member in tar:
                count += 1
                check_size(count, size, source)
                path = _path_of(member, source)
                if member.isdir() or path is None or not is_policy_file(path):
                    continue
                size += member.size
                check_size(count, size, source)
                content = tar.extractfile(member)
                if path in files:
                    raise RepositoryError(f"the archive has {path} twice", file=source)
                files[path] = b"" if content is None else content.read()
        while bounded.read(_CHUNK):  # to the end, where the checksum is
            pass
    except _TooLarge:
        raise RepositoryError(f"the archive has more than {_MAX_UNPACKED // 1_000_000} MB", file=source) from None
    # RecursionError and OverflowError: what tarfile makes of headers that lie.
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError) as error:
        raise RepositoryError(f"this is no .tar.gz archive: {error}", file=source) from error
    for path in files:
        if parent := next((str(one) for one in PurePosixPath(path).parents if str(one) in files), None):
            raise RepositoryError(f"the archive has {parent} as a file and as a folder", file=source)
    return files


def bundle_files(data: bytes, source: str) -> dict[str, bytes]:
    """The files of a bundle as a policy set has them.

    `opa build` keeps the name of the folder that it was given, as archives of repositories do; and it puts all data
    into one file at the top, under the names of the folders that it was in, where a policy set has its data in data/.
    """
    files = _without_top_folders(unpack(data, source), source)
    for name in _OPA_DATA:
        content = files.pop(name, None)
        if content is None or (name == "data.json" and _is_empty(content)):
            continue
        try:
            value = json.loads(content) if name == "data.json" else None
        except (ValueError, RecursionError) as error:
            raise RepositoryError(f"the bundle's data.json is no JSON: {error}", file=source) from error
        if isinstance(value, dict) and value.keys() == {"data"}:
            content = json.dumps(value["data"]).encode()
        if f"data/{name}" in files:
            raise RepositoryError(f"the bundle has {name} and data/{name}", file=source)
        files[f"data/{name}"] = content
    return files


def _without_top_folders(files: Mapping[str, bytes], source: str) -> dict[str, bytes]:
    """The files without the folders that all of them but OPA's data are in."""
    data = {path: content for path, content in files.items() if path in _OPA_DATA}
    others = {path: content for path, content in files.items() if path not in data}
    while len(tops := {path.partition("/")[0] for path in others}) == 1 and not tops <= {*SET_FOLDERS, *others}:
        others = {path.partition("/")[2]: content for path, content in others.items()}
    if clash := next((path for path in data if path in others), None):
        raise RepositoryError(f"the bundle has {clash} twice", file=source)
    return {**data, **others}


def pack(files: Mapping[str, bytes]) -> bytes:
    """A .tar.gz of files, which is the same for the same files."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size = len(files[path])
            tar.addfile(member, io.BytesIO(files[path]))
    return packed.getvalue()


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """SHA-256 over paths and contents, each preceded by its length, so that two sets never share a digest."""
    state = hashlib.sha256()
    for part in (part for path in sorted(files) for part in (path.encode(), files[path])):
        state.update(b"%d:" % len(part))
        state.update(part)
    return state.hexdigest()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files by path below a folder, into folders that only we can read. The paths lead nowhere else: they are
    ours, or those that `unpack`, git or a folder has given."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_bytes(content)


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


def _is_empty(content: bytes) -> bool:
    return content.strip() in {b"", b"{}"}


def _shown(name: str) -> str:
    return ascii(name[:100])
