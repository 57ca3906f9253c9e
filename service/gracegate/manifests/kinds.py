"""The kinds that rules read, and how text that may hold one is recognised before anything is built."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gracegate.model import WORKLOAD_KINDS, Limits
from gracegate.yaml import split_documents

KINDS = frozenset(
    {
        *WORKLOAD_KINDS,
        "Application",
        "ApplicationSet",
        "BackendConfig",
        "GCPBackendPolicy",
        "GRPCRoute",
        "Gateway",
        "HTTPProxy",
        "HTTPRoute",
        "HelmRelease",
        "HorizontalPodAutoscaler",
        "Ingress",
        "IngressRoute",
        "IngressRouteTCP",
        "Kustomization",
        "Namespace",
        "PersistentVolumeClaim",
        "PodDisruptionBudget",
        "Route",
        "ScaledObject",
        "Service",
        "TCPRoute",
        "TLSRoute",
        "TargetGroupBinding",
        "TargetGroupConfiguration",
        "VirtualService",
    }
)
"""The kinds that rules read; any other object is counted and not built."""

RENDERED_KINDS: Mapping[str, frozenset[str]] = {
    "Application": frozenset({"argoproj.io"}),
    "ApplicationSet": frozenset({"argoproj.io"}),
    "HelmChart": frozenset({"helm.cattle.io"}),
    "HelmRelease": frozenset({"helm.toolkit.fluxcd.io"}),
    "Kustomization": frozenset({"kustomize.toolkit.fluxcd.io"}),
}
"""The kinds of objects from which a controller makes others, with their API groups."""

LISTS = {"List": "items", "Template": "objects", **{f"{kind}List": "items" for kind in KINDS}}
_OBJECT_KEYS = frozenset({"apiVersion", "metadata", "spec", "$patch"})
# Every kustomization has the kind of an object of Flux: only the group tells them apart.
_FLUX = r"apiVersion['\"]?[ \t]*:[ \t]*['\"]?kustomize\.toolkit\.fluxcd\.io/"
_WORDS = "|".join(sorted((KINDS - {"Kustomization"}) | LISTS.keys()))
_KEY = r"kind['\"]?[ \t]*:"
# Each match ends before the next `kind:`, so that a line with many of them is searched in linear time.
_NEAR = rf"(?:(?!{_KEY})[^\n]){{0,60}}?"
# The value may stand on the line after its key.
_GAP = r"[ \t]*(?:\r?\n[ \t]+)?"
# A kind that is an alias, a block scalar or a template may be any of them.
_KIND = rf"{_KEY}{_GAP}(?:{_NEAR}\b(?:{_WORDS})\b|[*|>]|['\"]?\{{[{{%])|{_FLUX}"
KIND_IN_BYTES = re.compile(_KIND.encode())
KIND_IN_TEXT = re.compile(_KIND)
SERVICE_IN_TEXT = re.compile(rf"{_KEY}{_GAP}{_NEAR}\bService(?:List)?\b")

# Python's own parser builds everything at once.
_MAX_JSON_CHARACTERS = Limits().bytes
# The lines before the content of a document: comments, blank ones and its marker.
_FIRST_CONTENT = re.compile(r"\ufeff?(?:(?:---)?[ \t]*+(?:#[^\n]*+)?\r?\n)*+")
_PLAIN_KEY = re.compile(r"[A-Za-z]\w*:(?=[ \t\r\n])")
# What may give a block mapping a key that does not begin its line with that key.
_UNUSUAL_KEY = re.compile(r"^[?!&*<{\['\"]", re.MULTILINE)
_TOP_LEVEL_KIND = re.compile(r"^kind[ \t]*:(?:[ \t]+['\"]?(\w+)['\"]?[ \t]*(?:#.*)?\r?$)?", re.MULTILINE)


def is_read(found: Mapping[str, Any]) -> bool:
    """Whether what has a kind is an object of a kind that rules read."""
    kind = found["kind"]
    # Beside other keys alone, `kind` is a setting of something else, such as the values of a chart.
    if kind not in KINDS or (found.keys() > {"kind"} and found.keys().isdisjoint(_OBJECT_KEYS)):
        return False
    return kind not in RENDERED_KINDS or str(found.get("apiVersion")).partition("/")[0] in RENDERED_KINDS[kind]


def may_hold_objects(data: bytes) -> bool:
    """Whether a file may have an object of a kind that rules read."""
    if not KIND_IN_BYTES.search(data):
        return False
    text = data.decode(errors="replace")
    return not all(is_of_other_kind(text[span.start : span.end]) for span in split_documents(text))


def count_top_level_kinds(data: bytes) -> int:
    """About how many objects of any kind a file has, if it is in block style."""
    return data.count(b"\nkind:") + data.startswith(b"kind:")


def is_of_other_kind(text: str) -> bool:
    """Whether one YAML document surely is an object of a kind that no rule reads; nothing is built for that.

    A CustomResourceDefinition can be larger than all limits, and its descriptions name every kind there is.
    """
    start = _FIRST_CONTENT.match(text)
    if start is None:
        return False
    if text.startswith("{", start.end()):
        return _is_json_of_other_kind(text)
    if not _PLAIN_KEY.match(text, start.end()) or _UNUSUAL_KEY.search(text):
        return False
    found = _TOP_LEVEL_KIND.findall(text)
    return bool(found) and all(kind and _is_other_kind(kind, text) for kind in found)


def _is_other_kind(kind: str, text: str) -> bool:
    """Whether rules read no object of a kind that a text has."""
    if kind in RENDERED_KINDS:
        return kind not in KINDS or not any(group in text for group in RENDERED_KINDS[kind])
    return kind not in KINDS and kind not in LISTS


def _is_json_of_other_kind(text: str) -> bool:
    if len(text) > _MAX_JSON_CHARACTERS:
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    kind = value.get("kind")
    return isinstance(kind, str) and _is_other_kind(kind, text)
