"""Where this process's reviews are evaluated: in Wasm, on an operator's OPA, or on a child OPA that is kept alive."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

from gracegate.errors import EngineUnavailable
from gracegate.jobs.judging import Opa
from gracegate.policy import opa_server
from gracegate.policy.catalog import load_builtin


class EngineHouse:
    """Knows the address of the OPA to ask, if any. A child OPA is started at first use and again when it died."""

    def __init__(self, url: str | None, binary: Path | None, seconds: float) -> None:
        self._url = url
        self._binary = binary
        self._seconds = seconds
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._child: opa_server.ChildEngine | None = None

    def opa(self) -> Opa | None:
        """The OPA to ask now, None for the built-in Wasm. Raises EngineUnavailable where the child cannot run."""
        if self._url is not None:
            return Opa(self._url)
        if self._binary is None:
            return None
        with self._lock:
            if self._child is None:
                child = opa_server.child(self._binary, load_builtin(), seconds=self._seconds)
                self._child = self._stack.enter_context(child)
            if (missing := self._child.ready()) is not None:
                raise EngineUnavailable(missing)
            return Opa(*self._child.address)

    def close(self) -> None:
        """Ends the child OPA, if one runs."""
        with self._lock:
            self._child = None
            self._stack.close()
