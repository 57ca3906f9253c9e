"""The deliveries of the App's webhook, as GitHub remembers them for three days (seven on an Enterprise Server)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from github.Requester import Requester

from gracegate.github_app.client import AppClient


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """One attempt to deliver an event; attempts of one event share `guid`. `delivered_at` is in seconds.

    `status` is GitHub's word, `OK` for success; `status_code` is 0 where there was no answer.
    """

    id: int
    guid: str
    event: str
    delivered_at: float
    status: str
    status_code: int

    @property
    def is_delivered(self) -> bool:
        return self.status == "OK"


def list_newest(client: AppClient) -> list[HookDelivery]:
    """The newest hundred attempts, newest first."""

    def read(requester: Requester) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requester.requestJsonAndCheck(
            "GET", "/app/hook/deliveries", parameters={"per_page": 100}
        )[1]
        return found

    return [
        HookDelivery(
            id=one["id"],
            guid=one["guid"],
            event=one["event"],
            delivered_at=dt.datetime.fromisoformat(one["delivered_at"]).timestamp(),
            status=one["status"],
            status_code=one["status_code"],
        )
        for one in client.read_as_app(read)
    ]
