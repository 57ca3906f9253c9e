"""What `make policies` makes last: a page per rule, with its example before and after the fix.

    python -m gracegate.cli.pages [--check] [FOLDER]

`--check` writes nothing, and ends with 1 where the pages of the folder are not those that would be written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from gracegate.cli.explain import Explained, explain, joined, waiving
from gracegate.errors import RulesError
from gracegate.outputs.markdown import fence, prose
from gracegate.outputs.review import change_blocks
from gracegate.outputs.words import MARKS
from gracegate.policy import catalog
from gracegate.policy.compile import settle
from gracegate.policy.handbook import FIXES, GENERATED, PAGES
from gracegate.policy.opa_wasm import WasmEngine


def build(folder: Path) -> dict[str, bytes]:
    """The pages by path inside the folder; what was compiled of its rules has to be fresh, else RulesError."""
    rules = catalog.load(folder)
    wasm = WasmEngine(folder)
    explained = (explain(rule, rules, wasm.engine, wasm.evaluate) for rule in rules.rules.values())
    return {f"{PAGES}/{one.rule.id}.md": page(one).encode() for one in explained}


def page(explained: Explained) -> str:
    """Everything about one rule, in Markdown."""
    return "\n\n".join(_parts(explained)) + "\n"


def _parts(explained: Explained) -> Iterator[str]:
    rule = explained.rule
    yield f"{GENERATED}\n\n# {rule.id}\n\n**{rule.title}.**\n\n{rule.description}"
    yield f"Level: {rule.severity}{_day(explained)}. Fix: {FIXES[rule.fix]}."
    if rule.aliases:
        yield f"Also known as {', '.join(f'`{alias}`' for alias in rule.aliases)}."
    yield f"## What it finds\n\n{fence(rule.example.rstrip(), 'yaml')}"
    yield f"> {MARKS[explained.finding.severity]} {prose(explained.finding.message)}"
    yield from _fix(explained)
    if rule.parameters:
        rows = (f"| `{p.name}` | `{json.dumps(p.default)}` | {joined(p.description)} |" for p in rule.parameters)
        yield "\n".join(["## Parameters\n", "| parameter | default | meaning |", "|---|---|---|", *rows])
    yield "\n\n".join(["## Exceptions", *_listed(map(joined, rule.exceptions)), prose(waiving(rule))])
    yield "\n\n".join(["## Read more", *_listed(f"<{link}>" for link in rule.links)])


def _listed(texts: Iterable[str]) -> list[str]:
    items = "\n".join(f"- {text}" for text in texts)
    return [items] if items else []


def _day(explained: Explained) -> str:
    day = explained.rule.effective_on
    return f", a warning before {day}" if day else ""


def _fix(explained: Explained) -> Iterator[str]:
    told = change_blocks([explained.finding_but_patch])
    if explained.after is not None:
        yield f"## After the fix\n\n{fence(explained.after.rstrip(), 'yaml')}"
    elif told:
        yield "## The fix"
    yield from told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gracegate.cli.pages", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=catalog.builtin_policies())
    parser.add_argument("--check", action="store_true", help="only say whether the pages are fresh")
    chosen = parser.parse_args(arguments)
    try:
        made = build(chosen.folder)
    except RulesError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    left = [path for path in chosen.folder.glob(f"{PAGES}/*") if path.relative_to(chosen.folder).as_posix() not in made]
    for path in left:
        if chosen.check:
            sys.stderr.write(f"{path} is the page of no rule: run `make policies`\n")
        else:
            path.unlink()
    return settle(chosen.folder, made, check=chosen.check) or int(chosen.check and bool(left))


if __name__ == "__main__":
    sys.exit(main())
