"""Values without the tags of images, which a change of nothing else leaves equal."""

from __future__ import annotations

import re
from typing import Any

_TAG = re.compile(r"(?:image)?[-_]?(?:tag|digest)|newTag|appVersion", re.IGNORECASE)
_TAG_OF_IMAGE = re.compile(r"(?<=[^/])(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?$")
_TAG_IN_LINE = re.compile(
    rb"^([ \t]*(?:-[ \t]+)?image:[ \t]*[^\s{}#]+?)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?(?=['\"]?[ \t]*\r?$)", re.MULTILINE
)


def without_image_tags(value: Any) -> Any:
    """A JSON value, or the text of a template, without the tags and digests of images.

    In a value, these are also those of JSON patches and of keys that are named for them.
    """
    if isinstance(value, list):
        return [without_image_tags(item) for item in value]
    if isinstance(value, bytes):
        return _TAG_IN_LINE.sub(rb"\1", value)
    if not isinstance(value, dict):
        return value
    is_patch_of_image = "op" in value and str(value.get("path")).endswith("/image")
    return {
        key: _TAG_OF_IMAGE.sub("", item, count=1)
        if isinstance(item, str) and (key == "image" or (is_patch_of_image and key == "value"))
        else without_image_tags(item)
        for key, item in value.items()
        if not _TAG.fullmatch(key)
    }
