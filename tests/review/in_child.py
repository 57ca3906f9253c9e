"""Functions that the tests run in the child process."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from gracegate.errors import EngineUnavailable
from gracegate.model import Report


def same(report: Report) -> Report:
    print("noise on standard output")
    return report


def no_opa(_request: object) -> Report:
    raise EngineUnavailable("no answer from OPA")


def bug(request: dict[str, Any]) -> Report:
    return request["missing"]


def sleep(_request: object) -> Report:
    time.sleep(600)
    raise AssertionError


def burn(_request: object) -> Report:
    while True:
        pass


def swell(_request: object) -> Report:
    hoard = []
    while True:
        hoard.append(bytearray(10_000_000))


def crash(_request: object) -> Report:
    os.abort()


def leave(_request: object) -> Report:
    os._exit(7)


def start_another(pid_file: Path) -> Report:
    pid_file.write_text(str(subprocess.Popen(["sleep", "600"]).pid))
    raise EngineUnavailable("gone, but not my child")


def tell_environment(_request: object) -> Report:
    raise EngineUnavailable(" ".join(sorted(name for name in os.environ if "GRACEGATE" in name)))
