"""The questions that a policy set is asked, for those who want to see them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gracegate.policy.query import Evaluate


class Question(NamedTuple):
    """What was asked, and the seconds until it was answered."""

    opa_input: Mapping[str, Any]
    seconds: float


@dataclass(slots=True)
class Recording:
    """Answers as `answer` does, and keeps what it was asked, in order: the first question is about all documents."""

    answer: Evaluate
    questions: list[Question] = field(default_factory=list)

    def evaluate(self, opa_input: Mapping[str, Any]) -> Any:
        """The answer. What raises an error was asked too."""
        began = time.monotonic()
        try:
            return self.answer(opa_input)
        finally:
            self.questions.append(Question(opa_input, time.monotonic() - began))
