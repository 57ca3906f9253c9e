"""The playground: reviews what somebody just wrote, in a child process, and bounds what that costs."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gracegate.errors import EngineTimeout, GracegateError
from gracegate.review.sandbox import run_in_child
from gracegate.review.sandboxed_playground import OWN_RULE, PLAYGROUND, PlaygroundJob, PlaygroundReview

__all__ = ["OWN_RULE", "Playground", "PlaygroundJob", "PlaygroundRefused"]

MAX_CHARACTERS = 200_000
"""Of each text."""
_AT_ONCE = 2
_WAIT_SECONDS = 5.0
_SECONDS = 20.0
_MEMORY_MB = 768
_BURST = 10
_EVERY = 2.0
"""Seconds: a client may ask that often all the time, and _BURST times at once."""
_MAX_CLIENTS = 10_000


class PlaygroundRefused(Exception):
    """Nothing was reviewed, for a reason that the person can read; `seconds` until it is worth another try."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class Playground:
    """Reviews for anybody who reaches this process, which has other work to do too."""

    def __init__(
        self, opa: Path | None, cache_dir: Path | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`opa` compiles rules, None if there is none here; `cache_dir` has what was compiled of the built-in ones."""
        self._opa = opa
        self._cache_dir = cache_dir
        self._clock = clock
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._lock = threading.Lock()
        self._debts: OrderedDict[str, float] = OrderedDict()

    @property
    def takes_rules(self) -> bool:
        """Whether rules that somebody writes can be compiled here."""
        return self._opa is not None

    def review(self, job: PlaygroundJob, client: str) -> PlaygroundReview:
        """The review of a job that a client, by its address, asks for. Raises PlaygroundRefused."""
        self._charge(client)
        if any(len(text) > MAX_CHARACTERS for text in (job.manifests, job.before, job.rego)):
            raise PlaygroundRefused(f"A text is longer than {MAX_CHARACTERS:,} characters: leave some of it out.", 0)
        if not self._room.acquire(timeout=_WAIT_SECONDS):
            raise PlaygroundRefused("Others are trying rules at the moment: try again in some seconds.", 5)
        try:
            limited = replace(job, seconds=_SECONDS, opa=self._opa, cache_dir=self._cache_dir)
            return run_in_child(limited, _SECONDS, _MEMORY_MB, PLAYGROUND, PlaygroundReview)
        except EngineTimeout as error:
            busy = "Others may be busy here too: try again, or with less of it."
            raise PlaygroundRefused(f"{_sentence(error)} The playground is for small examples. {busy}", 0) from error
        except GracegateError as error:
            raise PlaygroundRefused(_sentence(error), 0) from error
        finally:
            self._room.release()

    def _charge(self, client: str) -> None:
        """Raises PlaygroundRefused where the client asks too often."""
        now = self._clock()
        with self._lock:
            # When what the client has asked for would be paid.
            paid = max(self._debts.pop(client, now), now) + _EVERY
            wait = paid - now - _BURST * _EVERY
            if wait > 0:
                self._debts[client] = paid - _EVERY
                raise PlaygroundRefused("That was a lot at once: try again in some seconds.", int(wait) + 1)
            self._debts[client] = paid
            if len(self._debts) > _MAX_CLIENTS:
                self._debts.popitem(last=False)


def _sentence(error: GracegateError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
