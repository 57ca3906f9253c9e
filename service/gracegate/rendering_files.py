"""What the renderer has answered: the same files render to the same text, in this check and in any later one."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gracegate.file_cache import FileCache
from gracegate.model import RenderProblem

_MAX_BYTES = 200_000_000
_TEXT, _REFUSAL = b"text", b"refused"


@dataclass(frozen=True)
class RenderingFiles:
    """Keeps in `folder` what the renderer answers that `find_renderer` finds, which is read at the first question.

    What is kept tells what is in the files of a repository. Implements manifests.KeptRenderings.
    """

    folder: Path
    find_renderer: Callable[[], Path | None]

    def find(self, key: bytes) -> str | RenderProblem | None:
        """What the renderer answered to what the key stands for."""
        content = self._files.read(self._name(key))
        if content is None:
            return None
        try:
            kind, _, answer = zlib.decompress(content).partition(b"\n")
        except zlib.error:
            return None
        text = answer.decode("utf-8", "surrogatepass")
        return text if kind == _TEXT else RenderProblem("refused", text)

    def keep(self, key: bytes, answer: str | RenderProblem) -> None:
        """Keeps an answer: a text, or a problem with the code `refused`."""
        kind, text = (_TEXT, answer) if isinstance(answer, str) else (_REFUSAL, answer.message)
        # Level 1: what is unpacked in a millisecond took a hundred to render.
        content = zlib.compress(b"%s\n%s" % (kind, text.encode("utf-8", "surrogatepass")), 1)
        self._files.write(self._name(key), content)

    def _name(self, key: bytes) -> str:
        return hashlib.sha256(self._renderer + key).hexdigest()

    @cached_property
    def _renderer(self) -> bytes:
        wasm = self.find_renderer()
        return b"" if wasm is None else hashlib.sha256(wasm.read_bytes()).digest()

    @cached_property
    def _files(self) -> FileCache:
        return FileCache(self.folder, _MAX_BYTES)
