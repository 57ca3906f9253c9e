"""Compiled Wasm modules kept per user, because compiling costs a start more than everything else together.

Loading a compiled module is running its machine code. So it is read only from a folder and a file that belong to this
user and that nobody else can write; wasmtime itself refuses code for another CPU or with other settings.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import wasmtime

_HASH_BYTES = 32


def load_module(engine: wasmtime.Engine, wasm: bytes, folder: Path | None) -> wasmtime.Module:
    """The compiled `wasm`, from `folder` if it is there intact, else compiled and written there if possible."""
    if folder is None:
        return wasmtime.Module(engine, wasm)
    path = folder / f"{hashlib.sha256(wasm).hexdigest()}-{version()}.bin"
    compiled = read_module(path)
    if compiled is not None:
        with suppress(wasmtime.WasmtimeError):  # of another CPU, or of other settings
            return wasmtime.Module.deserialize(engine, compiled)
    module = wasmtime.Module(engine, wasm)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        _write(path, bytes(module.serialize()))
    return module


def version() -> str:
    """Which wasmtime this is; wasmtime itself does not say, and importlib.metadata costs as much as wasmtime."""
    packages = Path(wasmtime.__file__).parents[1]
    return next((found.stem for found in packages.glob("wasmtime-*.dist-info")), "wasmtime")


def read_module(path: Path) -> bytes | None:
    """The content of `path` if it is intact and nobody else could have written it."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with os.fdopen(os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as stream:
                if not (_is_private(os.fstat(folder)) and _is_private(os.fstat(stream.fileno()))):
                    return None
                content = stream.read()
        finally:
            os.close(folder)
    except OSError:
        return None
    compiled = content[_HASH_BYTES:]
    # A module cut short or damaged on disk would crash the process, not raise.
    return compiled if hashlib.sha256(compiled).digest() == content[:_HASH_BYTES] else None


def _write(path: Path, compiled: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(path.parent.lstat()):
        return
    file, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(hashlib.sha256(compiled).digest() + compiled)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink()
        raise


def _is_private(status: os.stat_result) -> bool:
    """Whether a file or folder, not a link, belongs to this user and nobody else can write it."""
    plain = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return plain and status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
