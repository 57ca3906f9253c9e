"""gunicorn: its settings, for `gracegate serve` and for deploy/gunicorn.conf.py alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from prometheus_client import multiprocess

from gracegate.settings import Settings, environment
from gracegate.web.metrics import MULTIPROCESS


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings by name."""
    return {
        "bind": [settings.web.bind],
        "worker_class": "gthread",
        "workers": settings.web.processes,
        "threads": settings.web.threads,
        # Each process opens its own database connections: they may not be carried over a fork.
        "preload_app": False,
        # GitHub waits ten seconds; a process whose threads all hang for longer than this is replaced.
        "timeout": 30,
        "graceful_timeout": 10,
        "keepalive": 5,
        "control_socket_disable": True,
        "logger_class": PlainLogger,
        "child_exit": _child_exit,
    }


class PlainLogger(Logger):  # type: ignore[misc]
    """Leaves the lines to the handlers of the process, which know what has to be struck out."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn in this process, without its command line."""

    def __init__(self, settings: Settings, application: Callable[[], Flask]) -> None:
        self._settings = settings
        self._application = application
        super().__init__()

    def load_config(self) -> None:
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._application()


def _child_exit(_server: Any, worker: Any) -> None:
    if environment().get(MULTIPROCESS):
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
