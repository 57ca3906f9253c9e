"""`gracegate policy rollback`: the service uses the version before of a policy set again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gracegate import settings
from gracegate.cli.main import CLEAN, FINDINGS
from gracegate.errors import ConfigError

if TYPE_CHECKING:
    from gracegate.model import PolicyRecord, PolicyVersion


@click.command("rollback")
@click.argument("name")
def command(name: str) -> int:
    """Use the version before of the policy set NAME again, in all reviews that begin from now on.

    It is used until the source has another version than the one that is rolled back. This is for the operator: it
    changes the database of the service, GRACEGATE_DATABASE.

    \b
    Exit codes:
      0  the version before is in use
      1  there is none
      2  there is no such policy set, or no database
    """
    from gracegate.store import Store, policy_sets, sqlite_file  # noqa: PLC0415 - the other commands do without

    url = settings.database()
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise ConfigError(f"there is no database at {file}: set GRACEGATE_DATABASE as for the service")
    store = Store(url)
    try:
        with store.transaction() as tx:
            records = policy_sets.read_named(tx, name)
            if not records:
                known = ", ".join(one.name for one in policy_sets.read_named(tx, "")) or "none"
                raise ConfigError(f"no policy set called {name} is in use; in use: {known}")
            changed = [record for record in records if policy_sets.roll_back(tx, record.source)]
    finally:
        store.close()
    for record in changed:
        click.echo(_outcome(record))
    if not changed:
        click.echo(f"{name}: the service has used no other version before {_words(records[0].active)}", err=True)
    return CLEAN if changed else FINDINGS


def _outcome(record: PolicyRecord) -> str:
    before, after = _words(record.previous), _words(record.active)
    return f"{record.name}: {before} is in use again, until {record.source} has another version than {after}"


def _words(version: PolicyVersion | None) -> str:
    if version is None:
        return "the first one"
    commit = version.commit.removeprefix("sha256:")[:12]
    return f"{commit} ({version.digest[:12]})" if commit else version.digest[:12]
