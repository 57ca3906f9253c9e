"""Alembic runs this file for each upgrade; the connection comes from `upgrade`."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
