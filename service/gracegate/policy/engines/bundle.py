"""The rules as a bundle for an OPA server: it takes all of them at once, and lets nobody add to them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from gracegate.policy import Catalog
from gracegate.policy.engines.opa_process import VERSION_MODULE, VERSION_PACKAGE

RELEASE = "gracegate_release"
"""What `data` has of a set of rules: their digest."""
_ROOTS = ("gracegate", RELEASE, VERSION_PACKAGE)


def rules_bundle(catalog: Catalog) -> bytes:
    """A .tar.gz of the built-in rules; the same for the same rules."""
    release = {RELEASE: {"digest": catalog.digest}}
    files = {
        ".manifest": json.dumps({"revision": catalog.digest, "roots": [*_ROOTS]}),
        "data.json": json.dumps({**catalog.data, **release}),
        **{f"gracegate/{path}": text for path, text in catalog.modules.items()},
        "gracegate/engine.rego": VERSION_MODULE,
    }
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for path, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def owns_rules(bundles: Any, digest: str) -> bool:
    """Whether one of the bundles of an OPA, as `data.system.bundles` has them, is that of the rules of a digest. OPA
    refuses every other module and value in the packages of a bundle."""
    if not isinstance(bundles, Mapping):
        return False
    manifests = (one.get("manifest") for one in bundles.values() if isinstance(one, Mapping))
    return any(
        isinstance(one, Mapping) and one.get("revision") == digest and set(one.get("roots") or ()) >= {*_ROOTS}
        for one in manifests
    )
