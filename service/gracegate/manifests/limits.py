"""The bounds of foreign text, and the error that names the line where it goes over one or cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gracegate.errors import InputError

Code = Literal["syntax", "too_large", "too_many_documents", "too_deep", "too_many_nodes", "too_many_aliases"]


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes` and `documents` bound one file, `documents` also the objects of one list, the others one document.

    `nodes` counts what an alias stands for at each of its uses, `depth` through aliases.
    """

    bytes: int = 5_000_000
    documents: int = 10_000
    depth: int = 100
    nodes: int = 200_000
    aliases: int = 1_000


class YamlError(InputError):
    """A document cannot be read; `line` counts from 1 within the text that was given."""

    def __init__(self, code: Code, message: str, line: int) -> None:
        super().__init__(message, line=line)
        self.code = code
