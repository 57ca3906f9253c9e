"""What the renderer answered is found again, by the same renderer."""

from __future__ import annotations

from pathlib import Path

import pytest

from gracegate.model import RenderProblem
from gracegate.rendering_files import RenderingFiles


@pytest.fixture
def wasm(tmp_path: Path) -> Path:
    path = tmp_path / "renderer.wasm.gz"
    path.write_bytes(b"first")
    return path


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "kind: A\n---\nkind: B\n",
        "text\nrefused\n",
        "snowman \u2603, half a pair \udcff",
        RenderProblem("refused", "no\nway"),
    ],
)
def test_an_answer_is_found_again(tmp_path: Path, wasm: Path, answer: str | RenderProblem) -> None:
    RenderingFiles(tmp_path / "kept", lambda: wasm).keep(b"key", answer)
    later = RenderingFiles(tmp_path / "kept", lambda: wasm)
    assert (later.find(b"key"), later.find(b"other")) == (answer, None)


def test_another_renderer_answers_for_itself(tmp_path: Path, wasm: Path) -> None:
    RenderingFiles(tmp_path / "kept", lambda: wasm).keep(b"key", "kind: A")
    wasm.write_bytes(b"second")
    assert RenderingFiles(tmp_path / "kept", lambda: wasm).find(b"key") is None
    assert RenderingFiles(tmp_path / "kept", lambda: None).find(b"key") is None


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, wasm: Path) -> None:
    kept = RenderingFiles(tmp_path / "kept", lambda: wasm)
    kept.keep(b"key", "kind: A" * 100)
    (file,) = (tmp_path / "kept").iterdir()
    content = file.read_bytes()
    for damaged in (b"", content[:-9], content[:20] + b"?" + content[21:]):
        file.write_bytes(damaged)
        assert kept.find(b"key") is None
