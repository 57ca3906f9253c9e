"""The example of a rule: the honest baseline with the few changes that make it wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gracegate.model import Operation
from gracegate.policy import conventional_order
from gracegate.yaml import LineIndex, YamlDocument, parse_yaml
from gracegate.yaml_edit import EditRefused, edit_document

BASELINE_FILE = "examples/baseline.yaml"

_SEPARATOR = "---\n"
_OPERATIONS = ("add", "replace", "remove")


class StepError(ValueError):
    """A step of an example that is malformed or does not apply; the message says why."""


class Example:
    """The documents of the baseline, by number from 0, while steps are applied to them."""

    def __init__(self, baseline: str) -> None:
        self._documents: dict[int, str] = dict(enumerate(baseline.split(_SEPARATOR)))

    @property
    def text(self) -> str:
        return _SEPARATOR.join(self._documents[number] for number in sorted(self._documents))

    def apply(self, step: Any) -> None:
        """Applies `{op, path, value, document}`, the operation of a fix. `document` is 0 where it is left out.

        With an empty path a whole document is removed, or added as the text `value` under a new number. Raises
        StepError.
        """
        if not isinstance(step, Mapping) or step.get("op") not in _OPERATIONS:
            raise StepError(f"`op` is one of {', '.join(_OPERATIONS)}")
        wanted = {"op", "path"} if step["op"] == "remove" else {"op", "path", "value"}
        if step.keys() - {"document"} != wanted or not isinstance(step["path"], list):
            raise StepError(f"a step `{step['op']}` has {', '.join(sorted(wanted))} and can have document")
        number = step.get("document", 0)
        if not step["path"] and step["op"] == "add":
            if number in self._documents or not isinstance(step["value"], str):
                raise StepError("a new document needs a number of its own, and its text as the value")
            self._documents[number] = step["value"]
            return
        if number not in self._documents:
            raise StepError(f"there is no document {number}")
        if not step["path"] and step["op"] == "remove":
            del self._documents[number]
        else:
            operation = Operation(step["op"], tuple(step["path"]), conventional_order(step.get("value")))
            self._documents[number] = _edit(self._documents[number], operation)


def _edit(text: str, operation: Operation) -> str:
    root = parse_yaml(text)
    if root is None:
        raise StepError("the document is empty")
    try:
        return edit_document(YamlDocument(text, root, LineIndex(text), 1), [operation]).text
    except EditRefused as error:
        raise StepError(f"it does not apply: {error}") from error
