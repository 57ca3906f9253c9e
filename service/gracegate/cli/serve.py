"""`gracegate serve`: the GitHub App on one machine, a web process and workers."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gracegate.settings import Settings, SettingsWithoutApp
    from gracegate.web import Application

_PROGRESS_EVERY = 5.0
"""Seconds between two lines of the log that say that the renderer is being compiled."""


@click.command()
@click.option("--web-only", is_flag=True, help="Only receive webhooks; `gracegate worker` does the reviews.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes [GRACEGATE_WORKERS, 1].")
def command(*, web_only: bool, workers: int | None) -> None:
    """Receive GitHub's webhooks at /webhooks/github and do the reviews, until SIGTERM.

    Settings are environment variables (GRACEGATE_*). The database is a SQLite file unless GRACEGATE_DATABASE is set.
    Without a GitHub App there is only a page that says how to get one.
    """
    from gracegate.cli import logs  # noqa: PLC0415 - `gracegate --help` does without the service
    from gracegate.settings import Settings, settings_without_app  # noqa: PLC0415

    if (without_app := settings_without_app()) is not None:
        _serve_without_app(without_app)
        return
    settings = Settings.from_environment()
    logs.configure(settings)
    prepare_database(settings)
    if web_only:
        from gracegate.web import Server  # noqa: PLC0415

        Server(settings.web, application).run()
    else:
        _print_settings(settings)
        prepare_renderer(settings)
        _run_processes(settings, workers or settings.jobs.workers)


def _serve_without_app(settings: SettingsWithoutApp) -> None:
    from gracegate.web import Server  # noqa: PLC0415

    click.echo(f"gracegate: no GitHub App is set: http://{settings.web.bind}/ says how to register one", err=True)
    Server(settings.web, application).run()


def application() -> Application:
    """The web application as gunicorn loads it, once in each of its processes."""
    from gracegate.cli import logs  # noqa: PLC0415
    from gracegate.cli.readiness import readiness_checks  # noqa: PLC0415
    from gracegate.processes import answer_steadily  # noqa: PLC0415
    from gracegate.settings import Settings, settings_without_app  # noqa: PLC0415
    from gracegate.store import Store  # noqa: PLC0415
    from gracegate.web import create_app, create_app_without_github  # noqa: PLC0415

    if (without_app := settings_without_app()) is not None:
        return create_app_without_github(without_app)
    settings = Settings.from_environment()
    logs.configure(settings)
    store = Store(settings.database)
    app = create_app(settings, store, readiness_checks(settings, store))
    answer_steadily()
    return app


def prepare_database(settings: Settings) -> None:
    """Log what the operator should change and migrate the tables, before any process of the service starts."""
    from gracegate.store import Store  # noqa: PLC0415

    for deprecation in settings.deprecations:
        logging.getLogger(__name__).warning(deprecation)
    store = Store(settings.database)
    store.migrate()
    # gunicorn forks: a process must not inherit an open connection.
    store.close()


def prepare_renderer(settings: Settings) -> None:
    """Compile the renderer before any process takes reviews, unless that is done: none of them does it itself.

    Without it reviews go on, and name each kustomization and chart that they do not evaluate.
    """
    from gracegate.rendering import find_renderer  # noqa: PLC0415
    from gracegate.settings import child_environment  # noqa: PLC0415

    if find_renderer() is None:
        logging.getLogger(__name__).warning("kustomizations and charts are not rendered: run `make tools`")
        return
    command = (sys.executable, "-m", "gracegate.rendering", str(settings.data_dir / "wasm"))
    log = logging.getLogger(__name__)
    with subprocess.Popen(command, env=child_environment(), stderr=subprocess.PIPE, text=True) as compiling:
        errors = None
        while errors is None:
            try:
                _, errors = compiling.communicate(timeout=_PROGRESS_EVERY)
            except subprocess.TimeoutExpired:
                log.info("the renderer is being compiled, once on this machine")
    if compiling.returncode:
        # Each review that needs it is tried again, and then says so.
        log.error("the renderer was not compiled: %s", errors.strip()[-500:])


def _print_settings(settings: Settings) -> None:
    from gracegate.store import url_without_password  # noqa: PLC0415

    engine = settings.opa_url or settings.opa or "built-in (Wasm)"
    for name, value in {
        "webhooks": f"{settings.public_url or f'http://{settings.web.bind}'}/webhooks/github",
        "database": url_without_password(settings.database),
        "engine": str(engine),
        "github": settings.github_url,
    }.items():
        click.echo(f"gracegate: {name:<9} {value}", err=True)


def _run_processes(settings: Settings, workers: int) -> None:
    from gracegate.cli.supervisor import Program, supervise  # noqa: PLC0415
    from gracegate.jobs import mark_dead  # noqa: PLC0415
    from gracegate.settings import environment  # noqa: PLC0415
    from gracegate.store import Store  # noqa: PLC0415

    gracegate = (sys.executable, "-m", "gracegate")
    programs = [Program("web", (*gracegate, "serve", "--web-only"))]
    # GitHub waits ten seconds for the answer to a webhook; a review has time.
    worker = (*gracegate, "worker")
    programs += [Program(f"worker {number}", worker, niceness=5) for number in range(1, workers + 1)]
    with tempfile.TemporaryDirectory(prefix="gracegate-metrics-") as metrics:
        # All processes keep their counters in one folder, and the web process serves them at /metrics.
        env = {**environment(), "PROMETHEUS_MULTIPROC_DIR": metrics}
        store = Store(settings.database)
        supervise(programs, env, settings.jobs.shutdown + 10, on_exit=lambda pid: mark_dead(store, pid))
