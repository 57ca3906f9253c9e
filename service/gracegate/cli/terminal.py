"""Output of a command on a terminal or into a pipe: text, colours, progress."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gracegate import settings

_REDRAWN_EVERY = 0.1
PROGRESS_AFTER = 1.0
"""Seconds before the progress bar appears."""

_WITHOUT_TOTAL = "{desc} {elapsed}"
_WITH_TOTAL = "{desc} {n}/{total} |{bar:30}| {elapsed}"


def write_output(text: str) -> None:
    """Writes to standard output; if its reader has gone, the rest is dropped and the command goes on."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shows_colour() -> bool:
    """Whether standard output is a terminal, where the environment says nothing else."""
    wanted = settings.wants_colour()
    return sys.stdout.isatty() if wanted is None else wanted


@dataclass(slots=True)
class Progress:
    """What the progress bar shows; `total` is None where it is not known. Threads may change it."""

    title: str
    done: int = 0
    total: int | None = None
    _seconds_in_steps: float = 0.0

    def clock(self) -> float:
        """Seconds that stand still during steps: how many roots there are does not count for who waits for them."""
        return time.monotonic() - self._seconds_in_steps

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[None]:
        """Shows a step of the whole, and then the whole again."""
        before, began = self.title, time.monotonic()
        self.title, self.done, self.total = title, 0, total
        try:
            yield
        finally:
            self.title, self.done, self.total = before, 0, None
            self._seconds_in_steps += time.monotonic() - began


@contextmanager
def progress(title: str, *, is_quiet: bool = False) -> Iterator[Progress]:
    """Shows a progress bar on standard error, if that is a terminal and it takes longer than PROGRESS_AFTER."""
    shown = Progress(title)
    if is_quiet or not sys.stderr.isatty():
        yield shown
        return
    done = threading.Event()
    watcher = threading.Thread(target=_show_progress, args=(shown, done), name="progress", daemon=True)
    watcher.start()
    try:
        yield shown
    finally:
        done.set()
        watcher.join()


def _show_progress(shown: Progress, done: threading.Event) -> None:
    if done.wait(PROGRESS_AFTER):
        return
    from tqdm import tqdm  # noqa: PLC0415 - most commands are done before

    # Some terminals do not know their own size; of rows one is enough.
    columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
    with tqdm(desc=shown.title, leave=False, ncols=columns, nrows=2, bar_format=_WITHOUT_TOTAL) as bar:
        while not done.wait(_REDRAWN_EVERY):
            bar.bar_format = _WITHOUT_TOTAL if shown.total is None else _WITH_TOTAL
            bar.total, bar.n = shown.total, shown.done
            bar.set_description_str(shown.title)
