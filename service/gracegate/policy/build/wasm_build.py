"""What OPA makes of a set of rules: their METADATA, read, and the Wasm."""

from __future__ import annotations

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gracegate.errors import RulesError

ENTRYPOINT = "gracegate/main/report"

Annotation = Mapping[str, Any]
"""The METADATA of a package or rule with its path and location, as `opa inspect` writes it."""


def inspect_and_compile(modules: Mapping[str, str], opa: Path, capabilities: Path) -> tuple[list[Annotation], bytes]:
    """The annotations of the modules and their Wasm. Raises RulesError where OPA rejects them."""
    with tempfile.TemporaryDirectory() as name:
        # Only the modules, so that neither tests nor files generated before get into what is generated.
        folder = Path(name, "policies")
        for path, text in modules.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        inspected = json.loads(_run_opa([opa, "inspect", "-a", "-f", "json", "."], folder))
        bundle = folder.parent / "bundle.tar.gz"
        build: list[str | Path] = [
            opa,
            "build",
            "-t",
            "wasm",
            "-e",
            ENTRYPOINT,
            "--capabilities",
            capabilities,
            "-b",
            ".",
            "-o",
            bundle,
        ]
        _run_opa(build, folder)
        with tarfile.open(bundle) as archive:
            members = [archive.extractfile(member) for member in archive if member.name == "/policy.wasm"]
            wasm = b"".join(member.read() for member in members if member)
    return inspected["annotations"], wasm


def _run_opa(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise RulesError(f"OPA rejects the rules: {(done.stderr or done.stdout).strip()}")
    return done.stdout
