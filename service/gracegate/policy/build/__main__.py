"""`make policies`: writes all that is generated from a folder of rules.

    python -m gracegate.policy.build [--check] [--opa PATH] [FOLDER]

`--check` writes nothing, and ends with 1 where what the folder holds is not what would be written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gracegate.errors import RulesError
from gracegate.policy import builtin_policies
from gracegate.policy.build import pages, wasm_build, workload_tables
from gracegate.policy.build.rule_index import PAGES


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gracegate.policy.build", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=builtin_policies())
    parser.add_argument("--opa", type=Path, default=Path("opa"), help="the opa command to use")
    parser.add_argument("--check", action="store_true", help="only say whether the generated files are fresh")
    chosen = parser.parse_args(arguments)
    folder, check = chosen.folder, chosen.check
    try:
        # Each stage reads what the one before it wrote: the Wasm holds the libraries, the pages show what it finds.
        return (
            wasm_build.settle(folder, {workload_tables.LIBRARY: workload_tables.build().encode()}, check=check)
            or wasm_build.settle(folder, wasm_build.build(folder, chosen.opa), check=check)
            or wasm_build.settle(folder, pages.build(folder), check=check, only=PAGES)
        )
    except RulesError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
