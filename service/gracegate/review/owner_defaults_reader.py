"""Reads the configuration in OWNER/.github, for the reviews of all repositories of that owner."""

from __future__ import annotations

import time
from collections.abc import Callable

from gracegate.errors import Gone, Refused
from gracegate.github_app import AppClient, contents
from gracegate.model import CONFIG_FILE
from gracegate.review.owner_defaults import OwnerDefaults
from gracegate.review.recently_read import RecentlyRead

REPOSITORY = ".github"
"""GitHub's own place for what counts in all repositories of an owner."""
_READ_EVERY = 60.0
"""Seconds between two looks at it."""
_MAX_KEPT = 1_000


class OwnerDefaultsReader:
    """Reads the defaults of owners, for the threads of one worker process."""

    def __init__(self, client: AppClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._recent: RecentlyRead[tuple[int, str], OwnerDefaults] = RecentlyRead(_READ_EVERY, _MAX_KEPT, clock)

    def read(self, installation_id: int, repository: str) -> OwnerDefaults:
        """The defaults for a repository, by its full name; those of its owner's default branch."""
        owner = repository.partition("/")[0]
        return self._recent.get((installation_id, owner), lambda _: self._fetch(installation_id, owner))

    def _fetch(self, installation_id: int, owner: str) -> OwnerDefaults:
        name = f"{owner}/{REPOSITORY}"
        file = f"{name}/{CONFIG_FILE}"
        try:
            with self._client.installation(installation_id) as reader:
                data = contents.read_file(reader, name, CONFIG_FILE)
            return OwnerDefaults(file, "" if data is None else data.decode())
        except UnicodeDecodeError:
            return OwnerDefaults(file, problem="it is not UTF-8 text")
        except (Gone, Refused) as error:
            return OwnerDefaults(file, problem=str(error))
