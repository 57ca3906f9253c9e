"""The history of the tables, by Alembic.

To change a table, change tables.py and add a script to `versions/` whose `down_revision` is the newest revision. A test
compares the tables that the scripts make with those of tables.py.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from gracegate.errors import ConfigError

# The key of our advisory lock: any number that no other program uses in this database.
_LOCK = 4_208_221_107


def upgrade(tx: sa.Connection, revision: str = "head") -> None:
    """Bring the tables to `revision`, in the caller's transaction. Processes that start at once wait for each other.

    SQLite's lock is the transaction itself, see database.py. Raises ConfigError if a newer gracegate made the tables.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    config = _config()
    config.attributes["connection"] = tx
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise ConfigError(f"GRACEGATE_DATABASE was used by a newer gracegate, start that one ({error})") from error


def is_current(connection: sa.Connection) -> bool:
    """Whether the tables are of the newest revision that this version knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
