"""How one call to GitHub is made: paced, and repeated if that can do no harm."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from gracegate.errors import GitHubError, GitHubUnavailable, Gone, RateLimited
from gracegate.github_app.errors import translate_errors
from gracegate.github_app.pace import Pace, Pacer, WriteKind

LOG = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Retrier:
    """Makes calls for one installation. `renew` drops the token that GitHub refused (401), at most once per call."""

    pace: Pace
    pacer: Pacer
    renew: Callable[[], None] = lambda: None

    def read(self, do: Callable[[], Result], *, is_new: bool = False) -> Result:
        """Do a GET. `is_new`: it asks for something so new that some of GitHub's servers may answer 404 for a while."""
        return self._call(do, is_repeatable=True, is_new=is_new)

    def update(self, do: Callable[[], Result], kind: WriteKind) -> Result:
        """Do a PATCH or PUT that has the same effect when it is done twice."""
        return self._call(self._paced(do, kind), is_repeatable=True)

    def create(self, do: Callable[[], Result], find: Callable[[], Result | None], kind: WriteKind) -> Result:
        """Do a POST, or a PATCH that adds. It is done a second time only if `find` does not find its effect."""
        write = self._paced(do, kind)
        for pause in self.pace.backoff:
            try:
                return self._call(write, is_repeatable=False)
            except GitHubUnavailable as error:
                effect = self._find_effect(find, pause, error)
                if effect is not None:
                    return effect
        return self._call(write, is_repeatable=False)

    def _find_effect(self, find: Callable[[], Result | None], pause: float, error: GitHubError) -> Result | None:
        """Look for the effect of a write after a pause, and once more when it cannot come any later."""
        self._pause(pause, error)
        effect = self.read(find)
        if effect is None:
            self.pace.sleep(self.pace.late_effect)
            effect = self.read(find)
        return effect

    def _paced(self, do: Callable[[], Result], kind: WriteKind) -> Callable[[], Result]:
        def write() -> Result:
            self.pacer.wait(kind)
            return do()

        return write

    def _call(self, do: Callable[[], Result], *, is_repeatable: bool, is_new: bool = False) -> Result:
        waited = 0.0
        backoff = iter(self.pace.backoff)
        is_renewed = False
        while True:
            try:
                with translate_errors():
                    return do()
            except GitHubError as error:
                if isinstance(error, Gone) and error.status == 401 and not is_renewed:
                    is_renewed = True
                    self.renew()
                    continue
                pause = _pause_after(error, backoff, is_repeatable=is_repeatable, is_new=is_new)
                if pause is None or waited + pause > self.pace.max_wait:
                    raise
                self._pause(pause, error)
                waited += pause

    def _pause(self, seconds: float, error: GitHubError) -> None:
        LOG.warning("%s; next attempt in %.1f s", error, seconds)
        self.pace.sleep(seconds)


def _pause_after(error: GitHubError, backoff: Iterator[float], *, is_repeatable: bool, is_new: bool) -> float | None:
    """The seconds before another attempt; None if there is none."""
    if isinstance(error, RateLimited):
        return error.seconds
    if (is_new and error.status == 404) or (is_repeatable and isinstance(error, GitHubUnavailable)):
        return next(backoff, None)
    return None
