"""Who compiles the renderer, which takes half a minute, and where the others find it."""

from __future__ import annotations

import gzip
import platform
from pathlib import Path

import pytest

from gracegate.model import RenderBatch, Rendering, RenderProblem, RenderRequest, Root
from gracegate.rendering import WasmRenderer
from gracegate.rendering import __main__ as program

REQUEST = RenderRequest(Root("kustomize", ""))


def small_renderer(folder: Path) -> Path:
    """A module that is compiled at once and answers nothing."""
    folder.mkdir()
    path = folder / "renderer.wasm.gz"
    path.write_bytes(gzip.compress(b'(module (memory (export "memory") 1) (func (export "_start")))'))
    return path


def kept(folder: Path) -> int:
    return len(list(folder.glob("*.bin"))) if folder.is_dir() else 0


def test_who_may_not_compile_says_so(tmp_path: Path) -> None:
    renderer = WasmRenderer(small_renderer(tmp_path / "a"), tmp_path / "cache", may_compile=False)
    problem = RenderProblem("unavailable", "the renderer is not compiled")
    assert renderer.load() == problem
    assert renderer.render([RenderBatch({}, [REQUEST])], 30) == [Rendering(REQUEST, problem=problem)]
    assert kept(tmp_path / "cache") == 0


def test_what_was_compiled_is_found_by_who_may_not(tmp_path: Path) -> None:
    wasm = small_renderer(tmp_path / "a")
    assert WasmRenderer(wasm, tmp_path / "cache").load() is None
    assert WasmRenderer(wasm, tmp_path / "cache", may_compile=False).load() is None
    assert WasmRenderer(wasm, tmp_path / "another", may_compile=False).load() is not None


def test_what_was_compiled_for_all_is_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wasm = small_renderer(tmp_path / "a")
    monkeypatch.setattr(program, "find_renderer", lambda: wasm)
    assert program.main([]) is None
    assert WasmRenderer(wasm, tmp_path / "cache").load() is None
    assert (kept(tmp_path / "a" / "compiled"), kept(tmp_path / "cache")) == (1, 0)


def test_without_a_renderer_there_is_nothing_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "find_renderer", lambda: None)
    assert program.main([]) == "gracegate: the renderer is not built: run `make tools`"


def test_few_roots_are_rendered_by_a_baseline_module_until_there_is_another_one(tmp_path: Path) -> None:
    if platform.machine() not in {"x86_64", "AMD64"}:
        pytest.skip("wasmtime's baseline compiler is used on x86-64 alone")
    wasm, cache = small_renderer(tmp_path / "a"), tmp_path / "cache"
    few = WasmRenderer(wasm, cache, baseline_roots=2)
    assert [few.load(2), kept(cache)] == [None, 1]
    (baseline,) = cache.iterdir()
    # It answers nothing, so the usual module is asked too, and what it says counts.
    ended = RenderProblem("crashed", "the renderer ended without an answer")
    assert few.render([RenderBatch({}, [REQUEST])], 30) == [Rendering(REQUEST, problem=ended)]
    assert [baseline.exists(), kept(cache)] == [False, 1]
    assert WasmRenderer(wasm, cache, may_compile=False).load() is None


@pytest.mark.parametrize(("known", "asked"), [(2, 3), (0, 1), (2, None)])
def test_many_roots_are_worth_the_usual_module(tmp_path: Path, known: int, asked: int | None) -> None:
    wasm, cache = small_renderer(tmp_path / "a"), tmp_path / "cache"
    assert WasmRenderer(wasm, cache, baseline_roots=known).load(asked) is None
    assert WasmRenderer(wasm, cache, may_compile=False).load() is None
