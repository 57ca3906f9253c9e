"""The App itself: where it is installed, and what it lacks to do its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gracegate.github_app.client import Client

NEEDED_PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "checks": "write",
    "merge_queues": "read",
}
NEEDED_EVENTS = frozenset({"pull_request", "check_run", "check_suite", "merge_group"})
_LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Installation:
    """The App on one account; a suspended one gets no tokens."""

    id: int
    account: str
    suspended: bool


@dataclass(frozen=True, slots=True)
class InstalledRepository:
    """A repository that an installation may work on."""

    id: int
    full_name: str
    archived: bool


def installations(client: Client) -> list[Installation]:
    return [
        Installation(one["id"], one["account"]["login"], one["suspended_at"] is not None)
        for one in client.app("/app/installations")
    ]


def repositories(client: Client, installation_id: int) -> list[InstalledRepository]:
    """The repositories of one installation."""
    found = client.installation(installation_id, "/installation/repositories", "repositories")
    return [InstalledRepository(one["id"], one["full_name"], bool(one.get("archived"))) for one in found]


def missing(client: Client) -> tuple[str, ...]:
    """What the App's registration lacks, one sentence each; empty where all is well."""
    app = client.app("/app")
    granted = app["permissions"]
    permissions = tuple(
        f"The App needs the permission {name}: {level}; it has {granted.get(name, 'none')}."
        for name, level in NEEDED_PERMISSIONS.items()
        if _LEVELS[granted.get(name, "none")] < _LEVELS[level]
    )
    events = tuple(
        f"The App is not subscribed to the event {event}." for event in sorted(NEEDED_EVENTS - set(app["events"]))
    )
    return permissions + events
