"""What a change introduced, worsened, left as it was and fixed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gracegate.check.compare import (
    Changes,
    compare,
    container_renames,
    copied_documents,
    moved_paths,
    object_renames,
    removed_objects,
)
from gracegate.check.matches import container_name, match_violations, path_by_name
from gracegate.model import Document, FileDiff, ObjectRef, Severity, Violation


def workload(
    name: str,
    path: str = "web.yaml",
    containers: tuple[str, ...] = ("web",),
    kind: str = "Deployment",
    namespace: str = "",
    image: str = "",
) -> Document:
    """With an image for all containers, or each with its own name for one."""
    spec = {"template": {"spec": {"containers": [{"name": c, "image": image or c} for c in containers]}}}
    ref = ObjectRef(kind, namespace, name, "apps")
    return Document(path, 0, (), {"kind": kind, "metadata": {"name": name}, "spec": spec}, ref, False, "")


def at(container: int) -> tuple[str | int, ...]:
    return ("spec", "template", "spec", "containers", container)


@dataclass(frozen=True)
class Case:
    """A violation of the document at an index."""

    document: int = 0
    container: int = 0
    rule: str = "prestop-drain-missing"
    level: Severity = "error"
    measure: float | None = None
    field: tuple[str, ...] = ()

    @property
    def violation(self) -> Violation:
        return Violation(self.rule, self.document, (*at(self.container), *self.field), "…", self.level, self.measure)


CASES = {
    "nothing on either side": ([], [], [], [], {}, []),
    "the same finding is pre-existing": (
        [workload("web")],
        [Case()],
        [workload("web")],
        [Case()],
        {0: "pre-existing"},
        [],
    ),
    "a container that moved in its list is the same one": (
        [workload("web", containers=("web", "log"))],
        [Case(container=1)],
        [workload("web", containers=("log", "web"))],
        [Case(container=0)],
        {0: "pre-existing"},
        [],
    ),
    "a moved object is the same one": (
        [workload("web", "old/web.yaml")],
        [Case()],
        [workload("web", "new/web.yaml")],
        [Case()],
        {0: "pre-existing"},
        [],
    ),
    "a renamed object is the same one": (
        [workload("web")],
        [Case()],
        [workload("shop")],
        [Case()],
        {0: "pre-existing"},
        [],
    ),
    "an object of two files that is renamed in one is the same one there": (
        [workload("web", "a.yaml"), workload("web", "b.yaml")],
        [Case(), Case(document=1)],
        [workload("shop", "a.yaml"), workload("web", "b.yaml")],
        [Case(), Case(document=1)],
        {0: "pre-existing", 1: "pre-existing"},
        [],
    ),
    "objects that all get a namespace are the same ones": (
        [workload("web"), workload("api")],
        [Case(), Case(document=1)],
        [workload("api", namespace="shop"), workload("web", namespace="shop")],
        [Case(), Case(document=1)],
        {0: "pre-existing", 1: "pre-existing"},
        [],
    ),
    "a workload of another kind is the same one": (
        [workload("web", kind="ReplicationController"), workload("api", kind="ReplicationController")],
        [Case(), Case(document=1)],
        [workload("api"), workload("web")],
        [Case(), Case(document=1)],
        {0: "pre-existing", 1: "pre-existing"},
        [],
    ),
    "a new object is introduced": ([], [], [workload("web")], [Case()], {0: "introduced"}, []),
    "a removed object fixes its finding": ([workload("web")], [Case()], [], [], {}, ["web"]),
    "a removed copy fixes nothing that another file still has, under whatever name": (
        [workload("web", "a.yaml"), workload("web", "b.yaml"), workload("web", "c.yaml")],
        [Case(), Case(document=1), Case(document=2)],
        [workload("shop", "b.yaml")],
        [Case()],
        {0: "pre-existing"},
        [],
    ),
    "one of two copies is fixed": (
        [workload("web", "a.yaml"), workload("web", "b.yaml")],
        [Case(), Case(document=1)],
        [workload("web", "a.yaml"), workload("web", "b.yaml")],
        [Case(document=1)],
        {1: "pre-existing"},
        ["web"],
    ),
    "a higher level is worse": (
        [workload("web")],
        [Case(level="warning")],
        [workload("web")],
        [Case(level="error")],
        {0: "worsened"},
        [],
    ),
    "a lower level is not worse": (
        [workload("web")],
        [Case(level="error")],
        [workload("web")],
        [Case(level="warning")],
        {0: "pre-existing"},
        [],
    ),
    "a container under another name is the same one by its image, whatever the tag": (
        [workload("web", image="registry:5000/shop/web:1")],
        [Case()],
        [workload("web", containers=("app",), image="registry:5000/shop/web@sha256:00")],
        [Case()],
        {0: "pre-existing"},
        [],
    ),
    "a container with another image is another one": (
        [workload("web", image="registry:5000/shop/web")],
        [Case()],
        [workload("web", containers=("app",), image="registry:5000/shop/app")],
        [Case()],
        {0: "introduced"},
        ["web"],
    ),
    "of two containers with one image nobody knows which one it was": (
        [workload("web", image="shop/web")],
        [Case()],
        [workload("web", containers=("a", "b"), image="shop/web")],
        [Case()],
        {0: "introduced"},
        ["web"],
    ),
    "an object and its container may have other names at once": (
        [workload("web", image="shop/web")],
        [Case()],
        [workload("shop", containers=("app",), image="shop/web")],
        [Case()],
        {0: "pre-existing"},
        [],
    ),
    "a finding stays the same when its field is written down or left out": (
        [workload("api"), workload("web")],
        [Case(), Case(document=1, field=("image",))],
        [workload("api"), workload("web")],
        [Case(field=("image",)), Case(document=1)],
        {0: "pre-existing", 1: "pre-existing"},
        [],
    ),
    "a finding of another field is another one": (
        [workload("web")],
        [Case(field=("image",))],
        [workload("web")],
        [Case(field=("name",))],
        {0: "introduced"},
        ["web"],
    ),
    "a bigger measure is worse": (
        [workload("web")],
        [Case(measure=10)],
        [workload("web")],
        [Case(measure=30)],
        {0: "worsened"},
        [],
    ),
    "a copy of an object in another file has what it had before": (
        [workload("web", "b/web.yaml")],
        [Case()],
        [workload("web", "a/web.yaml"), workload("web", "b/web.yaml")],
        [Case(), Case(document=1)],
        {0: "pre-existing", 1: "pre-existing"},
        [],
    ),
    "a copy that has become worse is worsened": (
        [workload("web", "b/web.yaml")],
        [Case(level="warning")],
        [workload("web", "a/web.yaml"), workload("web", "b/web.yaml")],
        [Case(), Case(document=1, level="warning")],
        {0: "worsened", 1: "pre-existing"},
        [],
    ),
    "another object of the same name is introduced, the old one stays": (
        [workload("web", "b/web.yaml")],
        [Case()],
        [workload("web", "a/web.yaml", image="shop/web"), workload("web", "b/web.yaml")],
        [Case(), Case(document=1)],
        {0: "introduced", 1: "pre-existing"},
        [],
    ),
    "another rule at the same place is introduced and the old one is fixed": (
        [workload("web")],
        [Case()],
        [workload("web")],
        [Case(rule="readiness-probe-missing")],
        {0: "introduced"},
        ["web"],
    ),
}


@pytest.mark.parametrize(
    ("before", "base_violations", "after", "head_violations", "statuses", "fixed"), CASES.values(), ids=CASES.keys()
)
def test_statuses(before, base_violations, after, head_violations, statuses, fixed) -> None:
    base = match_violations(before, [v.violation for v in base_violations])
    head = match_violations(after, [v.violation for v in head_violations])
    renames = object_renames(before, after, {})
    containers, copies = container_renames(before, after, renames, {}), copied_documents(before, after, {})
    removed = removed_objects(before, after, renames, {})
    comparison = compare(base, head, Changes(renames, containers, {}, copies, removed))
    by_document = {m.violation.document: comparison.statuses[m.id] for m in head}
    assert (by_document, [m.document.ref.name for m in comparison.fixed]) == (statuses, fixed)


def test_a_renamed_file_breaks_the_tie_of_equal_objects() -> None:
    before = [workload("web", "a.yaml"), workload("web", "b.yaml")]
    after = [workload("web", "b.yaml"), workload("web", "c.yaml")]
    base = match_violations(before, [Case(document=1, measure=1).violation])
    head = match_violations(after, [Case(document=i, measure=i).violation for i in (0, 1)])
    moved = moved_paths([FileDiff("c.yaml", "renamed", "b.yaml"), FileDiff("b.yaml", "renamed", "a.yaml")])
    comparison = compare(base, head, Changes({}, {}, moved, copied_documents(before, after, moved), frozenset()))
    assert {m.document.path: comparison.statuses[m.id] for m in head} == {
        "b.yaml": "introduced",
        "c.yaml": "pre-existing",
    }


def test_ids_are_unique_even_for_one_object_written_twice() -> None:
    twice = [workload("web"), workload("web"), workload("web", "other.yaml")]
    found = match_violations(twice, [Case(document=i).violation for i in range(3)])
    assert len({m.id for m in found}) == 3


def test_an_id_does_not_depend_on_the_file() -> None:
    here, there = (
        match_violations([workload("web", path)], [Case().violation])[0].id for path in ("a.yaml", "b/c.yaml")
    )
    assert here == there


@pytest.mark.parametrize(
    ("pointer", "container", "place"),
    [
        ((), None, ()),
        (("spec", "replicas"), None, ("spec", "replicas")),
        (at(0), "web", ("spec", "template", "spec", "containers", "[web]")),
        ((*at(0), "ports", 3), "web", ("spec", "template", "spec", "containers", "[web]", "ports", "3")),
        (at(7), "7", ("spec", "template", "spec", "containers", "7")),
    ],
)
def test_places_are_named(pointer, container, place) -> None:
    document = workload("web").object
    assert (container_name(document, pointer), path_by_name(document, pointer)) == (container, place)


@pytest.mark.parametrize(
    ("old", "new", "renames"),
    [
        pytest.param([("a", "x", 80), ("b", "x", 81)], [("c", "x", 81), ("a", "x", 80)], {"c": "b"}, id="one is left"),
        pytest.param(
            [("a", "x", 80), ("b", "x", 81)], [("c", "x", 81), ("d", "x", 80)], {"c": "b", "d": "a"}, id="ports"
        ),
        pytest.param([("a", "x", 80)], [("c", "x", 8080)], {"c": "a"}, id="the image alone"),
        pytest.param([("a", "x", 80), ("b", "x", 80)], [("c", "x", 80), ("d", "x", 80)], {}, id="alike"),
        pytest.param([("a", None, 80)], [("c", None, 80)], {}, id="no image"),
    ],
)
def test_renamed_containers(old, new, renames) -> None:
    def pod(containers) -> Document:
        listed = [{"name": n, "image": i, "ports": [{"containerPort": p}]} for n, i, p in containers]
        ref = ObjectRef("Deployment", "", "web", "apps")
        return Document("web.yaml", 0, (), {"spec": {"template": {"spec": {"containers": listed}}}}, ref, False, "")

    found = container_renames([pod(old)], [pod(new)], {}, {})
    assert list(found.values()) == ([renames] if renames else [])
