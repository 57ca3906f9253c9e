"""What policies say of all files at once is said of the documents that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from gracegate.policy.foreign.engine import ForeignEngine
from gracegate.policy.foreign.messages import Question, Said

Rule = Callable[[Sequence[Mapping[str, Any]]], list[Any]]


def document(path: str, manifest: Any, *, subject: bool = True, fragment: bool = False) -> Mapping[str, Any]:
    return {"object": manifest, "path": path, "subject": subject, "fragment": fragment}


def workload(name: str) -> Mapping[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": name}}


def budget(name: str, of: str) -> Mapping[str, Any]:
    return {"kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": {"of": of}}


def ingress(name: str, *hosts: str) -> Mapping[str, Any]:
    return {"kind": "Ingress", "metadata": {"name": name}, "spec": {"rules": [{"host": host} for host in hosts]}}


WEB, CART = document("web.yaml", workload("web")), document("cart.yaml", workload("cart"))
BUDGET = document("pdb.yaml", budget("web", "web"))
SHOP = document("a/shop.yaml", ingress("shop", "shop.example", "www.example"))
BLOG = document("b/blog.yaml", ingress("blog", "blog.example", "www.example"))


def of_kind(files: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    return [one["contents"] for one in files if one["contents"].get("kind") == kind]


def unprotected(files: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Workloads without a budget, with their name."""
    protected = {one["spec"]["of"] for one in of_kind(files, "PodDisruptionBudget")}
    names = [one["metadata"]["name"] for one in of_kind(files, "Deployment")]
    return [f"{name} has no budget" for name in names if name not in protected]


def unprotected_unnamed(files: Sequence[Mapping[str, Any]]) -> list[Any]:
    return ["a workload has no budget"] if unprotected(files) else []


def shared_hosts(files: Sequence[Mapping[str, Any]]) -> list[Any]:
    hosts = [rule.get("host") for one in of_kind(files, "Ingress") for rule in one["spec"].get("rules", [])]
    return [f"{host} is used twice" for host in {*hosts} if host and hosts.count(host) > 1]


def no_budget_at_all(files: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [] if of_kind(files, "PodDisruptionBudget") else ["there is no budget"]


def located(files: Sequence[Mapping[str, Any]]) -> list[Any]:
    paths = [one["path"] for one in files if one["contents"]["kind"] == "Ingress"]
    location = {"file": "b/blog.yaml", "path": ["spec", "rules", 1, "host"]}
    return [{"msg": "www.example is used twice", "_loc": location}] if len(paths) > 1 else []


def found(rule: Rule, documents: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]] = ()) -> list[Any]:
    def ask(questions: Sequence[Question], _seconds: float | None) -> Sequence[Said]:
        return [Said(number, "deny", result) for number, one in enumerate(questions) for result in rule(one.object)]

    engine = ForeignEngine(ask, "digest", combined={"deny"})
    report = engine.evaluate({"documents": documents, "before": before, "rules": ["deny"]})
    again = engine.evaluate({"documents": documents, "before": before, "rules": ["deny"]})
    assert again == report
    return [(one["at"]["document"], one["at"]["path"], one["message"]) for one in report["violations"]]


def unchanged(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**one, "subject": False}


@pytest.mark.parametrize(
    ("rule", "documents", "before", "expected"),
    [
        pytest.param(unprotected, [], [], [], id="no documents"),
        pytest.param(unprotected, [WEB, BUDGET], [], [], id="nothing to say"),
        pytest.param(unprotected, [{**WEB, "fragment": True}], [], [], id="a fragment"),
        pytest.param(unprotected, [unchanged(WEB)], [], [], id="no subject"),
        pytest.param(unprotected, [WEB, CART, BUDGET], [], [(1, [], "cart has no budget")], id="one document"),
        pytest.param(
            unprotected, [unchanged(CART), WEB], [], [(1, [], "web has no budget")], id="only the changed one"
        ),
        pytest.param(
            unprotected_unnamed, [WEB, CART, BUDGET], [], [(1, [], "a workload has no budget")], id="not the other one"
        ),
        pytest.param(
            unprotected_unnamed,
            [WEB, CART],
            [],
            [(1, [], "a workload has no budget"), (0, [], "a workload has no budget")],
            id="both, in the order of their files",
        ),
        pytest.param(
            shared_hosts,
            [BUDGET, BLOG, WEB, SHOP],
            [],
            [(3, ["spec", "rules", 1, "host"], "www.example is used twice")],
            id="two together: the first file",
        ),
        pytest.param(
            shared_hosts,
            [BLOG, unchanged(SHOP)],
            [],
            [(0, ["spec", "rules", 1, "host"], "www.example is used twice")],
            id="two together: the changed one",
        ),
        pytest.param(shared_hosts, [WEB, unchanged(BLOG), unchanged(SHOP)], [], [], id="two that are not changed"),
        pytest.param(
            located,
            [SHOP, BLOG],
            [],
            [(1, ["spec", "rules", 1, "host"], "www.example is used twice")],
            id="a place that the policy names",
        ),
        pytest.param(no_budget_at_all, [WEB, CART], [], [(1, [], "there is no budget")], id="what nothing has"),
        pytest.param(no_budget_at_all, [WEB, unchanged(CART)], [], [], id="what nothing had before"),
        pytest.param(
            no_budget_at_all,
            [WEB, unchanged(CART)],
            [BUDGET],
            [(0, [], "there is no budget")],
            id="what the change has removed",
        ),
    ],
)
def test_messages_about_all_files(
    rule: Rule, documents: list[Mapping[str, Any]], before: list[Mapping[str, Any]], expected: list[Any]
) -> None:
    assert found(rule, documents, before) == expected


def test_many_documents_say_the_same() -> None:
    documents = [document(f"{number:03}.yaml", workload(f"w{number}")) for number in range(60)]
    assert [number for number, _, _ in found(unprotected_unnamed, documents)] == list(range(60))
