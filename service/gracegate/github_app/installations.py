"""The repositories of an installation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from github.Requester import Requester

from gracegate.github_app.client import InstallationReader

_PAGE = 100


@dataclass(frozen=True, slots=True)
class AccessibleRepository:
    """A repository that the App may read, and whether anybody may; `is_writable` is false where it takes no checks
    because it is archived."""

    id: int
    full_name: str
    is_writable: bool
    is_public: bool


def list_repositories(reader: InstallationReader) -> list[AccessibleRepository]:
    """All of them, by id."""
    found = reader.read(lambda requester: [_repository(one) for one in _pages(requester)])
    return sorted(found, key=lambda one: one.id)


def first_repository(reader: InstallationReader) -> AccessibleRepository | None:
    """One of them, by a single request; None if there is none."""
    found = reader.read(lambda requester: [_repository(one) for one in islice(_pages(requester), 1)])
    return found[0] if found else None


def repository_id(reader: InstallationReader, full_name: str) -> int:
    """The id of a repository, also by a name that it had before. Raises Gone."""
    found = reader.read(lambda requester: requester.requestJsonAndCheck("GET", f"/repos/{full_name}")[1])
    return int(found["id"])


def _pages(requester: Requester) -> Iterator[Mapping[str, Any]]:
    number = 1
    while True:
        page = {"per_page": _PAGE, "page": number}
        headers, answer = requester.requestJsonAndCheck("GET", "/installation/repositories", parameters=page)
        yield from answer["repositories"]
        if 'rel="next"' not in headers.get("link", ""):
            return
        number += 1


def _repository(one: Mapping[str, Any]) -> AccessibleRepository:
    is_frozen = one.get("archived") or one.get("disabled")
    return AccessibleRepository(one["id"], one["full_name"], not is_frozen, not one["private"])
