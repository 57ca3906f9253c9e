"""What documents were at base: the same object under another name, from another holder, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gracegate.check.former_documents import UnknownHolders, former_documents
from gracegate.model import AppliedNamespace, Document, ObjectRef, Rendered, Root

HERE = Root("kustomize", "here")
THERE = Root("kustomize", "there")


def document(path: str, name: str, value: int = 0, number: int = 0, **changes: Any) -> Document:
    ref = ObjectRef("Deployment", "", name, "apps")
    manifest = {"metadata": {"name": name}, "spec": value}
    return Document(path, number, (), manifest, ref, False, **{"component": "apps", **changes})


def rendered(root: Root, name: str, value: int = 0) -> Document:
    return document("base/web.yaml", name, value, rendered=Rendered(root, 0))


WEB = document("a.yaml", "web")
WEB_2 = document("a.yaml", "web", 2)
API = document("a.yaml", "api", number=1)
TWIN = document("a.yaml", "web", 3, number=1)
OTHER = document("b.yaml", "web", 2, component="extras")
ELSEWHERE = document("b.yaml", "web", 2)
IN_SHOP = document("a.yaml", "web", applied_namespace=AppliedNamespace("shop", replaces=True))


def described(
    base: Sequence[Document],
    head: Sequence[Document],
    renames: Mapping[tuple[str, ObjectRef], ObjectRef] | None = None,
    moved: Mapping[str, str] | None = None,
    unknown: UnknownHolders | None = None,
) -> tuple[list[tuple[Document, int | None]], list[int]]:
    """What was modified and removed, with its index at head, and the indexes of what was added."""
    found = former_documents(base, head, renames or {}, moved or {}, unknown or UnknownHolders())
    before, added = found.of(head)
    return [(one.document, one.head_index) for one in before], sorted(added)


@pytest.mark.parametrize(
    ("base", "head", "before", "added"),
    [
        pytest.param([], [], [], [], id="nothing"),
        pytest.param([WEB], [WEB], [], [], id="no change"),
        pytest.param([WEB, API], [API, WEB], [], [], id="another order"),
        pytest.param([WEB], [WEB_2], [(WEB, 0)], [], id="modified"),
        pytest.param([WEB], [IN_SHOP], [(WEB, 0)], [], id="another namespace"),
        pytest.param([WEB], [], [(WEB, None)], [], id="removed"),
        pytest.param([], [WEB], [], [0], id="added"),
        pytest.param([WEB], [API, WEB_2], [(WEB, 1)], [0], id="modified beside an added one"),
        pytest.param([WEB], [ELSEWHERE], [(WEB, 0)], [], id="in another file"),
        pytest.param([WEB], [OTHER], [(WEB, 0)], [], id="in another component, instead of a file"),
        pytest.param([WEB, API], [API, OTHER], [], [], id="in another component"),
        pytest.param([WEB], [WEB, ELSEWHERE], [], [1], id="copied"),
        pytest.param([WEB], [rendered(HERE, "web", 2)], [(WEB, 0)], [], id="rendered now"),
        pytest.param([rendered(HERE, "web")], [rendered(THERE, "web", 2)], [(rendered(HERE, "web"), 0)], [], id="root"),
        pytest.param([rendered(HERE, "web")], [rendered(HERE, "web")], [], [], id="rendered as before"),
        pytest.param([WEB], [ELSEWHERE, document("c.yaml", "web")], [], [], id="nobody knows which of two it became"),
        pytest.param([WEB, TWIN], [WEB, API], [(TWIN, None)], [1], id="twice in a file"),
    ],
)
def test_pairs(
    base: Sequence[Document],
    head: Sequence[Document],
    before: list[tuple[Document, int | None]],
    added: list[int],
) -> None:
    assert described(base, head) == (before, added)


def test_another_name() -> None:
    renames = {("a.yaml", API.ref): WEB.ref}
    assert described([WEB], [API], renames) == ([(WEB, 0)], [])


def test_a_moved_file() -> None:
    assert described([WEB], [ELSEWHERE], moved={"b.yaml": "a.yaml"}) == ([(WEB, 0)], [])


@pytest.mark.parametrize(
    ("base", "head", "unknown", "expected"),
    [
        pytest.param([], [WEB], UnknownHolders(base={"a.yaml"}), ([], []), id="not read at base"),
        pytest.param([WEB], [], UnknownHolders(head={"a.yaml"}), ([], []), id="not read at head"),
        pytest.param([], [rendered(HERE, "web")], UnknownHolders(base={HERE.id}), ([], []), id="not rendered at base"),
        pytest.param([], [WEB], UnknownHolders(base={"b.yaml"}), ([], [0]), id="another file"),
    ],
)
def test_what_nobody_knows_is_neither_added_nor_removed(
    base: Sequence[Document], head: Sequence[Document], unknown: UnknownHolders, expected: Any
) -> None:
    assert described(base, head, unknown=unknown) == expected


def test_an_edited_head_is_compared_with_the_same_base() -> None:
    found = former_documents([WEB, API], [WEB_2, API], {}, {})
    edited = document("a.yaml", "api", 3, number=1)
    before, added = found.of([WEB, edited])
    assert ([(one.document, one.head_index) for one in before], added) == ([(API, 1)], frozenset())
