"""The command line: a module per command, imported when the command is given."""

from __future__ import annotations

from gracegate.cli.main import main

__all__ = ["main"]
