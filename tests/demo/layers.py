"""The layers of the shop, tests/demo/shop_layers, as files by path."""

from __future__ import annotations

from pathlib import Path

SHOP = Path(__file__).resolve().parent / "shop_layers"


def layer(*names: str) -> dict[str, str]:
    """The files of these layers, a later one laid over an earlier."""
    files: dict[str, str] = {}
    for name in names:
        found = (path for path in sorted((SHOP / name).rglob("*")) if path.is_file())
        files |= {path.relative_to(SHOP / name).as_posix(): path.read_text(encoding="utf-8") for path in found}
    return files
