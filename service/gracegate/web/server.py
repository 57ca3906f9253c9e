"""gunicorn: its settings, for `gracegate serve` and for deploy/gunicorn.conf.py alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from prometheus_client import multiprocess

from gracegate.settings import WebSettings
from gracegate.web.metrics import counts_in_several_processes
from gracegate.web.worker import BoundedThreadWorker


def gunicorn_options(settings: WebSettings) -> dict[str, Any]:
    """gunicorn's settings by name."""
    return {
        "bind": [settings.bind],
        "worker_class": BoundedThreadWorker,
        "workers": settings.processes,
        "threads": settings.threads,
        # Each process opens its own database connections: they may not be carried over a fork.
        "preload_app": False,
        # Seconds. GitHub waits ten; a process whose threads all hang for longer than this is replaced.
        "timeout": 30,
        "graceful_timeout": 10,
        "keepalive": 5,
        "control_socket_disable": True,
        "logger_class": ForwardingLogger,
        "child_exit": _forget_metrics_of,
    }


class ForwardingLogger(Logger):  # type: ignore[misc]
    """Passes its lines on to the handlers of the process, which redact secrets."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn in this process, without its command line."""

    def __init__(self, settings: WebSettings, application: Callable[[], Flask]) -> None:
        self._settings = settings
        self._application = application
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._application()


def _forget_metrics_of(_server: Any, worker: Any) -> None:
    if counts_in_several_processes():
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
