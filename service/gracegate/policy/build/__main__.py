"""`make policies`: writes all that is generated from a folder of rules.

    python -m gracegate.policy.build [--check] [--opa PATH] [FOLDER]

`--check` writes nothing, and ends with 1 where the folder holds something else than what would be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from gracegate.errors import RulesError
from gracegate.policy import builtin_policies
from gracegate.policy.build.pages import PAGES_FOLDER
from gracegate.policy.build.stages import STAGES


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gracegate.policy.build", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=builtin_policies())
    parser.add_argument("--opa", type=Path, default=Path("opa"), help="the opa command to use")
    parser.add_argument("--check", action="store_true", help="only say whether the generated files are fresh")
    chosen = parser.parse_args(arguments)
    try:
        for build in STAGES:
            files = build(chosen.folder, chosen.opa)
            if not chosen.check:
                write_files(chosen.folder, files)
            elif problems := stale_files(chosen.folder, files):
                sys.stderr.writelines(f"{problem}: run `make policies`\n" for problem in problems)
                return 1
    except RulesError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files that differ, and removes pages whose rule is gone."""
    for path in orphaned_pages(folder, files):
        path.unlink()
    for name, data in files.items():
        path = folder / name
        if not is_fresh(path, data):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def stale_files(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with the folder, in words; empty where it holds exactly the files."""
    return [
        *(f"{path} belongs to no rule" for path in orphaned_pages(folder, files)),
        *(f"{folder / name} is not fresh" for name, data in files.items() if not is_fresh(folder / name, data)),
    ]


def orphaned_pages(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """The pages of rules that are gone, where `files` are the pages."""
    pages = {folder / name for name in files if name.startswith(f"{PAGES_FOLDER}/")}
    return sorted(set(folder.glob(f"{PAGES_FOLDER}/*")) - pages) if pages else []


def is_fresh(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


if __name__ == "__main__":
    sys.exit(main())
