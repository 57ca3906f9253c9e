"""The values of what is rendered: most objects of base, head and each fix are the same text again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from gracegate.model import Limits
from gracegate.yaml import json_value, parse_yaml

_MAX_CHARACTERS = 8_000_000


class RenderedValues:
    """Reads YAML documents, and keeps the values of those that were used last, of at most `max_characters` together.

    Nobody may change a value.
    """

    def __init__(self, max_characters: int = _MAX_CHARACTERS) -> None:
        self._max_characters = max_characters
        self._values: OrderedDict[str, Any] = OrderedDict()
        self._characters = 0

    def of(self, document: str, limits: Limits) -> Any:
        """The value of a YAML document, always read with the same limits. Raises YamlError where it cannot be read."""
        if document in self._values:
            self._values.move_to_end(document)
            return self._values[document]
        value = self._values[document] = json_value(document, parse_yaml(document, limits))
        self._characters += len(document)
        while self._characters > self._max_characters:
            oldest, _ = self._values.popitem(last=False)
            self._characters -= len(oldest)
        return value
