"""`python -m gracegate.rendering [DIR]` compiles the renderer into DIR, unless that is done.

By default all users of this installation find it there: containers of an image in which this was done start at once.
It is a program of its own because it takes 800 MB of memory, which its caller would not get back.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gracegate.processes import end_with_parent
from gracegate.rendering.renderer import WasmRenderer, find_renderer, shared_cache_dir


def main(arguments: list[str]) -> str | None:
    """None, or why it is not compiled."""
    wasm = find_renderer()
    folder = Path(arguments[0]) if arguments else wasm and shared_cache_dir(wasm)
    problem = WasmRenderer(wasm, folder).load()
    return None if problem is None else f"gracegate: {problem.message}"


if __name__ == "__main__":
    end_with_parent(os.getppid(), signal.SIGTERM)
    sys.exit(main(sys.argv[1:]))
