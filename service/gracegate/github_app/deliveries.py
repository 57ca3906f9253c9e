"""The deliveries of the App's webhook, as GitHub remembers them for three days (seven on an Enterprise Server)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Any
from urllib.parse import unquote

from github.Requester import Requester

from gracegate.github_app.client import AppClient

_PAGE = 100


@dataclass(frozen=True, slots=True)
class HookDelivery:
    """One attempt to deliver an event; attempts of one event share `guid`. `delivered_at` is in seconds.

    `action` is "" for an event without actions. `status` is GitHub's word, `OK` for success; `status_code` is 0 where
    there was no answer.
    """

    id: int
    guid: str
    event: str
    action: str
    delivered_at: float
    status: str
    status_code: int

    @property
    def is_delivered(self) -> bool:
        return self.status == "OK"


def list_newest(client: AppClient) -> list[HookDelivery]:
    """The newest hundred attempts, newest first."""
    return list(islice(_deliveries(client), _PAGE))


def list_since(client: AppClient, time: float) -> list[HookDelivery]:
    """The attempts after `time`, in seconds since the epoch by GitHub's clock, newest first."""
    return list(takewhile(lambda one: one.delivered_at >= time, _deliveries(client)))


def redeliver(client: AppClient, delivery_id: int) -> None:
    """Ask GitHub to deliver an event again, in the next minutes. Raises Gone if it has forgotten it."""
    path = f"/app/hook/deliveries/{delivery_id}/attempts"
    client.update_as_app(lambda requester: requester.requestJsonAndCheck("POST", path))


def _deliveries(client: AppClient) -> Iterator[HookDelivery]:
    page: dict[str, Any] = {"per_page": _PAGE}
    while page:
        headers, items = client.read_as_app(partial(_read_page, page))
        yield from map(_delivery, items)
        following = re.search(r'[?&]cursor=([^&>]+)[^>]*>; rel="next"', headers.get("link", ""))
        page = {"per_page": _PAGE, "cursor": unquote(following[1])} if following else {}


def _read_page(page: dict[str, Any], requester: Requester) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return requester.requestJsonAndCheck("GET", "/app/hook/deliveries", parameters=page)


def _delivery(one: dict[str, Any]) -> HookDelivery:
    return HookDelivery(
        id=one["id"],
        guid=one["guid"],
        event=one["event"],
        action=one["action"] or "",
        delivered_at=dt.datetime.fromisoformat(one["delivered_at"]).timestamp(),
        status=one["status"],
        status_code=one["status_code"],
    )
