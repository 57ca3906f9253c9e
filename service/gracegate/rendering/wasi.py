"""What the renderer sees of this machine: input, output, and a clock and random numbers that are always the same.

These are the functions of WASI preview 1 that a program built by Go imports. It has no folder, no network and no
environment, because whatever is not listed here fails with ENOSYS.
"""

from __future__ import annotations

import ctypes
import random
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

import wasmtime

_OK, _EBADF, _EFAULT, _ENOSYS = 0, 8, 21, 52
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_CHARACTER_DEVICE = 2
_SUBSCRIPTION_BYTES, _EVENT_BYTES = 48, 32
_REALTIME = 0
# The time that templates see: a rendering today is the same as one tomorrow.
_NOW = 1_767_225_600 * 10**9
"""The first second of 2026 in nanoseconds since 1970."""
_STEP = 1000
"""Nanoseconds that seem to pass between two looks at the clock."""
_KEPT_ERRORS = 4096

ONE_AT_A_TIME = threading.Lock()
"""Held while functions are given to a store, and while a store gives them back: wasmtime-py has those of all stores in
one list, which loses some or mixes them up where two threads change it at once."""


class Host:
    """The host of one run of a program in `store`. `on_line` is called with each line that it writes.

    The run `is_interrupted` when it looks at the clock and no longer `has_time`. Go does that each time that it
    collects garbage, which whatever renders makes; to look at the time in each loop of the program costs a tenth of it.
    """

    def __init__(
        self,
        store: wasmtime.Store,
        stdin: memoryview,
        environment: Sequence[str],
        on_line: Callable[[bytes], None],
        has_time: Callable[[], bool],
    ) -> None:
        self._store = store
        self._stdin = stdin
        self._arguments = [b"renderer\0"]
        self._environment = [f"{setting}\0".encode() for setting in environment]
        self._on_line = on_line
        self._has_time = has_time
        self._line = bytearray()
        self._monotonic = 0
        self._random = self._first_numbers()
        self.stderr = b""
        self.exit_code: int | None = None
        self.is_interrupted = False

    def start(self, module: wasmtime.Module) -> None:
        """Run the program to its end. Raises wasmtime's Trap, also where it ends with an `exit_code`."""
        with ONE_AT_A_TIME:
            functions = [self._function(item) for item in module.imports]
        exports: Any = wasmtime.Instance(self._store, module, functions).exports(self._store)
        self._memory: wasmtime.Memory = exports["memory"]
        exports["_start"](self._store)

    def _function(self, item: wasmtime.ImportType) -> wasmtime.Func:
        kind = item.type
        if item.module != "wasi_snapshot_preview1" or not isinstance(kind, wasmtime.FuncType):
            raise wasmtime.WasmtimeError(f"it imports {item.module}.{item.name}, which is not WASI")
        known: dict[str | None, Callable[..., int | None]] = {
            "args_get": lambda pointers, texts: self._put_texts(self._arguments, pointers, texts),
            "args_sizes_get": lambda count, size: self._put_sizes(self._arguments, count, size),
            "clock_time_get": self._clock_time_get,
            "environ_get": lambda pointers, texts: self._put_texts(self._environment, pointers, texts),
            "environ_sizes_get": lambda count, size: self._put_sizes(self._environment, count, size),
            "fd_fdstat_get": self._fd_fdstat_get,
            "fd_prestat_get": lambda _file, _result: _EBADF,  # what ends the list of folders
            "fd_read": self._fd_read,
            "fd_write": self._fd_write,
            "poll_oneoff": self._poll_oneoff,
            "proc_exit": self._proc_exit,
            "random_get": self._random_get,
            "sched_yield": lambda: _OK,
        }
        return wasmtime.Func(self._store, kind, known.get(item.name, lambda *_: _ENOSYS))

    def _fd_read(self, file: int, vectors: int, count: int, result: int) -> int:
        if file != _STDIN:
            return _EBADF
        self._random = self._first_numbers()
        read = 0
        for address, size in self._vectors(vectors, count):
            part, self._stdin = self._stdin[:size], self._stdin[size:]
            if not self._put(address, bytes(part)):
                return _EFAULT
            read += len(part)
        return self._put_all((result, struct.pack("<I", read)))

    def _fd_write(self, file: int, vectors: int, count: int, result: int) -> int:
        if file not in {_STDOUT, _STDERR}:
            return _EBADF
        parts = [self._get(address, size) for address, size in self._vectors(vectors, count)]
        if None in parts:
            return _EFAULT
        written = b"".join(part for part in parts if part is not None)
        if file == _STDERR:
            self.stderr = (self.stderr + written)[:_KEPT_ERRORS]
        else:
            self._write_lines(written)
        return self._put_all((result, struct.pack("<I", len(written))))

    def _write_lines(self, written: bytes) -> None:
        *lines, rest = written.split(b"\n")
        for line in lines:
            self._on_line(bytes(self._line) + line)
            self._line.clear()
        self._line += rest
        self._random = self._first_numbers()

    def _clock_time_get(self, clock: int, _precision: int, result: int) -> int:
        if not self._has_time():
            self.is_interrupted = True
            self._end()
        self._monotonic += _STEP
        return self._put_all((result, struct.pack("<Q", _NOW if clock == _REALTIME else self._monotonic)))

    def _poll_oneoff(self, subscriptions: int, events: int, count: int, result: int) -> int:
        """Time passes at once: every timer that is waited for has fired."""
        for number in range(count):
            asked = self._get(subscriptions + number * _SUBSCRIPTION_BYTES, _SUBSCRIPTION_BYTES)
            if asked is None:
                return _EFAULT
            user_data, kind = struct.unpack_from("<QB", asked)
            (timeout,), (flags,) = struct.unpack_from("<Q", asked, 24), struct.unpack_from("<H", asked, 40)
            self._monotonic = max(self._monotonic, timeout if flags & 1 else self._monotonic + timeout)
            event = struct.pack("<QHB", user_data, _OK, kind).ljust(_EVENT_BYTES, b"\0")
            if not self._put(events + number * _EVENT_BYTES, event):
                return _EFAULT
        return self._put_all((result, struct.pack("<I", count)))

    def _random_get(self, address: int, size: int) -> int:
        return self._put_all((address, self._random.randbytes(size & 0xFFFFFFFF)))

    @staticmethod
    def _first_numbers() -> random.Random:
        """The numbers start anew with each input and each output: a root has the same ones whatever precedes it."""
        return random.Random(0)  # noqa: S311 - to be the same each time is what they are for

    def _proc_exit(self, code: int) -> None:
        self.exit_code = code
        self._end()

    def _end(self) -> None:
        """There is no way back for the program; without fuel it ends at once."""
        self._store.set_fuel(0)

    def _fd_fdstat_get(self, file: int, result: int) -> int:
        if file not in {_STDIN, _STDOUT, _STDERR}:
            return _EBADF
        return self._put_all((result, struct.pack("<BxHxxxxQQ", _CHARACTER_DEVICE, 0, 2**64 - 1, 0)))

    def _put_sizes(self, texts: Sequence[bytes], count: int, size: int) -> int:
        total = sum(map(len, texts))
        return self._put_all((count, struct.pack("<I", len(texts))), (size, struct.pack("<I", total)))

    def _put_texts(self, texts: Sequence[bytes], pointers: int, address: int) -> int:
        for number, text in enumerate(texts):
            if not (self._put(pointers + 4 * number, struct.pack("<I", address)) and self._put(address, text)):
                return _EFAULT
            address += len(text)
        return _OK

    def _vectors(self, address: int, count: int) -> list[tuple[int, int]]:
        table = self._get(address, 8 * count) or b""
        return [(start, size) for start, size in struct.iter_unpack("<II", table)]

    def _get(self, address: int, size: int) -> bytes | None:
        """The bytes at an address; None where they are not all in memory."""
        start = self._start(address, size)
        return None if start is None else ctypes.string_at(start, size)

    def _put(self, address: int, content: bytes) -> bool:
        start = self._start(address, len(content))
        if start is None:
            return False
        ctypes.memmove(start, content, len(content))
        return True

    def _put_all(self, *contents: tuple[int, bytes]) -> int:
        return _OK if all(self._put(address, content) for address, content in contents) else _EFAULT

    def _start(self, address: int, size: int) -> int | None:
        address &= 0xFFFFFFFF  # wasmtime takes i32 for signed
        if address + size > self._memory.data_len(self._store):
            return None
        # The memory may have moved since the last call.
        return ctypes.addressof(self._memory.data_ptr(self._store).contents) + address
