"""`gracegate policy import`: makes policies for another tool part of a policy set, without touching them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import click

from gracegate import settings
from gracegate.cli.main import CLEAN
from gracegate.cli.policies import format_option, write_json
from gracegate.cli.terminal import write_output
from gracegate.errors import InputError
from gracegate.outputs import enumeration, plural
from gracegate.policy.sets import ReadPolicies, read_foreign, read_foreign_folder
from gracegate.repo_config import FOREIGN_TOOLS, POLICIES_FILE, ForeignEntry, parse_policies_file


@click.command("import")
@click.argument("tool", type=click.Choice(FOREIGN_TOOLS))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@format_option
def command(tool: str, folder: Path, form: Literal["text", "json"]) -> int:
    """Use policies for conftest or Gatekeeper as they are.

    FOLDER holds them, below the working directory, which is or becomes a policy set: its gracegate-policies.yaml names
    the folder from now on. Shown is what is understood, and what is not.
    """
    top = Path.cwd()
    if not folder.resolve().is_relative_to(top.resolve()):
        raise InputError(f"{folder} is not below the working directory, which the policy set is in")
    path = folder.resolve().relative_to(top.resolve()).as_posix()
    entry = ForeignEntry(tool, path, ("*",)) if tool == "conftest" else ForeignEntry(tool, path)
    found = read_foreign(read_foreign_folder(top, entry), settings.find_opa())
    line = _entry(entry, found)
    is_written = _write(top / POLICIES_FILE, line)
    if form == "json":
        write_json({**_values(found), "tool": tool, "path": path, "entry": line, "is_written": is_written})
        return CLEAN
    write_output("".join(f"{line}\n" for line in _summary(found, tool)))
    if is_written:
        click.echo(f"{POLICIES_FILE} names them now.", err=True)
    else:
        click.echo(f"{POLICIES_FILE} has `foreign` already; add this line to it:\n{line}", err=True)
    return CLEAN


def _values(found: ReadPolicies) -> dict[str, Any]:
    rules = [one.rule for one in found.policies.rules]
    return {
        "rules": [{"id": rule.id, "severity": rule.severity, "title": rule.title} for rule in rules],
        "rego_v0": sorted(found.policies.v0),
        "combined": [*found.combined],
        "left_out": [{"name": one.name, "reason": one.reason} for one in found.skipped],
    }


def _summary(found: ReadPolicies, tool: str) -> Iterator[str]:
    rules = found.policies.rules
    width = max(len(one.rule.id) for one in rules)
    yield f"{plural(len(rules), 'rule')} for {tool}, {plural(len(found.policies.v0), 'file')} in Rego v0:"
    for one in rules:
        yield f"  {one.rule.id:{width}}  {one.rule.severity:7}  {one.rule.title}"
    if found.combined:
        yield f"Asked about all files at once, as with --combine: {enumeration(found.combined)}"
    if found.skipped:
        yield f"Left out: {plural(len(found.skipped), 'constraint')}"
        yield from (f"  {one.name}: {one.reason}" for one in found.skipped)


def _entry(entry: ForeignEntry, found: ReadPolicies) -> str:
    """The line of gracegate-policies.yaml that names the folder, with the packages that have rules now."""
    lists = {"namespaces": found.packages, "combine": found.combined}
    packages = (f", {key}: [{', '.join(names)}]" for key, names in lists.items() if names)
    return f"- {{kind: {entry.tool}, path: {entry.path}{''.join(packages)}}}"


def _write(file: Path, line: str) -> bool:
    """Writes the line into the file, unless it has such lines. Raises InputError where it cannot be written."""
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        described = parse_policies_file(text, str(file))
        if described.foreign:
            return False
        file.write_text(f"{text.rstrip()}\nforeign:\n{line}\n".lstrip(), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be written: {error}", file=str(file)) from error
    return True
