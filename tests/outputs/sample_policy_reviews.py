"""Reviews of policy sets as their check shows them: the messages are those of the gate and of the tests."""

from __future__ import annotations

from gracegate.model import PolicyFinding, PolicyReview, ReviewedRule

RULE = "rules/acme/memory_limit_missing.rego"
QUOTA = "rules/acme/quota.rego"

BROKEN = PolicyReview(
    "acme",
    "",
    (
        PolicyFinding("mistake", RULE, 16, "unexpected eq token"),
        PolicyFinding(
            "mistake",
            QUOTA,
            27,
            "http.send is not among the builtins that rules may use: a check has no network: put what the rule needs "
            "into data/",
        ),
    ),
    (ReviewedRule("memory-limit-missing", "new"), ReviewedRule("quota", "changed")),
)
SILENT = PolicyReview(
    "acme",
    "",
    (PolicyFinding("mistake", QUOTA, 9, "the rule does not find its own example"),),
    (ReviewedRule("quota", "changed"),),
)
OVER_BUDGET = PolicyReview(
    "acme",
    "",
    (PolicyFinding("mistake", QUOTA, 36, "quota takes 2,310 ms for 1,000 documents, and `budget` allows 300 ms"),),
    (ReviewedRule("quota", "changed"),),
)
FAILING = PolicyReview(
    "acme",
    "",
    (
        PolicyFinding(
            "test",
            "rules/acme/quota_test.rego",
            14,
            "test_two_teams: `count(found) == 2` is not true",
            '1 == 2\nfound = {{"at": {"document": 0, "path": []}, "message": "Team a has no quota."}}',
        ),
        PolicyFinding("case", "cases/quota/two-teams.yaml", 23, "expected `quota error`, found nothing"),
        PolicyFinding("untested", QUOTA, 41, "No test evaluates these 2 lines."),
        PolicyFinding(
            "slow",
            QUOTA,
            36,
            "quota takes 780 ms for 1,000 documents, 91% of it here: rules usually take less than 500 ms, and "
            "`budget` can limit them.",
        ),
    ),
    (ReviewedRule("quota", "changed", 3, 2, 2, 780.4),),
    tests=9,
    cases=4,
    is_tested=True,
    digest="0123456789abcdef" * 4,
)
CORRECTED = PolicyReview(
    "acme",
    "",
    (),
    (ReviewedRule("memory-limit-missing", "new", 2, 1, 0, 25.3), ReviewedRule("quota", "changed", 3, 2, 0, 41.0)),
    tests=9,
    cases=4,
    is_tested=True,
    digest="0123456789abcdef" * 4,
)
