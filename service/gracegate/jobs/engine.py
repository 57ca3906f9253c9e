"""Where this process's reviews are evaluated: in Wasm, on an operator's OPA, or on a child OPA that is kept alive."""

from __future__ import annotations

import threading
from pathlib import Path

from gracegate.errors import EngineUnavailable
from gracegate.jobs.judging import Opa
from gracegate.policy.catalog import load_builtin
from gracegate.policy.opa_process import OpaProcess
from gracegate.policy.opa_server import ChildEngine


class EngineHouse:
    """Knows the address of the OPA to ask, if any. A child OPA is started at first use and again when it died."""

    def __init__(self, url: str | None, binary: Path | None, seconds: float) -> None:
        self._url = url
        self._binary = binary
        self._seconds = seconds
        self._lock = threading.Lock()
        self._child: tuple[OpaProcess, ChildEngine] | None = None

    def opa(self) -> Opa | None:
        """The OPA to ask now, None for the built-in Wasm. Raises EngineUnavailable where the child cannot run."""
        if self._url is not None:
            return Opa(self._url)
        if self._binary is None:
            return None
        with self._lock:
            process, engine = self._child = self._child or self._started(self._binary)
            if (missing := engine.ready()) is not None:
                raise EngineUnavailable(missing)
            return Opa(process.url, process.token)

    def close(self) -> None:
        """Ends the child OPA, if one runs."""
        with self._lock:
            if self._child is not None:
                process, engine = self._child
                self._child = None
                engine.close()
                process.stop()

    def _started(self, binary: Path) -> tuple[OpaProcess, ChildEngine]:
        process = OpaProcess(binary)
        process.restart()
        return process, ChildEngine(process, load_builtin(), self._seconds)
