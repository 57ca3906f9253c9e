"""Everything that touches foreign manifests runs in a child process that can be killed.

The parent sends a pickled request, which only we write. What comes back was made from foreign input, so it is JSON that
is validated, never a pickle. `python -m gracegate.review.sandbox` imports nothing but what the named function needs.
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
from typing import IO, TYPE_CHECKING, Any

from gracegate import errors
from gracegate.errors import EngineError, EngineTimeout, GracegateError
from gracegate.settings import child_environment

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from gracegate.model import Report

CHECK = "gracegate.review.sandboxed_check:sandboxed_check"
_TOO_BIG = 3


def run_check(request: object, seconds: float, memory_mb: int, function: str = CHECK) -> Report:
    """The report that `function` (dotted path, colon, name) makes of `request`, which has to be picklable.

    EngineTimeout where it takes longer than `seconds` or more than `memory_mb`; an error of ours that it raises comes
    back as it was, any other as EngineError.
    """
    command = [sys.executable, "-m", "gracegate.review.sandbox", function, str(seconds), str(memory_mb)]
    # Files, not pipes: what the child itself has started may hold a pipe open for as long as it lives.
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as told:
        code = _run(command, pickle.dumps(request), seconds, answer, told)
        answer.seek(0)
        if code == 0:
            return _reports().validate_json(answer.read())
        told.seek(0)
        raise _error(code, answer.read(), told.read(), seconds, memory_mb)


def _run(command: list[str], request: bytes, seconds: float, answer: IO[bytes], told: IO[bytes]) -> int:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=answer, stderr=told, env=child_environment(), start_new_session=True
    ) as process:
        try:
            process.communicate(request, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineTimeout(f"the check took longer than {seconds:g} s") from error
        finally:
            # What the child has started ends with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


@cache
def _reports() -> TypeAdapter[Report]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - the child does without it

    from gracegate.model import Report  # noqa: PLC0415

    return TypeAdapter(Report)


def _error(code: int, answer: bytes, told: bytes, seconds: float, memory_mb: int) -> GracegateError:
    if code == _TOO_BIG:
        return EngineTimeout(f"the check needs more than {memory_mb} MB")
    if code == -signal.SIGXCPU:
        return EngineTimeout(f"the check computed for longer than {seconds:g} s")
    if code < 0:
        return EngineTimeout(f"the check was ended by {signal.Signals(-code).name}")
    if code == 1 and answer:
        said = json.loads(answer)
        kind = getattr(errors, said["type"], None)
        if isinstance(kind, type) and issubclass(kind, GracegateError):
            return kind(said["message"])
        return EngineError(f"{said['type']}: {said['message']}")
    last = told.decode(errors="replace").strip().rpartition("\n")[2]
    return EngineError(f"the check ended with code {code}: {last[:500]}")


def main(function: str, seconds: str, memory_mb: str) -> int:
    """The child: limits first, then the request from standard input, the report or the error on standard output."""
    _limit(float(seconds), int(memory_mb))
    # Whatever prints must not spoil the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    module, _, name = function.partition(":")
    try:
        report = getattr(importlib.import_module(module), name)(pickle.load(sys.stdin.buffer))  # noqa: S301 - ours
        answer, code = dataclasses.asdict(report), 0
    except MemoryError:
        return _TOO_BIG
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to know
        answer, code = {"type": type(error).__name__, "message": str(error)[:2000]}, 1
    _say(out, answer)
    return code


def _limit(seconds: float, memory_mb: int) -> None:
    memory = memory_mb * 1024 * 1024
    # Not RLIMIT_AS: a Wasm engine reserves far more addresses than it ever uses.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    cpu = max(1, round(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _say(out: IO[str], answer: dict[str, Any]) -> None:
    json.dump(answer, out)
    out.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
