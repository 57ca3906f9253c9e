"""Runs the check of untrusted manifests in a child process that can be killed.

The parent sends a pickle, because only we write it. What comes back was made of untrusted input, so it is JSON that is
validated, never a pickle, and no longer than MAX_REPORT_BYTES. The child, `python -m gracegate.review.sandbox`, imports
only what the named function needs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import importlib
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from gracegate import errors
from gracegate.errors import EngineError, EngineKilled, EngineTimeout, GracegateError, InputsMissing
from gracegate.processes import end_at_once, end_with_parent, run_without_collector
from gracegate.settings import child_environment

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from gracegate.model import Report

T = TypeVar("T")

CHECK = "gracegate.review.sandboxed_check:sandboxed_check"
MAX_REPORT_BYTES = 32 * 1024 * 1024
"""What a worker parses of a child. A report with the patches of 10,000 findings takes about 20 MB."""
_OUT_OF_MEMORY = 3
"""Exit code of the child."""
_MAX_STDERR = 4096
_TOO_LARGE = f"the report is larger than {MAX_REPORT_BYTES // 1024 // 1024} MB"


def run_check(job: object, seconds: float, memory_mb: int, function: str = CHECK) -> Report:
    """The report of a check, see `run_in_child`."""
    from gracegate.model import Report  # noqa: PLC0415

    return run_in_child(job, seconds, memory_mb, function, Report)


def run_in_child(job: object, seconds: float, memory_mb: int, function: str, answer: type[T]) -> T:
    """The answer that `function` (dotted path, colon, name) returns for `job`, which has to be picklable.

    Raises EngineTimeout where the child needs more than `seconds` or `memory_mb` or has too much to report,
    EngineKilled where a signal ended it, the GracegateError that was raised in the child, and EngineError for any
    other.
    """
    limits = [str(seconds), str(memory_mb)]
    command = [sys.executable, "-m", "gracegate.review.sandbox", function, *limits, str(os.getpid())]
    # Files, not pipes: what the child itself has started may hold a pipe open for as long as it lives, and a pickle in
    # memory would be a second copy of all trees.
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        pickle.dump(job, stdin)
        code = _run(command, seconds, stdin, stdout, stderr)
        stdout.seek(0)
        text = stdout.read(MAX_REPORT_BYTES + 1)
        if len(text) > MAX_REPORT_BYTES:
            raise EngineTimeout(_TOO_LARGE)
        if code == 0:
            found: T = type_adapter(cast("Any", answer)).validate_json(text)
            return found
        stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _MAX_STDERR))
        raise _child_error(code, text, stderr.read(_MAX_STDERR), seconds, memory_mb)


def _run(command: list[str], seconds: float, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> int:
    stdin.seek(0)
    with subprocess.Popen(
        command, stdin=stdin, stdout=stdout, stderr=stderr, env=child_environment(), start_new_session=True
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineTimeout(f"the check took longer than {seconds:g} s") from error
        finally:
            # The whole process group: what the child has started ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


@cache
def type_adapter(answer: Any) -> TypeAdapter[Any]:
    """What reads a value of this type of JSON strictly."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - slow to import, and the child does not need it

    return TypeAdapter(answer)


def _child_error(code: int, stdout: bytes, stderr: bytes, seconds: float, memory_mb: int) -> GracegateError:
    if code == _OUT_OF_MEMORY:
        return EngineTimeout(f"the check needs more than {memory_mb} MB")
    if code == -signal.SIGXCPU:
        return EngineTimeout(f"the check computed for longer than {seconds:g} s")
    if code < 0:
        return EngineKilled(f"the check was ended by {signal.Signals(-code).name}")
    if code == 1 and stdout:
        return _raised_error(json.loads(stdout))
    last_line = stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return EngineError(f"the check ended with code {code}: {last_line[:500]}")


def _raised_error(error: Mapping[str, Any]) -> GracegateError:
    """The error that was raised in the child."""
    kind = getattr(errors, error["type"], None)
    if kind is InputsMissing:
        sources = {(str(url), str(revision)): tuple(map(str, paths)) for url, revision, paths in error["sources"]}
        paths, policies = (tuple(map(str, error[name])) for name in ("paths", "policies"))
        return InputsMissing(error["message"], paths, sources, policies)
    if isinstance(kind, type) and issubclass(kind, GracegateError):
        return kind(error["message"])
    return EngineError(f"{error['type']}: {error['message']}")


def main(function: str, seconds: str, memory_mb: str, parent: str) -> int:
    """The child: sets its limits, reads the job from stdin, writes the report or the error to stdout."""
    end_with_parent(int(parent), signal.SIGKILL)
    run_without_collector()
    # On a small machine webhooks are to be answered first.
    os.nice(10)
    _limit(float(seconds), int(memory_mb))
    # What a library prints must not get into the answer.
    stdout, sys.stdout = sys.stdout, sys.stderr
    module, _, name = function.partition(":")
    try:
        report = getattr(importlib.import_module(module), name)(pickle.load(sys.stdin.buffer))  # noqa: S301 - the parent wrote it
        answer, code = json.dumps(dataclasses.asdict(report), default=dt.date.isoformat), 0
        if len(answer) > MAX_REPORT_BYTES:
            answer, code = _error_answer(EngineTimeout(_TOO_LARGE)), 1
    except MemoryError:
        return _OUT_OF_MEMORY
    except Exception as error:  # noqa: BLE001 - the parent has to know of every error
        answer, code = _error_answer(error), 1
    stdout.write(answer)
    stdout.flush()
    return code


def _error_answer(error: Exception) -> str:
    answer: dict[str, Any] = {"type": type(error).__name__, "message": str(error)[:2000]}
    if isinstance(error, InputsMissing):
        answer |= {"paths": error.paths, "policies": error.policies}
        answer["sources"] = [(url, revision, paths) for (url, revision), paths in error.sources.items()]
    return json.dumps(answer)


def _limit(seconds: float, memory_mb: int) -> None:
    memory = memory_mb * 1024 * 1024
    # Not RLIMIT_AS: a Wasm engine reserves far more addresses than it ever uses.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    # Two threads render.
    cpu = max(1, round(2 * seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Of its answer, of its errors and of the compiled rules that it keeps.
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_REPORT_BYTES + 1, MAX_REPORT_BYTES + 1))


if __name__ == "__main__":
    end_at_once(main(*sys.argv[1:5]), unwritten=_OUT_OF_MEMORY + 1)
