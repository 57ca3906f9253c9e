"""Compiled Wasm modules kept per user, because compiling costs a start more than everything else together.

Loading a compiled module is running its machine code. So it is read only from a folder and a file that belong to this
user or to root, and that nobody else can write; wasmtime itself refuses code for another CPU or with other settings.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import wasmtime

from gracegate.file_cache import is_private_status, write_private

_SUM_BYTES = 4


def load_module(engine: wasmtime.Engine, wasm: bytes, folder: Path | None) -> wasmtime.Module:
    """The compiled `wasm`, from `folder` if it is there intact, else compiled and written there if possible."""
    name = module_name(wasm)
    kept = None if folder is None else find_module(engine, name, (folder,))
    return kept or compile_module(engine, wasm, name, folder)


def module_name(source: bytes) -> str:
    """The name of the file that keeps what is compiled of `source`, be that Wasm or what Wasm is packed in."""
    return f"{hashlib.sha256(source).hexdigest()}-{version()}.bin"


def compile_module(engine: wasmtime.Engine, wasm: bytes, name: str, folder: Path | None) -> wasmtime.Module:
    """The compiled `wasm`, which is written into `folder` by its `name` if possible."""
    module = wasmtime.Module(engine, wasm)
    if folder is not None:
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            compiled = module.serialize()
            write_private(folder / name, (compiled, _checksum(compiled)))
    return module


def find_module(engine: wasmtime.Engine, name: str, folders: Iterable[Path]) -> wasmtime.Module | None:
    """The compiled module of this name from the first of the folders that has it intact."""
    return next(filter(None, (read_module(engine, folder / name) for folder in folders)), None)


def version() -> str:
    """Which wasmtime this is; wasmtime itself does not say, and importlib.metadata costs as much as wasmtime."""
    packages = Path(wasmtime.__file__).parents[1]
    return next((found.stem for found in packages.glob("wasmtime-*.dist-info")), "wasmtime")


def read_module(engine: wasmtime.Engine, path: Path) -> wasmtime.Module | None:
    """The module at `path` if it is intact, of this CPU and this engine, and nobody else could have written it."""
    with suppress(OSError), _open_private(path) as file:
        if not _is_intact(file):
            return None
        with suppress(wasmtime.WasmtimeError):
            # Mapped, so that processes share one copy. By the open file: the path may lead to another one by now.
            return wasmtime.Module.deserialize_file(engine, f"/dev/fd/{file}")
        # A disk that runs no programs lets nothing be mapped as code.
        with suppress(wasmtime.WasmtimeError), os.fdopen(os.dup(file), "rb") as stream:
            return wasmtime.Module.deserialize(engine, stream.read()[:-_SUM_BYTES])
    return None


@contextmanager
def _open_private(path: Path) -> Iterator[int]:
    """Raises PermissionError where somebody else may write the file or its folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        file = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            if not (is_private_status(os.fstat(folder)) and is_private_status(os.fstat(file))):
                raise PermissionError(f"{path} is not this user's alone")
            yield file
        finally:
            os.close(file)
    finally:
        os.close(folder)


def _is_intact(file: int) -> bool:
    """Whether the file ends with the checksum of what precedes it: a damaged module would crash the process."""
    if os.fstat(file).st_size <= _SUM_BYTES:
        return False
    with (
        mmap.mmap(file, 0, access=mmap.ACCESS_READ) as content,
        memoryview(content) as view,
        view[:-_SUM_BYTES] as compiled,
    ):
        return _checksum(compiled) == content[-_SUM_BYTES:]


def _checksum(content: bytearray | memoryview) -> bytes:
    """Against accidents alone: who could write the file could write the checksum too."""
    return zlib.crc32(content).to_bytes(_SUM_BYTES)
