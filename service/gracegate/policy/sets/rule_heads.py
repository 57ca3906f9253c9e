"""What the file of a rule may define, and in which form; in the texts of modules as `opa fmt` writes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gracegate.errors import RulesError

_STATEMENTS = frozenset({"default", "import", "package"})
_SETS = ("violation", "fix", "related", "possible", "steps")
_HEAD = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<rest>.*)")


def check_rule_heads(modules: Mapping[str, str]) -> None:
    """Raises RulesError with the file and line of every rule whose head has another form than the contract's."""
    if mistakes := [*_mistakes(modules)]:
        raise RulesError.of(mistakes)


def _mistakes(modules: Mapping[str, str]) -> Iterator[RulesError]:
    for file, text in modules.items():
        for line, content in enumerate(text.splitlines(), 1):
            head = _HEAD.match(content)
            if head is None or head["name"] in _STATEMENTS:
                continue
            if head["rest"].startswith("["):
                yield RulesError(
                    f"OPA builds the partial object `{head['name']}` in quadratic time: "
                    f"write `{head['name']} contains ...`, or a comprehension",
                    file=file,
                    line=line,
                )
            elif file.startswith("rules/") and not head["name"].startswith("_"):
                yield from _public_head_mistakes(head, file, line)


def defined_names(text: str) -> frozenset[str]:
    """The names that a module defines, also those of functions."""
    heads = (match for line in text.splitlines() if (match := _HEAD.match(line)) is not None)
    return frozenset(head["name"] for head in heads if head["name"] not in _STATEMENTS)


def _public_head_mistakes(head: re.Match[str], file: str, line: int) -> Iterator[RulesError]:
    name = head["name"]
    if name not in _SETS:
        known = ", ".join(_SETS)
        yield RulesError(f"main reads {known} of a rule, not `{name}`: write `_{name}`", file=file, line=line)
    elif not head["rest"].startswith(" contains "):
        yield RulesError(f"`{name}` of a rule is a set: write `{name} contains ...`", file=file, line=line)
