"""The files of steps, made of any files: they hold the objects that are asked for, and every line of the head's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gracegate.check.fix_groups import FixContext
from gracegate.check.step_texts import step_texts
from gracegate.manifests import Collection, collect_documents
from gracegate.model import EditedCopy, IntendedStep, Operation
from gracegate.policy import BaseDocument
from gracegate.yaml_edit import EditRefused
from tests.check.reports import tree

BREAKS = st.sampled_from(["---\n", "--- # next\n", "# before\n---\n", "...\n---\n"])
STARTS = st.sampled_from(["", "---\n", "# Our app\n", "# Our app\n---\n"])
ENDS = st.sampled_from(["", "\n", "\n# the end\n", "\n---\n"])


def service(name: str, app: str) -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  selector:\n    app: {app}  # its pods"


@st.composite
def files(draw: st.DrawFn, app: str, count: int) -> str:
    """A file with that many Services, whose names tell the sides apart."""
    documents = [service(f"{app}-{number}", app) for number in range(count)]
    separators = [f"\n{draw(BREAKS)}" for _ in documents[1:]]
    body = "".join(part for pair in zip(documents, [*separators, ""], strict=True) for part in pair)
    return f"{draw(STARTS)}{body}{draw(ENDS)}"


def names(text: str) -> list[str]:
    return [document.ref.name for document in collect_documents(tree({"a.yaml": text})).documents]


def texts(base: Collection, head: Collection, step: IntendedStep) -> Mapping[str, str]:
    before = [BaseDocument(former, number) for number, former in enumerate(base.documents)]
    return step_texts([step], before, base, FixContext(head, head.documents, None), ["a.yaml"])


def is_subsequence(lines: Sequence[str], others: Sequence[str]) -> bool:
    left = iter(others)
    return all(line in left for line in lines)


@given(data=st.data(), count=st.integers(1, 4))
def test_objects_that_stay_are_beside_what_they_are_now(data: st.DataObject, count: int) -> None:
    old, new = data.draw(files("old", count)), data.draw(files("new", count))
    base, head = (collect_documents(tree({"a.yaml": text})) for text in (old, new))
    chosen = data.draw(st.sets(st.integers(0, count - 1)))
    made = texts(base, head, IntendedStep("", restored=tuple(chosen))).get("a.yaml", new)
    expected = [name for n in range(count) for name in (f"new-{n}", *([f"old-{n}"] if n in chosen else []))]
    assert names(made) == expected
    assert is_subsequence([line for line in new.split("\n") if line], made.split("\n"))
    assert (made == new) == (not chosen)


@given(data=st.data(), count=st.integers(1, 4))
def test_what_stands_instead_takes_one_place(data: st.DataObject, count: int) -> None:
    old, new = data.draw(files("old", count)), data.draw(files("new", count))
    base, head = (collect_documents(tree({"a.yaml": text})) for text in (old, new))
    number = data.draw(st.integers(0, count - 1))
    patch = (Operation("replace", ("spec", "selector", "app"), "other"),)
    step = IntendedStep("", instead=(EditedCopy(number, patch, is_former=True),))
    made = texts(base, head, step)["a.yaml"]
    assert names(made) == [f"old-{n}" if n == number else f"new-{n}" for n in range(count)]
    assert made.count("app: other  # its pods") == 1


@given(data=st.data(), count=st.integers(1, 4))
def test_copies_follow_what_they_were_made_of(data: st.DataObject, count: int) -> None:
    new = data.draw(files("new", count))
    head = collect_documents(tree({"a.yaml": new}))
    number = data.draw(st.integers(0, count - 1))
    copy = EditedCopy(number, (Operation("replace", ("metadata", "name"), "next"),))
    made = texts(head, head, IntendedStep("", copies=(copy, copy)))["a.yaml"]
    assert names(made) == [name for n in range(count) for name in (f"new-{n}", *(["next"] if n == number else []))]


JSON = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {}}\n'
LIST = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n  spec: {}\n"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param({"a.json": JSON}, "unsupported_layout", id="JSON"),
        pytest.param({"a.yaml": LIST}, "unsupported_layout", id="an item of a List"),
    ],
)
def test_what_cannot_be_put_back_is_refused(files: Mapping[str, str], reason: str) -> None:
    base = collect_documents(tree(files))
    with pytest.raises(EditRefused) as refused:
        texts(base, base, IntendedStep("", restored=(0,)))
    assert refused.value.reason == reason


def test_two_wishes_for_one_document_are_refused() -> None:
    base, head = (collect_documents(tree({"a.yaml": service("a", app)})) for app in ("old", "new"))
    step = IntendedStep("", (Operation("remove", ("spec", "selector")),), restored=(0,))
    with pytest.raises(EditRefused) as refused:
        texts(base, head, step)
    assert refused.value.reason == "conflicts"
