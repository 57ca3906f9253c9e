"""What `make policies` generates from the rules, and the pages about rules."""

from __future__ import annotations

from gracegate.policy.build.pages import PAGES_FOLDER, render_index

__all__ = ["PAGES_FOLDER", "render_index"]
