"""Output of a command on a terminal or into a pipe: text, colours, progress."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gracegate import settings

PROGRESS_AFTER = 1.0
"""Seconds before the progress bar appears."""


def write_output(text: str) -> None:
    """Writes to standard output; if its reader has gone, the rest is dropped and the command goes on."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shows_colour() -> bool:
    """Whether standard output is a terminal and NO_COLOR is not set."""
    return sys.stdout.isatty() and settings.allows_colour()


@contextmanager
def progress(title: str) -> Iterator[None]:
    """Shows a progress bar on standard error, if that is a terminal and it takes longer than PROGRESS_AFTER."""
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_show_progress, args=(title, done), name="progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _show_progress(title: str, done: threading.Event) -> None:
    if done.wait(PROGRESS_AFTER):
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and most commands are done before
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(title, total=None)
        done.wait()
