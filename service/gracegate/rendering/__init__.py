"""Renders kustomizations and charts in Wasm, where their authors reach nothing of this machine."""

from __future__ import annotations

from gracegate.rendering.capabilities import API_VERSIONS_FILE
from gracegate.rendering.renderer import WasmRenderer, find_renderer
from gracegate.rendering.run import RenderLimits

__all__ = [
    "API_VERSIONS_FILE",
    "RenderLimits",
    "WasmRenderer",
    "find_renderer",
]
