"""`gracegate worker`: do the reviews that webhooks have queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gracegate.settings import Settings


@click.command()
@click.option("--bind", metavar="HOST:PORT", help="Answer /healthz, /readyz and /metrics here.  [default: nowhere]")
def command(*, bind: str | None) -> None:
    """Do reviews until SIGTERM, which finishes the running ones or queues them again.

    On one machine `gracegate serve` is enough. Settings are environment variables (GRACEGATE_*).
    """
    from gracegate.cli import logs  # noqa: PLC0415 - `gracegate --help` does without the service
    from gracegate.cli.serve import prepare_database  # noqa: PLC0415
    from gracegate.jobs import run_worker  # noqa: PLC0415
    from gracegate.review import build_reconciler, build_reviewer  # noqa: PLC0415
    from gracegate.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environment()
    logs.configure(settings)
    prepare_database(settings)
    if bind:
        _serve_probes(settings, bind)
    run_worker(settings, build_reviewer(settings), build_reconciler(settings))


def _serve_probes(settings: Settings, bind: str) -> None:
    from gracegate.cli.readiness import readiness_checks  # noqa: PLC0415
    from gracegate.store import Store  # noqa: PLC0415
    from gracegate.web import serve_probes  # noqa: PLC0415 - a worker without probes does without Flask

    serve_probes(bind, Store(settings.database), readiness_checks(settings))
