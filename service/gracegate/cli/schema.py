"""`gracegate schema`: JSON Schemas, for editors and programs."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import click

from gracegate.cli.main import CLEAN
from gracegate.cli.request import CheckOptions, chosen_policies, policy_options
from gracegate.cli.terminal import write_output
from gracegate.repo_config import config_schema, policies_schema


@click.command("schema")
@click.argument("which", type=click.Choice(["config", "policies", "report"]), default="config")
@policy_options
def command(which: str, **options: Any) -> int:
    """Print the JSON Schema of a file: config (.gracegate.yaml), policies (gracegate-policies.yaml), report (--format
    json).

    \b
    Editors with the YAML language server complete and check the file by its first line:
      gracegate schema > .gracegate.schema.json
      # yaml-language-server: $schema=.gracegate.schema.json
    """
    if which == "report":
        write_output(files("gracegate.outputs").joinpath("report.schema.json").read_text(encoding="utf-8"))
    elif which == "policies":
        write_output(f"{json.dumps(policies_schema(), indent=2)}\n")
    else:
        with chosen_policies(CheckOptions(**options)) as chosen:
            write_output(f"{json.dumps(config_schema(chosen.rules.values()), indent=2)}\n")
    return CLEAN
