"""The waiver for one object, as a person has asked for it: written for .gracegate.yaml, and compared with what it does;
pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gracegate.errors import InputError
from gracegate.model import Finding, Operation, Report
from gracegate.outputs import enumeration, location, object_name
from gracegate.review.commands import Waive
from gracegate.yaml import LineIndex, YamlDocument, YamlError, parse_yaml
from gracegate.yaml_edit import EditRefused, edit_document, entry_lines


def findings_to_waive(command: Waive, report: Report) -> tuple[Finding, ...]:
    """The findings that the command means, all in one object of one file. Raises InputError where there are none, or
    where several objects are meant."""
    of_rule = [f for f in report.findings if f.rule == command.rule and f.is_waivable]
    named = [f for f in of_rule if command.object.means(f.object, f.container, f.file)]
    objects = {(f.object, f.file) for f in named}
    if not named:
        others = {object_name(f.object): None for f in of_rule if f.waiver is None}
        where = f"it finds something in {enumeration(f'`{name}`' for name in others)}" if others else "nor elsewhere"
        raise InputError(f'"{command.rule}" finds nothing in "{command.object}" of this change, {where}.')
    if len(objects) > 1:
        names = enumeration(f"`{object_name(ref)} in {file}`" for ref, file in sorted(objects, key=str))
        raise InputError(f'"{command.object}" may be {names}; name one of them so.')
    unwaived = tuple(f for f in named if f.waiver is None)
    if not unwaived and (waiver := named[0].waiver) is not None:
        raise InputError(f'It is waived already, at "{location(waiver.file, waiver.line)}".')
    return unwaived


def waiver_item(command: Waive, findings: Sequence[Finding]) -> dict[str, Any]:
    """The entry of `waivers` that covers these findings of one object."""
    first = findings[0]
    item: dict[str, Any] = {"rules": [command.rule], "path": _literal(first.file), "kind": first.object.kind}
    if first.object.namespace:
        item["namespace"] = first.object.namespace
    item["name"] = _literal(first.object.name)
    if command.object.container:
        item["container"] = first.container
    return {**item, "reason": command.reason, "until": command.until.isoformat()}


def waiver_snippet(item: Mapping[str, Any], *, is_first: bool = True) -> str:
    """The waiver to copy: the list with it, or the entry alone where there is a list."""
    lines = entry_lines("waivers", [dict(item)], 0)
    return "\n".join(lines if is_first else lines[1:])


def has_waivers(config: str) -> bool:
    """Whether a configuration, which may be broken, has the list already."""
    return any(line.startswith("waivers:") for line in config.split("\n"))


def with_waiver(config: str, item: Mapping[str, Any]) -> str:
    """The text of .gracegate.yaml with one more waiver. Raises InputError where it cannot be edited safely."""
    try:
        root = parse_yaml(config)
        if root is None:
            return f"{config.rstrip()}\n{waiver_snippet(item)}\n".lstrip()
        document = YamlDocument(config, root, LineIndex(config), 1)
        return edit_document(document, [Operation("add", ("waivers", "-"), dict(item))]).text
    except (YamlError, EditRefused) as error:
        message = "The configuration of the base branch cannot be edited safely; write the waiver into it by hand."
        raise InputError(message) from error


def check_effect(before: Report, after: Report, findings: Sequence[Finding], command: Waive) -> None:
    """Raise InputError unless the second report, made with the waiver, differs only in that these findings are
    waived by it."""
    meant = {f.id for f in findings}
    waived_before = {f.id: f.waiver for f in before.findings}
    newly = {f.id: f.waiver for f in after.findings if f.waiver is not None and waived_before.get(f.id) is None}
    is_exact = newly.keys() == meant and {f.id for f in before.findings} == {f.id for f in after.findings}
    is_told = all((w.reason, w.until) == (command.reason, command.until.isoformat()) for w in newly.values())
    if not is_exact or not is_told:
        raise InputError("No waiver was found that covers exactly this: write it into the configuration by hand.")


def _literal(text: str) -> str:
    """A glob that matches this text alone."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in text)
