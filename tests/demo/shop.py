"""The layers of tests/manifests as files by path."""

from __future__ import annotations

from pathlib import Path

SHOP = Path(__file__).resolve().parents[1] / "manifests"


def layer(*names: str) -> dict[str, str]:
    """The files of these layers, a later one laid over an earlier."""
    files: dict[str, str] = {}
    for name in names:
        found = (path for path in sorted((SHOP / name).rglob("*")) if path.is_file())
        files |= {path.relative_to(SHOP / name).as_posix(): path.read_text(encoding="utf-8") for path in found}
    return files
