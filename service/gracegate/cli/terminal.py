"""What a command says on a terminal or into a pipe: text, colours, and a sign of life."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gracegate import settings

PATIENCE = 1.0
"""Seconds in which nobody misses a progress bar."""


def say(text: str) -> None:
    """Writes to standard output; where its reader has gone, the rest is dropped and the command goes on."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def colour() -> bool:
    """Whether standard output takes colours and the user has not said NO_COLOR."""
    return sys.stdout.isatty() and settings.allows_colour()


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Shows on standard error that `what` goes on, where that is a terminal and it takes longer than PATIENCE."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_show, args=(what, done), name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _show(what: str, done: threading.Event) -> None:
    if done.wait(PATIENCE):
        return
    from rich.console import Console  # noqa: PLC0415 - most commands are done before
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(what, total=None)
        done.wait()
