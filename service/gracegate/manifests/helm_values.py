"""Values of a chart by their paths, as `helm --set` takes them."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"((?:\\.|[^\\.])+)(?:\.|$)", re.DOTALL)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)")
_WORDS = {"true": True, "false": False, "null": None}


def set_value(values: dict[str, Any], path: str, value: str, *, as_text: bool = False) -> bool:
    """Puts a value at a path such as `web.nodeSelector.kubernetes\\.io/os`; False where the path is of another form.

    An item of a list has no place here: which list it is of is known only when all values are merged.
    """
    if "[" in path or "]" in path or path.endswith("\\"):
        return False
    steps = [re.sub(r"\\(.)", r"\1", step) for step in _STEP.findall(path)]
    if not steps or "".join(match[0] for match in _STEP.finditer(path)) != path or path.endswith("."):
        return False
    for step in steps[:-1]:
        inner = values.setdefault(step, {})
        if not isinstance(inner, dict):
            inner = values[step] = {}
        values = inner
    values[steps[-1]] = value if as_text else _typed(value)
    return True


def _typed(value: str) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    return int(value) if _INTEGER.fullmatch(value) else value
