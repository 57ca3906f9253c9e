"""What `make faults` makes of what it finds."""

from __future__ import annotations

import pytest

from tests.bench.faults import EXEMPTIONS, Request, report

READ = Request("GET", "/repos/REPOSITORY/pulls/NUMBER", 1, 0)
EDIT = Request("PATCH", "/repos/REPOSITORY/pulls/comments/NUMBER", 0, 1)


@pytest.mark.parametrize(
    ("request_", "changed", "cell"),
    [
        pytest.param(READ, set(), "=", id="as undisturbed"),
        pytest.param(READ, {"conclusion"}, "FAIL", id="another verdict"),
        pytest.param(EDIT, {"text", "comments"}, "2", id="exempt"),
        pytest.param(EDIT, {"text", "comments", "reviews"}, "FAIL", id="more than what is exempt"),
        pytest.param(EDIT, set(), "FAIL", id="exempt in vain"),
    ],
)
def test_only_what_is_argued_may_differ(
    request_: Request, changed: set[str], cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report([request_], ["422"], {(request_, "422"): frozenset(changed)}) == (cell != "FAIL")
    assert capsys.readouterr().out.splitlines()[2].split()[-1] == cell


def test_no_exemption_is_about_the_verdict() -> None:
    assert {part for one in EXEMPTIONS for part in one.parts} <= {"annotations", "comments", "reviews", "text"}


def test_a_request_is_found_by_its_path_in_one_repository() -> None:
    request = Request("GET", "/repos/REPOSITORY/commits/SHA/check-runs", 0, 0)
    assert request.pattern("a.b/web", 7) == r"^/repos/a\.b/web/commits/[0-9a-f]{40}/check\-runs$"
    token = Request("POST", "/app/installations/INSTALLATION/access_tokens", 1, 0)
    assert (token.name, token.pattern("a.b/web", 7)) == (
        "POST /app/installations/INSTALLATION/access_tokens (2)",
        "^/app/installations/7/access_tokens$",
    )
