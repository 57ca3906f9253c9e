"""`gracegate audit`: what the App has written to GitHub, newest first."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from gracegate import settings
from gracegate.cli.main import CLEAN
from gracegate.cli.terminal import progress, write_output
from gracegate.errors import ConfigError
from gracegate.store import AuditFilter, AuditRow, Store, audit, sqlite_file

EPILOG = """
Each row is one request: when, its HTTP status (- without an answer, ? if the process ended before one came), the pull
request, what was written, and the run. Texts of comments and checks are not kept.
"""
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_time(_ctx: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """Seconds since the epoch: some time ago (30m, 12h, 7d, 2w), or a date or time of ISO 8601, in UTC by default."""
    if value is None:
        return None
    try:
        if ago := re.fullmatch(r"(\d{1,6})([mhdw])", value):
            time = dt.datetime.now(dt.UTC) - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            time = dt.datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        raise click.BadParameter("write 12h or 7d, or a date such as 2030-01-31 or 2030-01-31T08:00") from None
    return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp()


@click.command("audit", epilog=EPILOG)
@click.option("--repository", metavar="OWNER/NAME", help="Only of this repository, by its name at that time.")
@click.option("--pull-request", "number", type=int, metavar="NUMBER", help="Only of this pull request.")
@click.option("--run", "run_id", metavar="ID", help="Only of this run, which is named by its webhook delivery.")
@click.option("--since", callback=parse_time, metavar="TIME", help="Only since then: 12h or 7d ago, or a date.")
@click.option("--before", type=int, metavar="ID", help="Only rows older than this one: the next page.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many rows.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(limit: int, form: str, **which: Any) -> int:
    """List what the GitHub App has written to GitHub, newest first, and why.

    Reads the database of the service: GRACEGATE_DATABASE, or the SQLite file in GRACEGATE_DATA_DIR.
    """
    store = open_store()
    try:
        with progress("Reading the audit log"):
            rows = find_rows(store, AuditFilter(**which), limit + 1)
    finally:
        store.close()
    oldest = rows[limit - 1].id if len(rows) > limit else None
    if form == "json":
        write_output(render_json(rows[:limit], oldest))
        return CLEAN
    write_output(render_text(rows[:limit]))
    if not rows:
        click.echo("No writes to GitHub match.", err=True)
    if oldest is not None:
        click.echo(f"There are older ones: add `--before {oldest}`.", err=True)
    return CLEAN


def open_store() -> Store:
    """The database of the service. Raises ConfigError if there is none: reading must not create one."""
    url = settings.database()
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        raise ConfigError(
            f"there is no database at {file}: set GRACEGATE_DATABASE or GRACEGATE_DATA_DIR as for the service"
        )
    return Store(url)


def find_rows(store: Store, which: AuditFilter, limit: int) -> list[AuditRow]:
    """Raises ConfigError if the service has not migrated the database yet."""
    if problem := store.check_readiness():
        raise ConfigError(problem)
    with store.reading() as tx:
        return audit.find(tx, which, limit)


def render_json(rows: Sequence[AuditRow], before: int | None) -> str:
    """The rows, and what `--before` needs for the next page."""
    writes = [{**asdict(row), "at": _time(row.at)} for row in rows]
    return json.dumps({"writes": writes, "before": before}, indent=2) + "\n"


def render_text(rows: Sequence[AuditRow]) -> str:
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "".join(f"{line}\n" for line in lines)


def _cells(row: AuditRow) -> tuple[str, ...]:
    status = "?" if row.status is None else str(row.status or "-")
    pull = f"{row.repository}#{row.number}" if row.number else row.repository or "-"
    what = row.summary or f"{row.method} {row.path}"
    return (_time(row.at), status, pull, what, f"run {row.run_id}" if row.run_id else "")


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="seconds")
