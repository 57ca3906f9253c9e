"""`gracegate policy playground`: the playground on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from gracegate import settings
from gracegate.cli.main import CLEAN
from gracegate.errors import InputError
from gracegate.outputs import PlaygroundForm
from gracegate.review import Playground
from gracegate.web import serve_playground

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("playground")
@click.argument("rule", required=False, type=_file)
@click.argument("manifests", required=False, type=_file)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen.  [default: a free port]")
def command(rule: Path | None, manifests: Path | None, port: int) -> int:
    """Write a rule and manifests in a browser, and see the review of these change.

    The page begins with the texts of RULE, a Rego file, and of MANIFESTS, or with an example. It is served on this
    machine alone, and writes no file.
    """
    start = None if rule is None else PlaygroundForm(_text(rule), "" if manifests is None else _text(manifests))
    with tempfile.TemporaryDirectory(prefix="gracegate-") as folder:
        reviews = Playground(settings.installed_opa(), settings.cache_dir() or Path(folder))

        def say_where(used_port: int) -> None:
            click.echo(f"The playground is at http://127.0.0.1:{used_port}/playground. Ctrl-C ends it.")
            if not reviews.takes_rules:
                click.echo("There is no `opa` on PATH, so it evaluates the built-in rules alone.")

        try:
            serve_playground(reviews, start, port, say_where)
        except KeyboardInterrupt:
            click.echo()
    return CLEAN


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=str(path)) from error
