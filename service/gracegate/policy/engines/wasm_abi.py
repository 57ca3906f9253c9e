"""OPA's Wasm ABI 1.2 and later, on wasmtime: one instance of a policy, for one evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import wasmtime

HostFunction = Callable[..., Any]
"""A builtin that Wasm does not bring along: takes OPA's dumps of its operands as text and returns a JSON value."""

_CHUNK = 512
_SCRATCH_BYTES = 65536
_PAGE_BYTES = 65536
# OPA asks for two pages whatever its constants need, and traps where they do not fit. Untouched pages cost nothing.
_FIRST_PAGES = 256
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


class Aborted(Exception):
    """The policy called opa_abort; the message is OPA's, with file, row and column if it knows them."""


class BuiltinFailed(Exception):
    """A builtin of the host refused its operands; the message names it."""


class Instance:
    """A policy in a store of its own, so that nothing of one evaluation reaches the next.

    Its deadline is the next epoch of the engine. Where the engine counts instructions, it may do so many as `fuel`
    says. Raises Aborted, BuiltinFailed, and wasmtime's Trap and WasmtimeError.
    """

    def __init__(
        self,
        engine: wasmtime.Engine,
        module: wasmtime.Module,
        host: Mapping[str, HostFunction],
        memory_bytes: int,
        fuel: int | None = None,
    ) -> None:
        self._store = wasmtime.Store(engine)
        self._store.set_epoch_deadline(1)
        if fuel is not None:
            self._store.set_fuel(fuel)
        self._module = module
        self._host = host
        self._pages = memory_bytes // _PAGE_BYTES
        self._functions: dict[str, Any] = {}
        self._constants: dict[int, str] = {}

    def close(self) -> None:
        """Give the memory back; the store would live on otherwise, held by the functions it imports from here."""
        self._store.close()

    def evaluate(self, entrypoint: str, data: bytes, opa_input: bytes) -> str:
        """The result set of `entrypoint` as JSON text; `[]` where it is undefined."""
        if missing := self.missing_builtins():
            raise wasmtime.WasmtimeError(f"the policy calls builtins that Wasm lacks: {', '.join(missing)}")
        number = self._read_mapping("entrypoints").get(entrypoint)
        if number is None:
            raise wasmtime.WasmtimeError(f"the policy has no entrypoint {entrypoint}")
        data_address = self._parse_json(data)
        address = self._write(opa_input)
        heap = self._call("opa_heap_ptr_get")
        return self._read_text(self._call("opa_eval", 0, number, data_address, address, len(opa_input), heap, 0))

    @property
    def fuel_left(self) -> int:
        """How many instructions it may still do."""
        return self._store.get_fuel()

    def missing_builtins(self) -> tuple[str, ...]:
        """The builtins that the policy calls and the host does not have."""
        self._instantiate()
        return tuple(sorted(set(self._builtins.values()).difference(self._host)))

    def _instantiate(self) -> None:
        imports = [self._import(item) for item in self._module.imports]
        self._exports = wasmtime.Instance(self._store, self._module, imports).exports(self._store)
        self._constants_end = self._call("opa_heap_ptr_get")
        self._scratch = self._call("opa_malloc", _SCRATCH_BYTES)
        self._builtins = {number: name for name, number in self._read_mapping("builtins").items()}

    def _import(self, item: wasmtime.ImportType) -> wasmtime.Func | wasmtime.Memory:
        kind = item.type
        if isinstance(kind, wasmtime.MemoryType):
            limits = wasmtime.Limits(min(max(kind.limits.min, _FIRST_PAGES), self._pages), self._pages)
            self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(limits))
            return self._memory
        if not isinstance(kind, wasmtime.FuncType):
            raise wasmtime.WasmtimeError(f"the policy imports {item.name}, which OPA's ABI does not know")
        function = self._abort if item.name == "opa_abort" else self._builtin
        return wasmtime.Func(self._store, kind, function)

    def _abort(self, address: int) -> None:
        raise Aborted(self._read_text(address))

    def _builtin(self, number: int, _context: int, *operands: int) -> int:
        name = self._builtins[number]
        try:
            value = self._host[name](*map(self._dump, operands))
        except ValueError as error:
            raise BuiltinFailed(f"{name}: {error}") from error
        return self._parse_json(_ENCODE(value).encode())

    def _dump(self, address: int) -> str:
        if address >= self._constants_end:
            return self._read_text(self._call("opa_value_dump", address))
        # A constant of the policy, such as a format. A call into Wasm costs 15 µs, and here is the hot path.
        if address not in self._constants:
            self._constants[address] = self._read_text(self._call("opa_value_dump", address))
        return self._constants[address]

    def _call(self, name: str, *arguments: int) -> Any:
        if name not in self._functions:
            self._functions[name] = self._exports[name]
        return self._functions[name](self._store, *arguments)

    def _write(self, content: bytes) -> int:
        address: int = self._call("opa_malloc", len(content))
        self._memory.write(self._store, content, address)
        return address

    def _parse_json(self, content: bytes) -> int:
        """The address of the value that `content` writes; parsing copies, so that short texts share one place."""
        if len(content) <= _SCRATCH_BYTES:
            self._memory.write(self._store, content, self._scratch)
            address = self._scratch
        else:
            address = self._write(content)
        parsed: int = self._call("opa_json_parse", address, len(content))
        return parsed

    def _read_mapping(self, export: str) -> dict[str, int]:
        mapping: dict[str, int] = json.loads(self._read_text(self._call("opa_json_dump", self._call(export))))
        return mapping

    def _read_text(self, address: int) -> str:
        """The text from `address` to the next NUL."""
        found = bytearray()
        size = _CHUNK
        while True:
            chunk = self._memory.read(self._store, address + len(found), address + len(found) + size)
            end = chunk.find(0)
            if end >= 0 or not chunk:
                return (found + chunk[: max(end, 0)]).decode(errors="replace")
            found += chunk
            size *= 2
