"""Values without the tags of images, which a change of nothing else leaves equal."""

from __future__ import annotations

import re
from typing import Any

_TAG = re.compile(r"(?:image)?[-_]?(?:tag|digest)|newTag|appVersion", re.IGNORECASE)
_TAG_OF_IMAGE = re.compile(r"(?<=[^/])(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?$")


def without_image_tags(value: Any) -> Any:
    """The JSON value without tags and digests: of images, also in JSON patches, and in keys named for them."""
    if isinstance(value, list):
        return [without_image_tags(item) for item in value]
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
