"""The App as an operator uses it on a page: no waiting for GitHub, and the log says who it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gracegate.github_app import AppClient, Pace, TokenBroker, Write
from gracegate.review.audit_log import write_recorder
from gracegate.settings import Settings
from gracegate.store import Store

_TIMEOUT = 8


def build_operator_client(settings: Settings, store: Store, login: str) -> AppClient:
    """A client whose writes are recorded with the operator's login. A request that fails is not repeated."""
    record = write_recorder(store, settings.app_id)

    def record_with_login(write: Write) -> Callable[[int], None]:
        return record(replace(write, summary=f"{write.summary} (operator: {login})"))

    broker = TokenBroker(settings.app_id, settings.private_key, settings.github_url)
    return AppClient(broker, Pace(max_wait=0.0, backoff=()), timeout=_TIMEOUT, record=record_with_login)
