"""Archives of policy files: those of others, and our own for the database."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

from gracegate import archives
from gracegate.errors import RepositoryError
from gracegate.policy.sources.files import LIMITS, SET_FOLDERS, is_policy_file

_OPA_DATA = ("data.json", "data.yaml", "data.yml")


def unpack(data: bytes, source: str) -> dict[str, bytes]:
    """The policy files in a .tar.gz, by path; for what it raises see `archives.unpack`."""
    return archives.unpack(data, source, is_policy_file, LIMITS)


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


def _is_empty(content: bytes) -> bool:
    return content.strip() in {b"", b"{}"}
