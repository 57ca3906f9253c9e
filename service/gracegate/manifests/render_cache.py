"""The renderings of a check: base, head, steps between them and verified fixes have much in common."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gracegate.manifests.provenance import MarkCache
from gracegate.manifests.rendered_values import RenderedValues
from gracegate.model import Rendering, RenderProblem, RenderRequest

_MAX_CHARACTERS = 64_000_000


class KeptRenderings(Protocol):
    """Texts and problems that outlive a check, by `render_key`."""

    def find(self, key: bytes) -> str | RenderProblem | None:
        """What was kept, None where it was not or is not there any more."""

    def keep(self, key: bytes, answer: str | RenderProblem) -> None:
        """Keeps what any other run would answer too, if possible."""


@dataclass(slots=True)
class RenderCache:
    """Keeps the renderings that were used last, of at most `max_characters` together, with what was read of them, and
    the marked files. Those of former checks are in `kept`."""

    kept: KeptRenderings | None = None
    max_characters: int = _MAX_CHARACTERS
    values: RenderedValues = field(default_factory=RenderedValues)
    marks: MarkCache = field(default_factory=dict)
    _renderings: OrderedDict[bytes, Rendering] = field(default_factory=OrderedDict)
    _characters: int = 0

    def find(self, key: bytes, request: RenderRequest) -> Rendering | None:
        """The rendering of a request by its `render_key`."""
        found = self._renderings.get(key)
        if found is not None:
            self._renderings.move_to_end(key)
        elif self.kept is not None and (answer := self.kept.find(key)) is not None:
            text, problem = (answer, None) if isinstance(answer, str) else ("", answer)
            found = Rendering(request, text, problem)
            self._add(key, found)
        return found

    def keep(self, key: bytes, rendering: Rendering) -> None:
        """Keeps a new rendering, unless another run might have another answer."""
        if rendering.problem is not None and rendering.problem.code != "refused":
            return
        self._add(key, rendering)
        if self.kept is not None:
            self.kept.keep(key, rendering.problem or rendering.text)

    def _add(self, key: bytes, rendering: Rendering) -> None:
        self._renderings[key] = rendering
        self._characters += len(rendering.text)
        while self._characters > self.max_characters:
            _, oldest = self._renderings.popitem(last=False)
            self._characters -= len(oldest.text)


def render_key(request: RenderRequest, files: Mapping[str, bytes], minor: int) -> bytes:
    """Stands for all that a rendering is made of: the request, the root's files, the cluster's minor version."""
    found = hashlib.sha256(repr((request, minor)).encode("utf-8", "surrogatepass"))
    for path, data in sorted(files.items()):
        found.update(repr((path, len(data))).encode("utf-8", "surrogatepass") + data)
    return found.digest()
