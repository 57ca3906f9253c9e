"""Where a message belongs that names no place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.model import Pointer
from gracegate.policy.foreign.placement import MAX_VARIANTS, place, variants

Policy = Callable[[Any], bool]

WEB = {"name": "web", "image": "registry.example/web:latest", "resources": {"limits": {"memory": "1Gi"}}}
LOG = {"name": "log", "image": "registry.example/log:1", "readinessProbe": {"exec": {"command": ["true"]}}}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"team": "pay"}},
    "spec": {"replicas": 0, "template": {"spec": {"hostNetwork": True, "containers": [LOG, WEB]}}},
}
CONTAINERS = ("spec", "template", "spec", "containers")


def containers(manifest: Any) -> list[Any]:
    found: list[Any] = manifest["spec"]["template"]["spec"].get("containers", [])
    return found


def is_latest(manifest: Any) -> bool:
    return any(container["image"].endswith(":latest") for container in containers(manifest))


def lacks_probe(manifest: Any) -> bool:
    return any("readinessProbe" not in container for container in containers(manifest))


def has_probe(manifest: Any) -> bool:
    return any("readinessProbe" in container for container in containers(manifest))


def limits_memory(manifest: Any) -> bool:
    return any(
        container.get("resources", {}).get("limits", {}).get("memory") == "1Gi" for container in containers(manifest)
    )


POD_SPEC = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("speaks", "expected"),
    [
        pytest.param(lambda o: o["kind"] == "Deployment", (), id="nothing in the object changes it"),
        pytest.param(lambda o: o["metadata"]["namespace"] == "shop", (), id="the identity is no place"),
        pytest.param(lambda o: "owner" not in o["metadata"].get("labels", {}), (), id="a key that is not there"),
        pytest.param(is_latest, (*CONTAINERS, 1, "image"), id="a value of a container"),
        pytest.param(lacks_probe, (*CONTAINERS, 1), id="a container lacks a key"),
        pytest.param(has_probe, (*CONTAINERS, 0, "readinessProbe"), id="a key that should not be there"),
        pytest.param(limits_memory, (*CONTAINERS, 1, "resources", "limits", "memory"), id="deep in a container"),
        pytest.param(lambda o: len(containers(o)) > 1, (*CONTAINERS, 0), id="one item too many: the first"),
        pytest.param(lambda o: o["spec"].get("replicas", 1) < 1, ("spec", "replicas"), id="a number"),
        pytest.param(lambda o: o["spec"]["template"]["spec"].get("hostNetwork"), (*POD_SPEC, "hostNetwork"), id="true"),
        pytest.param(lambda o: "labels" in o["metadata"], ("metadata", "labels"), id="a key with others below it"),
    ],
)
def test_place(speaks: Policy, expected: Pointer) -> None:
    assert speaks(DEPLOYMENT)
    assert place(cures(DEPLOYMENT, speaks)) == expected


def cures(manifest: Any, speaks: Policy) -> Iterator[Any]:
    """The variants about which a policy says nothing; where it cannot read one, it says nothing too."""
    for variant in variants(manifest):
        try:
            is_said = bool(speaks(variant.object))
        except (KeyError, TypeError):
            is_said = False
        if not is_said:
            yield variant


def test_big_objects_are_searched_for_items_alone() -> None:
    manifest = {"spec": {"items": [{"value": number, "more": number} for number in range(MAX_VARIANTS)]}}
    found = variants(manifest)
    assert {variant.change for variant in found} == {"item"}
    assert len(found) == MAX_VARIANTS


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_each_variant_differs_from_the_object_where_it_says(manifest: dict[str, Any]) -> None:
    before = repr(manifest)
    for variant in variants(manifest):
        parent, last = parent_of(manifest, variant.pointer), variant.pointer[-1]
        changed = parent_of(variant.object, variant.pointer)
        if variant.change == "value":
            assert [*pairs(changed)] != [*pairs(parent)]
            assert [*pairs(changed, last)] == [*pairs(parent, last)]
        else:
            assert len(changed) == len(parent) - 1
    assert repr(manifest) == before


def parent_of(value: Any, pointer: Pointer) -> Any:
    for segment in pointer[:-1]:
        value = value[segment]
    return value


def pairs(value: Any, without: object = None) -> Iterator[tuple[object, str]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    return ((key, repr(member)) for key, member in members if without is None or key != without)
