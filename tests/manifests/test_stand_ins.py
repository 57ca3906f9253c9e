"""What stands in the place of files that are not in git and of what programs make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gracegate.manifests.kustomize import read_kustomization
from gracegate.manifests.stand_ins import stand_ins
from gracegate.model import Limits, SourceFile

KSOPS = "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata: {name: a}\nfiles: [./a.enc.yaml, none.yaml]\n"
SECRETS = "kind: List\nitems:\n- {kind: Secret, metadata: {name: a}}\n- {kind: Secret, metadata: {name: b}}\n"
ENCRYPTED = "kind: Secret\nmetadata: {name: token, namespace: shop}\ndata: {a: 'ENC[]'}\n"
SOPS = "apiVersion: goabout.com/v1beta1\nkind: SopsSecretGenerator\nmetadata: {name: b}\n"


def secret(name: str, *, has_hash: bool, **metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "builtin",
        "kind": "SecretGenerator",
        "metadata": {"name": name, **metadata},
        "options": {"disableNameSuffixHash": not has_hash},
    }


@pytest.mark.parametrize(
    ("kustomization", "files", "expected"),
    [
        ("resources: [a.yaml]\n", {}, {}),
        ("secretGenerator: [{name: a, envs: [secret.env]}]\n", {}, {"web/secret.env": []}),
        ("configMapGenerator: [{name: a, files: [b=../x/a.conf]}]\n", {}, {"x/a.conf": []}),
        ("configMapGenerator: [{name: a, files: [a.yaml]}]\n", {"web/a.yaml": ""}, {}),
        (
            "generators: [ksops.yaml]\n",
            {"web/ksops.yaml": KSOPS, "web/a.enc.yaml": ENCRYPTED},
            {"web/ksops.yaml": [secret("token", has_hash=False, namespace="shop")]},
        ),
        (
            "generators: [ksops.yaml]\n",
            {"web/ksops.yaml": KSOPS, "web/a.enc.yaml": SECRETS},
            {"web/ksops.yaml": [secret("a", has_hash=False), secret("b", has_hash=False)]},
        ),
        (
            "generators: [sops.yaml]\n",
            {"web/sops.yaml": f"{SOPS}---\n{SOPS}disableNameSuffixHash: true\n"},
            {"web/sops.yaml": [secret("b", has_hash=True), secret("b", has_hash=False)]},
        ),
        ("generators: [run.yaml]\n", {"web/run.yaml": "kind: Run\nmetadata: {name: a}\n"}, {}),
        ("generators: [run.yaml]\n", {"web/run.yaml": f"{SOPS}---\nkind: Run\nmetadata: {{name: a}}\n"}, {}),
        ("generators: [none.yaml, run.yaml]\n", {"web/run.yaml": "["}, {}),
    ],
)
def test_stand_ins(kustomization: str, files: Mapping[str, str], expected: Mapping[str, list[Any]]) -> None:
    sources = {path: SourceFile(path, text.encode()) for path, text in files.items()}
    read = read_kustomization(SourceFile("web/kustomization.yaml", kustomization.encode()), Limits())
    assert read is not None
    found = stand_ins(read, sources, Limits())
    assert {path: [json.loads(part) for part in text.split("---") if part] for path, text in found} == expected
