"""`gracegate worker`: do the reviews that webhooks have queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gracegate.settings import Settings
    from gracegate.store import Store


@click.command()
@click.option("--bind", metavar="HOST:PORT", help="Answer /healthz, /readyz and /metrics here.  [default: nowhere]")
def command(*, bind: str | None) -> None:
    """Do reviews until SIGTERM, which finishes the running ones or queues them again.

    On one machine `gracegate serve` is enough. Settings are environment variables (GRACEGATE_*).
    """
    from gracegate.cli import logs  # noqa: PLC0415 - `gracegate --help` does without the service
    from gracegate.cli.serve import prepare_database, prepare_renderer  # noqa: PLC0415
    from gracegate.jobs import run_worker  # noqa: PLC0415
    from gracegate.processes import answer_steadily  # noqa: PLC0415
    from gracegate.review import build_reconciler, build_reviewer  # noqa: PLC0415
    from gracegate.settings import Settings  # noqa: PLC0415
    from gracegate.store import Store  # noqa: PLC0415

    settings = Settings.from_environment()
    logs.configure(settings)
    prepare_database(settings)
    # A worker writes much, and GitHub waits for the webhooks that wait for it. What it loses it does again.
    store = Store(settings.database, syncs_at_once=False)
    if bind:
        _serve_probes(settings, store, bind)
    prepare_renderer(settings)
    reviewer, reconciler = build_reviewer(settings, store), build_reconciler(settings, store)
    answer_steadily()
    run_worker(store, reviewer, reconciler, settings.jobs)


def _serve_probes(settings: Settings, store: Store, bind: str) -> None:
    from gracegate.cli.readiness import readiness_checks  # noqa: PLC0415
    from gracegate.web import serve_probes  # noqa: PLC0415 - a worker without probes does without Flask

    serve_probes(bind, store, readiness_checks(settings, store))
