"""What OPA makes of a folder of rules: the catalogue, the Wasm build and the README."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from gracegate.errors import RulesError
from gracegate.policy import digest_of, read_modules
from gracegate.policy.build import metadata, rule_index

ENTRYPOINT = "gracegate/main/report"


def build(folder: Path, opa: Path) -> dict[str, bytes]:
    """The generated files by path inside the folder; the same bytes for the same rules and the same OPA.

    Raises RulesError where OPA refuses the rules or their METADATA is wrong.
    """
    modules = read_modules(folder)
    with tempfile.TemporaryDirectory() as place:
        clean = Path(place, "policies")
        _copy(modules, clean)
        inspected = json.loads(_run([opa, "inspect", "-a", "-f", "json", "."], clean))
        wasm = _wasm(opa, clean, folder.resolve() / "capabilities.json")
    rules = metadata.rules(inspected["annotations"], modules)
    catalogue = {"digest": digest_of(modules), "rules": [asdict(rule) for rule in rules]}
    return {
        "README.md": rule_index.render(rules).encode(),
        "compiled/catalog.json": (json.dumps(catalogue, indent=1, ensure_ascii=False, default=str) + "\n").encode(),
        "compiled/policy.wasm": wasm,
    }


def _copy(modules: Mapping[str, str], folder: Path) -> None:
    """Without tests and without what was generated before, so that neither gets into what is generated."""
    for name, text in modules.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _wasm(opa: Path, folder: Path, capabilities: Path) -> bytes:
    bundle = folder.parent / "bundle.tar.gz"
    limits = ["--capabilities", str(capabilities)]
    _run([opa, "build", "-t", "wasm", "-e", ENTRYPOINT, *limits, "-b", ".", "-o", str(bundle)], folder)
    with tarfile.open(bundle) as archive:
        modules = [archive.extractfile(member) for member in archive if member.name == "/policy.wasm"]
        return b"".join(module.read() for module in modules if module)


def _run(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise RulesError(f"OPA refuses the rules: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def settle(folder: Path, made: Mapping[str, bytes], *, check: bool, only: str | None = None) -> int:
    """Writes what differs; with `check` it is named instead, and the result is 1.

    `only` is a subfolder that holds nothing else: files there that were not made are removed.
    """
    left = [] if only is None else [path for path in folder.glob(f"{only}/*") if path not in {folder / n for n in made}]
    for path in left:
        if check:
            sys.stderr.write(f"{path} belongs to no rule: run `make policies`\n")
        else:
            path.unlink()
    stale = [name for name, data in made.items() if not _holds(folder / name, data)]
    for name in stale:
        if check:
            sys.stderr.write(f"{folder / name} is not fresh: run `make policies`\n")
        else:
            _write(folder / name, made[name])
    return 1 if (stale or left) and check else 0


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
