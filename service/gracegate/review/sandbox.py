"""Runs the check of untrusted manifests in a child process that can be killed.

The parent sends a pickle, because only we write it. What comes back was made of untrusted input, so it is JSON that is
validated, never a pickle. The child, `python -m gracegate.review.sandbox`, imports only what the named function needs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
from functools import cache
from typing import IO, TYPE_CHECKING

from gracegate import errors
from gracegate.errors import EngineError, EngineKilled, EngineTimeout, GracegateError
from gracegate.processes import end_with_parent
from gracegate.settings import child_environment

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from gracegate.model import Report

CHECK = "gracegate.review.sandboxed_check:sandboxed_check"
_OUT_OF_MEMORY = 3
"""Exit code of the child."""


def run_check(job: object, seconds: float, memory_mb: int, function: str = CHECK) -> Report:
    """The report that `function` (dotted path, colon, name) returns for `job`, which has to be picklable.

    Raises EngineTimeout where the child needs more than `seconds` or `memory_mb`, EngineKilled where a signal ended it,
    the GracegateError that was raised in the child, and EngineError for any other.
    """
    limits = [str(seconds), str(memory_mb)]
    command = [sys.executable, "-m", "gracegate.review.sandbox", function, *limits, str(os.getpid())]
    # Files, not pipes: what the child itself has started may hold a pipe open for as long as it lives.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        code = _run(command, pickle.dumps(job), seconds, stdout, stderr)
        stdout.seek(0)
        if code == 0:
            return _report_type().validate_json(stdout.read())
        stderr.seek(0)
        raise _child_error(code, stdout.read(), stderr.read(), seconds, memory_mb)


def _run(command: list[str], job: bytes, seconds: float, stdout: IO[bytes], stderr: IO[bytes]) -> int:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, env=child_environment(), start_new_session=True
    ) as process:
        try:
            process.communicate(job, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineTimeout(f"the check took longer than {seconds:g} s") from error
        finally:
            # The whole process group: what the child has started ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


@cache
def _report_type() -> TypeAdapter[Report]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - slow to import, and the child does not need it

    from gracegate.model import Report  # noqa: PLC0415

    return TypeAdapter(Report)


def _child_error(code: int, stdout: bytes, stderr: bytes, seconds: float, memory_mb: int) -> GracegateError:
    if code == _OUT_OF_MEMORY:
        return EngineTimeout(f"the check needs more than {memory_mb} MB")
    if code == -signal.SIGXCPU:
        return EngineTimeout(f"the check computed for longer than {seconds:g} s")
    if code < 0:
        return EngineKilled(f"the check was ended by {signal.Signals(-code).name}")
    if code == 1 and stdout:
        error = json.loads(stdout)
        kind = getattr(errors, error["type"], None)
        if isinstance(kind, type) and issubclass(kind, GracegateError):
            return kind(error["message"])
        return EngineError(f"{error['type']}: {error['message']}")
    last_line = stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return EngineError(f"the check ended with code {code}: {last_line[:500]}")


def main(function: str, seconds: str, memory_mb: str, parent: str) -> int:
    """The child: sets its limits, reads the job from stdin, writes the report or the error to stdout."""
    end_with_parent(int(parent), signal.SIGKILL)
    _limit(float(seconds), int(memory_mb))
    # What a library prints must not get into the answer.
    stdout, sys.stdout = sys.stdout, sys.stderr
    module, _, name = function.partition(":")
    try:
        report = getattr(importlib.import_module(module), name)(pickle.load(sys.stdin.buffer))  # noqa: S301 - the parent wrote it
        answer, code = dataclasses.asdict(report), 0
    except MemoryError:
        return _OUT_OF_MEMORY
    except Exception as error:  # noqa: BLE001 - the parent has to know of every error
        answer, code = {"type": type(error).__name__, "message": str(error)[:2000]}, 1
    json.dump(answer, stdout)
    stdout.flush()
    return code


def _limit(seconds: float, memory_mb: int) -> None:
    memory = memory_mb * 1024 * 1024
    # Not RLIMIT_AS: a Wasm engine reserves far more addresses than it ever uses.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    cpu = max(1, round(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
