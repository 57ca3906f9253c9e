"""Who compiles the renderer, which takes half a minute, and where the others find it."""

from __future__ import annotations

import gzip
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
