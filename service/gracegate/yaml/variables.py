"""Variables that another program fills in before a manifest is applied, and the comments in which ytt writes them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

YTT = "#@"
# A value in a comment, as in `replicas: #@ data.values.replicas`; it counts even if a value stands before it.
_YTT_VALUE = re.compile(r"[ \t]*(#@ [^\n]*)")
# Of envsubst, Flux, OpenShift, make, Helm, Jinja, ytt, autoconf and Windows, and what people write to be replaced; not
# what a strategic merge patch says of itself, as `$patch: delete`.
_VARIABLE = re.compile(
    "|".join(
        (
            r"\$\{\{?[^{}]*\}\}?|\$\([^()]*\)",
            r"\$(?!(?:deleteFromPrimitiveList|patch|retainKeys|setElementOrder)\b)\w+",
            r"\{\{.*?\}\}|\{%.*?%\}|#@ .*",
            r"@[A-Za-z_]\w*@|%[A-Za-z_]\w*%|<[A-Za-z][\w.-]*>",
        )
    )
)


def ytt_value(text: str, end: int) -> str | None:
    """The comment in which ytt writes the value of a scalar that ends at that offset of `text`; None without one."""
    match = _YTT_VALUE.match(text, end)
    return match[1].rstrip() if match else None


def variables(value: Any) -> Counter[str]:
    """How often each variable stands in the keys and scalars of a JSON value."""
    found: Counter[str] = Counter()
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            found.update(_VARIABLE.findall(item))
        elif isinstance(item, dict):
            pending += [*item, *item.values()]
        elif isinstance(item, list):
            pending += item
    return found
