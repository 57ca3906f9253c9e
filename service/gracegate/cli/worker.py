"""`gracegate worker`: do the reviews that webhooks have asked for."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Do reviews until SIGTERM, which finishes or hands back what is running.

    One machine needs no more than `gracegate serve`. Settings come from the environment (GRACEGATE_*).
    """
    from gracegate.cli import logs  # noqa: PLC0415 - `gracegate --help` does without the service
    from gracegate.jobs import prepare_queue, run_worker  # noqa: PLC0415
    from gracegate.review import build_reviewer  # noqa: PLC0415
    from gracegate.settings import Settings  # noqa: PLC0415
    from gracegate.store import Store  # noqa: PLC0415

    settings = Settings.from_environment()
    logs.configure(settings)
    store = Store(settings.database)
    prepare_queue(store, settings.jobs)
    store.close()
    run_worker(settings, build_reviewer(settings))
