"""Why a text cannot be read as YAML or JSON, and on which line."""

from __future__ import annotations

from typing import Literal

from gracegate.errors import InputError

Code = Literal["syntax", "too_large", "too_many_documents", "too_deep", "too_many_nodes", "too_many_aliases"]


class YamlError(InputError):
    """A document cannot be read; `line` counts from 1 within the text that was given."""

    def __init__(self, code: Code, message: str, line: int) -> None:
        super().__init__(message, line=line)
        self.code = code
