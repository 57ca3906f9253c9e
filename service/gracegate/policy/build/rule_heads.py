"""What the file of a rule may define, and in which form; in the texts of modules as `opa fmt` writes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gracegate.errors import RulesError

_STATEMENTS = frozenset({"default", "import", "package"})
_SETS = ("violation", "fix", "related", "possible", "steps")
_HEAD = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<rest>.*)")


def check_rule_heads(modules: Mapping[str, str]) -> None:
    """Raises RulesError, with file and line, for the first rule whose head has another form than the contract's."""
    for file, text in modules.items():
        for line, content in enumerate(text.splitlines(), 1):
            head = _HEAD.match(content)
            if head is None or head["name"] in _STATEMENTS:
                continue
            if head["rest"].startswith("["):
                raise RulesError(
                    f"OPA builds the partial object `{head['name']}` in quadratic time: "
                    f"write `{head['name']} contains ...`, or a comprehension",
                    file=file,
                    line=line,
                )
            if file.startswith("rules/") and not head["name"].startswith("_"):
                _check_public_head(head, file, line)


def _check_public_head(head: re.Match[str], file: str, line: int) -> None:
    name = head["name"]
    if name not in _SETS:
        known = ", ".join(_SETS)
        raise RulesError(f"main reads {known} of a rule, not `{name}`: write `_{name}`", file=file, line=line)
    if not head["rest"].startswith(" contains "):
        raise RulesError(f"`{name}` of a rule is a set: write `{name} contains ...`", file=file, line=line)
