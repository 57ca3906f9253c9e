"""`gracegate worker`: do the reviews that webhooks have queued."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Do reviews until SIGTERM, which finishes the running ones or queues them again.

    On one machine `gracegate serve` is enough. Settings are environment variables (GRACEGATE_*).
    """
    from gracegate.cli import logs  # noqa: PLC0415 - `gracegate --help` does without the service
    from gracegate.cli.serve import prepare_database  # noqa: PLC0415
    from gracegate.jobs import run_worker  # noqa: PLC0415
    from gracegate.review import build_reviewer  # noqa: PLC0415
    from gracegate.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environment()
    logs.configure(settings)
    prepare_database(settings)
    run_worker(settings, build_reviewer(settings))
