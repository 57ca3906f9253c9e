"""What is rendered again, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gracegate.manifests.render_cache import RenderCache, render_key
from gracegate.model import Rendering, RenderProblem, RenderProblemCode, RenderRequest, Root, Substitution

REQUEST = RenderRequest(Root("kustomize", "a"))
FILES = {"a/kustomization.yaml": b"resources: [x.yaml]", "a/x.yaml": b"kind: A"}


@pytest.mark.parametrize(
    ("request_", "files", "minor"),
    [
        (RenderRequest(Root("kustomize", "b")), FILES, 30),
        (RenderRequest(Root("helm", "a")), FILES, 30),
        (replace(REQUEST, replaced={"a/x.yaml": "kind: B"}), FILES, 30),
        (replace(REQUEST, values=("a: b",)), FILES, 30),
        (replace(REQUEST, values=("a:", "b")), FILES, 30),
        (replace(REQUEST, substitution=Substitution({"a": "b"})), FILES, 30),
        (replace(REQUEST, substitution=Substitution({"a": "c"})), FILES, 30),
        (REQUEST, {**FILES, "a/x.yaml": b"kind: B"}, 30),
        (REQUEST, {**FILES, "a/y.yaml": b""}, 30),
        (REQUEST, {"a/kustomization.yaml": FILES["a/kustomization.yaml"]}, 30),
        (REQUEST, FILES, 31),
    ],
)
def test_what_is_made_of_something_else_has_another_key(
    request_: RenderRequest, files: Mapping[str, bytes], minor: int
) -> None:
    assert render_key(request_, files, minor) != render_key(REQUEST, FILES, 30)


def test_the_order_of_files_makes_no_difference() -> None:
    assert render_key(REQUEST, dict(reversed(FILES.items())), 30) == render_key(REQUEST, FILES, 30)


@pytest.mark.parametrize(
    ("code", "is_kept"),
    [("refused", True), ("limit", False), ("interrupted", False), ("crashed", False), ("unavailable", False)],
)
def test_problems(code: RenderProblemCode, is_kept: bool) -> None:
    cache, rendering = RenderCache(), Rendering(REQUEST, problem=RenderProblem(code, "why"))
    cache.keep(b"a", rendering)
    assert cache.find(b"a", REQUEST) == (rendering if is_kept else None)


@pytest.mark.parametrize(
    ("lengths", "used", "kept"),
    [([4, 4], [], "01"), ([4, 4, 2], [], "012"), ([4, 4, 3], [], "12"), ([4, 4, 3], [0], "02"), ([4, 11], [], "")],
)
def test_what_was_not_used_for_longest_goes_first(lengths: list[int], used: list[int], kept: str) -> None:
    cache = RenderCache(max_characters=10)
    for number, length in enumerate(lengths):
        for key in used:
            cache.find(b"%d" % key, REQUEST)
        cache.keep(b"%d" % number, Rendering(REQUEST, "x" * length))
    assert "".join(str(n) for n in range(len(lengths)) if cache.find(b"%d" % n, REQUEST)) == kept


class Kept(dict[bytes, str | RenderProblem]):
    """What a former check has kept."""

    def find(self, key: bytes) -> str | RenderProblem | None:
        return self.get(key)

    def keep(self, key: bytes, answer: str | RenderProblem) -> None:
        self[key] = answer


REFUSED = RenderProblem("refused", "why")


@pytest.mark.parametrize("rendering", [Rendering(REQUEST, "kind: A"), Rendering(REQUEST, problem=REFUSED)])
def test_a_later_check_finds_what_was_kept(rendering: Rendering) -> None:
    kept = Kept()
    RenderCache(kept).keep(b"a", rendering)
    cache = RenderCache(kept)
    assert cache.find(b"b", REQUEST) is None
    assert cache.find(b"a", REQUEST) == rendering
    kept.clear()
    assert cache.find(b"a", REQUEST) == rendering


def test_nothing_is_kept_that_another_run_might_answer_otherwise() -> None:
    kept = Kept()
    RenderCache(kept).keep(b"a", Rendering(REQUEST, problem=RenderProblem("interrupted", "why")))
    assert kept == {}
