"""What the libraries know of rollouts: each shape that the contract does not allow is an error, never a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gracegate.errors import EngineError
from gracegate.model import ProbeTimes, RolloutFacts
from gracegate.policy import FoundRollout, SetNumber, Shutdown, ask_rollouts
from gracegate.policy.rollouts import Sender
from tests.policy.engines.test_query import DIGEST, batch

PROBE = {"initial_delay": 0, "period": 5, "success_threshold": 1, "connects": True}
FACTS = {
    "container": "web",
    "replicas": 3,
    "surge": 1,
    "unavailable": 0,
    "recreates": False,
    "min_ready": 0,
    "readiness": PROBE,
    "startup": None,
    "start": None,
    "prestop": 10,
    "grace": 30,
    "exposure": "cluster",
    "drain": 10,
    "publishes_unready": False,
    "gated": False,
}
STEP = {"name": "preStop", "seconds": 10, "path": ["spec", 0]}
SHUTDOWN = {"services": [{"document": 1, "seconds": 10}], "steps": [STEP], "grace": {**STEP, "name": "grace period"}}
KNOWN = {"document": 0, "facts": FACTS, "shutdown": SHUTDOWN}


def found(*raw: Any) -> tuple[FoundRollout, ...]:
    return answered({"rollouts": [*raw]})


def answered(report: Mapping[str, Any]) -> tuple[FoundRollout, ...]:
    def evaluate(given: Mapping[str, Any]) -> Any:
        assert (given["rules"], given["rollouts"]) == ([], True)
        return {"digest": DIGEST, "rules": [], "violations": [], **report}

    return ask_rollouts(evaluate, batch(), DIGEST)


def test_none() -> None:
    assert found() == ()


def test_rollouts_by_document() -> None:
    facts = RolloutFacts(**{**FACTS, "readiness": ProbeTimes(0, 5, 1, connects=True)})  # type: ignore[arg-type]
    shutdown = Shutdown(
        (Sender(1, 10),), (SetNumber("preStop", 10, ("spec", 0)),), SetNumber("grace period", 10, ("spec", 0))
    )
    assert found({"document": 1, "unknown": "unserved"}, KNOWN) == (
        FoundRollout(0, facts, shutdown),
        FoundRollout(1, "unserved"),
    )


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {"document": 0},
        {"document": 2, "unknown": "unserved"},
        {"document": "0", "unknown": "unserved"},
        {"document": 0, "unknown": "tired"},
        {**KNOWN, "unknown": "unserved"},
        {"document": 0, "facts": FACTS},
        *({**KNOWN, "facts": {**FACTS, name: "x"}} for name in FACTS if name != "container"),
        *({**KNOWN, "facts": {key: value for key, value in FACTS.items() if key != name}} for name in FACTS),
        *({**KNOWN, "facts": {**FACTS, name: -1}} for name in FACTS),
        {**KNOWN, "facts": {**FACTS, "replicas": 1.5}},
        {**KNOWN, "facts": {**FACTS, "replicas": True}},
        *({**KNOWN, "facts": {**FACTS, "startup": {**PROBE, name: None}}} for name in PROBE),
        {**KNOWN, "facts": {**FACTS, "exposure": {}}},
        {**KNOWN, "shutdown": None},
        {**KNOWN, "shutdown": {**SHUTDOWN, "services": None}},
        {**KNOWN, "shutdown": {**SHUTDOWN, "steps": {}}},
        {**KNOWN, "shutdown": {**SHUTDOWN, "services": [{"document": 9, "seconds": 1}]}},
        {**KNOWN, "shutdown": {**SHUTDOWN, "services": [{"document": 0, "seconds": None}]}},
        {**KNOWN, "shutdown": {**SHUTDOWN, "steps": [{**STEP, "path": [None]}]}},
        {**KNOWN, "shutdown": {**SHUTDOWN, "grace": {**STEP, "seconds": "1"}}},
    ],
)
def test_another_shape_is_an_error(raw: Any) -> None:
    with pytest.raises(EngineError):
        found(raw)


@pytest.mark.parametrize("report", [{}, {"rollouts": None}, {"rollouts": {}}])
def test_no_answer_is_an_error(report: Mapping[str, Any]) -> None:
    with pytest.raises(EngineError):
        answered(report)
