"""What a process sets for itself: when it ends, and how; and that Python does not stop its threads."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_SWITCH_SECONDS = 0.001
"""By default 0.005: a thread that has waited for the database then waits that long for each thread that is busy."""


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """From now on this process gets the signal when the thread that started it ends, killed or not.

    At once if `parent`, the process id of that thread, is already gone. Linux only: elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def answer_steadily() -> None:
    """Have no pauses of Python's own in a process with many threads. Call it when all is imported and built.

    What is there by then stays: the garbage collector would look through its 150,000 objects again and again, and stop
    all threads for 70 ms each time, also one that holds SQLite's write lock.
    """
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)


def run_without_collector() -> None:
    """For a process that does one thing and ends. Its garbage is freed all the same but for a thousand objects in
    cycles, and looking for those would take a fifth of its time."""
    gc.disable()


def end_at_once(code: int, *, unwritten: int) -> NoReturn:
    """End this process with the exit code `code`, without freeing what is in memory one by one. The code is `unwritten`
    where its output cannot be written, as on a full disk."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:  # whoever read it has read enough
            continue
        except OSError as error:
            os.write(2, f"gracegate: the output cannot be written: {error.strerror}\n".encode())
            code = unwritten
    os._exit(code)
