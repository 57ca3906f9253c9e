"""An independent parser: PyYAML's pure Python parser, and a second implementation of Kubernetes' scalar rules."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from yaml import composer, parser, reader, resolver, scanner

_TRUE = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"}
_FALSE = {"n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"}
_NULL = {"", "~", "null", "Null", "NULL"}


class _Composer(reader.Reader, scanner.Scanner, parser.Parser, composer.Composer, resolver.BaseResolver):
    """PyYAML without its own rules for plain scalars."""

    def __init__(self, text: str) -> None:
        reader.Reader.__init__(self, text)
        scanner.Scanner.__init__(self)
        parser.Parser.__init__(self)
        composer.Composer.__init__(self)
        resolver.BaseResolver.__init__(self)


def load_all(text: str) -> list[Any]:
    """The values of all YAML documents, or of the one JSON document."""
    bare = text.removeprefix("\ufeff")
    if bare.lstrip()[:1] == "{":
        return [json.loads(bare)]
    source, values = _Composer(text), []
    while source.check_node():
        values.append(_value(source.get_node()))
    return values


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style else _plain(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    result: dict[str, Any] = {}
    merged: list[yaml.Node] = []
    for key, child in node.value:
        if key.value == "<<" and not key.style:
            merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
        else:
            name = _value(key)
            result[str(name).lower() if isinstance(name, bool) else str(name)] = _value(child)
    for source in merged:
        for name, value in _value(source).items():
            result.setdefault(name, value)
    return result


def _plain(text: str) -> Any:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _NULL:
        return None
    digits = text.replace("_", "") if text[0] in "+-0123456789" else text
    if octal := re.fullmatch(r"([-+]?)0([0-7]+)", digits):
        return int(octal[1] + octal[2], 8)
    if re.fullmatch(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0|[1-9][0-9]*)", digits):
        return int(digits, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", digits):
        number = float(digits)
        return int(number) if number == int(number) and abs(number) < 2**53 else number
    return text
