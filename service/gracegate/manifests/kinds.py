"""The kinds that rules read, and how text that may hold one is recognised before anything is built."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
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
"""The kinds that the built-in rules read; any other object is counted and not built, unless a policy set reads it."""

RENDERED_KINDS: Mapping[str, frozenset[str]] = {
    "Application": frozenset({"argoproj.io"}),
    "ApplicationSet": frozenset({"argoproj.io"}),
    "HelmChart": frozenset({"helm.cattle.io"}),
    "HelmRelease": frozenset({"helm.toolkit.fluxcd.io"}),
    "Kustomization": frozenset({"kustomize.toolkit.fluxcd.io"}),
    "OCIRepository": frozenset({"source.toolkit.fluxcd.io"}),
}
"""The kinds of objects from which a controller makes others, or takes what it makes them of, with their API groups."""

_OBJECT_KEYS = frozenset({"apiVersion", "metadata", "spec", "$patch"})
# Every kustomization has the kind of an object of Flux: only the group tells them apart.
_FLUX = r"apiVersion['\"]?[ \t]*:[ \t]*['\"]?kustomize\.toolkit\.fluxcd\.io/"
_KEY = r"kind['\"]?[ \t]*:"
# Each match ends before the next `kind:`, so that a line with many of them is searched in linear time.
_NEAR = rf"(?:(?!{_KEY})[^\n]){{0,60}}?"
# The value may stand on the line after its key.
_GAP = r"[ \t]*(?:\r?\n[ \t]+)?"
SERVICE_IN_TEXT = re.compile(rf"{_KEY}{_GAP}{_NEAR}\bService(?:List)?\b")

# Python's own parser builds everything at once.
_MAX_JSON_CHARACTERS = Limits().bytes
# The lines before the content of a document: comments, blank ones and its marker.
_FIRST_CONTENT = re.compile(r"\ufeff?(?:(?:---)?[ \t]*+(?:#[^\n]*+)?\r?\n)*+")
_PLAIN_KEY = re.compile(r"[A-Za-z]\w*:(?=[ \t\r\n])")
# What may give a block mapping a key that does not begin its line with that key.
_UNUSUAL_KEY = re.compile(r"^[?!&*<{\['\"]", re.MULTILINE)
_TOP_LEVEL_KIND = re.compile(r"^kind[ \t]*:(?:[ \t]+['\"]?(\w+)['\"]?[ \t]*(?:#.*)?\r?$)?", re.MULTILINE)


def count_top_level_kinds(data: bytes) -> int:
    """About how many objects of any kind a file has, if it is in block style."""
    return data.count(b"\nkind:") + data.startswith(b"kind:")


class ReadKinds:
    """The kinds that rules read: the built-in ones, and the `own` ones of policy sets, see Limits."""

    def __init__(self, own: frozenset[str]) -> None:
        self._groups: dict[str, set[str]] = {}
        for group, _, kind in (name.rpartition("/") for name in own):
            self._groups.setdefault(kind, set()).add(group)
        self.names = KINDS | self._groups.keys()
        self.lists = {"List": "items", "Template": "objects", **{f"{kind}List": "items" for kind in self.names}}
        words = "|".join(sorted((self.names - ({"Kustomization"} - self._groups.keys())) | self.lists.keys()))
        # A kind that is an alias, a block scalar or a template may be any of them.
        kind = rf"{_KEY}{_GAP}(?:{_NEAR}\b(?:{words})\b|[*|>]|['\"]?\{{[{{%])|{_FLUX}"
        self.in_bytes = re.compile(kind.encode())
        self.in_text = re.compile(kind)

    def has(self, found: Mapping[str, Any]) -> bool:
        """Whether what has a kind is an object of a kind that rules read."""
        kind = found["kind"]
        # Beside other keys alone, `kind` is a setting of something else, such as the values of a chart.
        if kind not in self.names or (found.keys() > {"kind"} and found.keys().isdisjoint(_OBJECT_KEYS)):
            return False
        group = str(found.get("apiVersion")).rpartition("/")[0]
        own = self._groups.get(kind, set())
        if "" in own or group in own:
            return True
        return kind in KINDS and (kind not in RENDERED_KINDS or group in RENDERED_KINDS[kind])

    def may_hold_objects(self, data: bytes) -> bool:
        """Whether a file may have an object of a kind that rules read."""
        if not self.in_bytes.search(data):
            return False
        text = data.decode(errors="replace")
        return not all(self.is_of_other_kind(text[span.start : span.end]) for span in split_documents(text))

    def is_of_other_kind(self, text: str) -> bool:
        """Whether one YAML document surely is an object of a kind that no rule reads; nothing is built for that.

        A CustomResourceDefinition can be larger than all limits, and its descriptions name every kind there is.
        """
        start = _FIRST_CONTENT.match(text)
        if start is None:
            return False
        if text.startswith("{", start.end()):
            return self._is_json_of_other_kind(text)
        if not _PLAIN_KEY.match(text, start.end()) or _UNUSUAL_KEY.search(text):
            return False
        found = _TOP_LEVEL_KIND.findall(text)
        return bool(found) and all(kind and self._is_other_kind(kind, text) for kind in found)

    def _is_other_kind(self, kind: str, text: str) -> bool:
        """Whether rules read no object of a kind that a text has."""
        if kind in RENDERED_KINDS and kind not in self._groups:
            return kind not in KINDS or not any(group in text for group in RENDERED_KINDS[kind])
        return kind not in self.names and kind not in self.lists

    def _is_json_of_other_kind(self, text: str) -> bool:
        if len(text) > _MAX_JSON_CHARACTERS:
            return False
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return False
        kind = value.get("kind")
        return isinstance(kind, str) and self._is_other_kind(kind, text)


@cache
def read_kinds(own: frozenset[str]) -> ReadKinds:
    """The kinds that rules read where policy sets read these `own` ones too."""
    return ReadKinds(own)
