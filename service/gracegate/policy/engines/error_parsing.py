"""Which rule OPA's error messages are about."""

from __future__ import annotations

import re

_RULE_FILE = re.compile(r"rules/[a-z0-9_-]+/([a-z0-9_]+)\.rego\b")


def rules_named_in(text: str) -> tuple[str, ...]:
    """The ids of the rules whose files `text` names, in its order; empty where it names only shared files or none."""
    return tuple(dict.fromkeys(name.replace("_", "-") for name in _RULE_FILE.findall(text)))
