"""The same answer from OPA's server and from the rules in Wasm, whatever the manifests hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gracegate.policy.opa_server import ChildEngine
from gracegate.policy.opa_wasm import WasmEngine

RELAXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

# Python and Go need not know the same version of Unicode: characters that one of them has not yet are left out.
text = st.text(st.characters(exclude_categories=["Cs", "Cn"]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-3, 300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3))
templates = st.lists(st.sampled_from(["%s", "%d", "%v", "%q", "%%", "%q and %v", "é", " "]), max_size=4).map("".join)


def canonical(report: Any) -> Any:
    """A report with its lists as sets, which they are to the contract."""
    violations = sorted(json.dumps(raw, sort_keys=True) for raw in report["violations"])
    return {**report, "rules": sorted(report["rules"]), "violations": violations}


@pytest.fixture(scope="session")
def small_wasm(small: Path) -> WasmEngine:
    return WasmEngine(small)


@RELAXED
@given(st.lists(st.tuples(templates, st.lists(values, max_size=4)), max_size=20))
@example([("%v %d %s %q", [number] * 4) for number in (0, 39, -1, 2**63 - 1, 2**63, 1e6, 1e21, 1e-5, -0.0, 0.1, 3.0)])
@example([("%q", ["\x00\x07\x7f\x85\xad\u200b\u2028\ufffd\U0001f600\"'\\"])])
def test_messages_read_the_same(
    small_wasm: WasmEngine, server: ChildEngine, cases: list[tuple[str, list[Any]]]
) -> None:
    documents = [{"object": {"template": template, "values": given}} for template, given in cases]
    question = {"documents": documents, "rules": ["formatted"]}
    assert canonical(small_wasm.evaluate(question)) == canonical(server.evaluate(question))
