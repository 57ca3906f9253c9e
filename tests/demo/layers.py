"""The layers of the repositories of the demo, tests/demo/*_layers, as files by path."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).resolve().parent


def layer(*names: str, of: str = "shop") -> dict[str, str]:
    """The files of these layers of a repository, a later one laid over an earlier."""
    files: dict[str, str] = {}
    for name in names:
        folder = DEMO / f"{of}_layers" / name
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        files |= {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found}
    return files
