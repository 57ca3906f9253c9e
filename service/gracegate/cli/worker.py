"""`gracegate worker`: do the reviews that webhooks have asked for."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Do reviews until SIGTERM, which finishes or hands back what is running.

    One machine needs no more than `gracegate serve`. Settings come from the environment (GRACEGATE_*).
    """
    from gracegate.cli import logs  # noqa: PLC0415 - `gracegate --help` does without the service
    from gracegate.jobs import queue, review, worker  # noqa: PLC0415
    from gracegate.settings import Settings  # noqa: PLC0415
    from gracegate.store.database import Store  # noqa: PLC0415

    settings = Settings.from_environment()
    logs.configure(settings)
    store = Store(settings.database)
    queue.prepare(store, settings.jobs)
    store.close()
    worker.run(settings, review.reviewer(settings))
