"""Policies of conftest and Gatekeeper on an OPA of their own: Wasm knows neither Rego v0 nor many of their builtins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gracegate.errors import EngineError
from gracegate.model import Engine
from gracegate.policy import Catalog
from gracegate.policy.engines.opa_connection import Connection, Undefined
from gracegate.policy.engines.opa_process import VERSION_MODULE, VERSION_PACKAGE, OpaProcess
from gracegate.policy.foreign import (
    PACKAGE,
    ForeignEngine,
    ForeignPolicies,
    Question,
    Said,
    bundle_of,
    chosen_by,
    whole_document,
)


@contextmanager
def open_foreign_policies(
    binary: Path, catalog: Catalog, *, seconds: float = 60.0
) -> Iterator[tuple[Engine, Callable[[Mapping[str, Any], float], Any]]]:
    """What evaluates the foreign policies of a catalogue, on an OPA that runs as long as the context.

    An evaluation may take `seconds` where it is not given another limit. Raises EngineUnavailable.
    """
    policies = ForeignPolicies.of(catalog.foreign or {}, catalog.modules, catalog.rules)
    with_file = policies.reads_file
    files = {**bundle_of(policies), f"{VERSION_PACKAGE}.rego": VERSION_MODULE}
    with (
        OpaProcess(binary, files, is_bundle=True) as process,
        closing(Connection(process.url, token=process.token, seconds=seconds)) as connection,
    ):

        def ask(questions: Sequence[Question], limit: float | None) -> Sequence[Said]:
            return _ask(connection, questions, limit, with_file=with_file)

        combined = {one.rule.id for one in policies.rules if one.is_combined}
        choose = chosen_by(policies.matches) if policies.matches else whole_document
        version = connection.query(VERSION_PACKAGE, "version", {})
        yield Engine("opa", str(version), catalog.digest), ForeignEngine(ask, catalog.digest, choose, combined).evaluate


def _ask(
    connection: Connection, questions: Sequence[Question], seconds: float | None, *, with_file: bool
) -> Sequence[Said]:
    asked = {
        "questions": [
            {"object": one.object, "rules": list(one.rules), **({"file": _file(one.path)} if with_file else {})}
            for one in questions
        ]
    }
    try:
        # conftest passes over errors of builtins too, such as a number that cannot be read.
        said = connection.query(PACKAGE, "said", asked, seconds, is_strict=False)
    except Undefined as error:
        raise EngineError("OPA has no policies to ask") from error
    return [Said(one["question"], one["rule"], one["result"]) for one in said]


def _file(path: str) -> Mapping[str, str]:
    """The name and the folder of a file as conftest tells them: absolute, as if the repository were all there is."""
    folder, _, name = path.rpartition("/")
    return {"name": name, "dir": f"/{folder}"}
