"""A change of policies that nobody evaluates is named: a green check would say that they are fine."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gracegate.check import check
from gracegate.manifests import render_nothing
from tests.check.reports import request_of

SAID = "changed, not evaluated: this check tests no policies but those of the sets that it uses."


@pytest.mark.parametrize(
    ("base", "head", "problems"),
    [
        pytest.param({"policy/deny.rego": "a"}, {"policy/deny.rego": "a"}, [], id="no change"),
        pytest.param({}, {"README.md": "a", "deny.rego.md": "a"}, [], id="other files"),
        pytest.param({}, {"vendor/deny.rego": "a"}, [], id="excluded"),
        pytest.param({}, {"deny.rego": "a"}, [("deny.rego", f"1 Rego file {SAID}")], id="added"),
        pytest.param({"deny.rego": "a"}, {}, [("deny.rego", f"1 Rego file {SAID}")], id="removed"),
        pytest.param(
            {"b.rego": "a"}, {"b.rego": "b", "a_test.rego": "a"}, [("a_test.rego", f"2 Rego files {SAID}")], id="two"
        ),
    ],
)
def test_changed_policies(base: Mapping[str, str], head: Mapping[str, str], problems: list[tuple[str, str]]) -> None:
    report = check(request_of(base, head, "exclude: [vendor/**]\n"), render_nothing)
    assert [(one.file, one.message) for one in report.problems] == problems
    assert (report.verdict, report.has_remarks) == ("pass", bool(problems))
