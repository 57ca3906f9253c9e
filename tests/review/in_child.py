"""Functions that the tests run in the child process of the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gracegate.errors import EngineUnavailable
from gracegate.model import Problem, Report
from gracegate.review import sandboxed_check as sandboxed_check_module
from gracegate.review.sandboxed_check import CheckJob, sandboxed_check


def return_report(report: Report) -> Report:
    print("noise on standard output")
    return report


def raise_unavailable(_request: object) -> Report:
    raise EngineUnavailable("no answer from OPA")


def raise_key_error(request: dict[str, Any]) -> Report:
    return request["missing"]


def sleep(_request: object) -> Report:
    time.sleep(600)
    raise AssertionError


def loop(_request: object) -> Report:
    while True:
        pass


def use_memory(_request: object) -> Report:
    memory = []
    while True:
        memory.append(bytearray(10_000_000))


def return_too_much(report: Report) -> Report:
    problem = Problem("", 0, "x", "x" * 1_000_000)
    return replace(report, problems=(problem,) * 40)


def print_for_ever(_request: object) -> Report:
    """What a child could do that the manifests have taken over."""
    while True:
        os.write(1, b"x" * 1_000_000)


def abort(_request: object) -> Report:
    os.abort()


def exit_with_7(_request: object) -> Report:
    os._exit(7)


def start_process(pid_file: Path) -> Report:
    pid_file.write_text(str(subprocess.Popen(["sleep", "600"]).pid))
    raise EngineUnavailable("its child is left behind")


def write_pid_and_sleep(pid_file: Path) -> Report:
    part = pid_file.with_suffix(".part")
    part.write_text(str(os.getpid()))
    part.rename(pid_file)
    return sleep(pid_file)


def check_with_a_short_preview(job: CheckJob) -> Report:
    sandboxed_check_module._PREVIEW_SECONDS = 0.01
    return sandboxed_check(job)


def name_libraries(job: CheckJob) -> Report:
    """Raises the names of the third-party libraries that a check has imported, and of rooms that it seldom needs."""
    sandboxed_check(job)
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    packages = {name.partition(".")[0] for name, file in files.items() if "site-packages" in file and name[0] != "_"}
    rooms = {"gracegate.git", "gracegate.outputs", "gracegate.policy.sets", "gracegate.policy.foreign"}
    raise EngineUnavailable(" ".join(sorted(packages | (rooms & sys.modules.keys()))))


def name_environment(_request: object) -> Report:
    raise EngineUnavailable(" ".join(sorted(name for name in os.environ if "GRACEGATE" in name)))


def name_niceness(_request: object) -> Report:
    raise EngineUnavailable(str(os.nice(0)))
