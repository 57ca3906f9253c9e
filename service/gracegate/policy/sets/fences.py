"""What the modules of a policy set must not do, found without evaluating or compiling any of them. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from gracegate.errors import RulesError
from gracegate.policy.sets.modules import Call, Module, Path, Reference

CONTRACT = 1
"""The version of what sets may rely on: the input, the report, and the fields of the public libraries."""

PUBLIC_LIBRARIES = frozenset({"containers", "patches", "scaling", "services", "text", "values", "workloads"})
"""The libraries of gracegate that policy sets may import; the others change with any version."""

FORBIDDEN_BUILTINS: Mapping[str, str] = {
    "http.send": "a check has no network: put what the rule needs into data/",
    "net.lookup_ip_addr": "a check has no network: put what the rule needs into data/",
    "opa.runtime": "a check shows rules no environment: use input.cluster or a parameter",
    "providers.aws.sign_req": "a check has no network: put what the rule needs into data/",
    "rand.intn": "the same manifests must always give the same findings",
    "rego.parse_module": "rules evaluate manifests, not Rego",
    "time.now_ns": "the same manifests must always give the same findings: METADATA has `effective_on`",
    "trace": "use print(), which `opa test` shows",
    "uuid.rfc4122": "the same manifests must always give the same findings",
}
"""The builtins that rules of policy sets must not call, each with what to do instead; all others of OPA are allowed."""

_LIBRARY: Path = ("data", "gracegate", "lib")
_RULES: Path = ("data", "gracegate", "rules")
_TESTING: Path = ("data", "gracegate", "testing")
_RESERVED = ("gracegate", "rules", "schema", "system")
_FORMAT = "data.gracegate.lib.text.format"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What modules may refer to beside each other: the names of the public libraries, and the roots of the data.

    `groups` are those of the built-in rules, and `parameters` the names of each own rule's, by its id.
    """

    libraries: Mapping[Path, Set[str]]
    groups: Collection[str]
    data: Collection[str] = ()
    parameters: Mapping[str, Collection[str]] | None = None


def mistakes_in(modules: Sequence[Module], around: Surroundings) -> list[RulesError]:
    """All that crosses a fence, by file and line."""
    known = _packages(modules, around)
    found = [
        RulesError(message, file=module.file, line=line)
        for module in modules
        for line, message in (
            *_of_package(module, around),
            *_of_schemas(module),
            *_of_references(module, known, around),
            *(problem for call in module.calls for problem in _of_call(call)),
        )
    ]
    # An import and its uses have the same mistake.
    by_place = {(one.file, one.line, one.message): one for one in found}
    return sorted(by_place.values(), key=lambda one: (one.file or "", one.line or 0))


def foreign_mistakes_in(modules: Sequence[Module]) -> list[RulesError]:
    """What policies for other tools must not do either, by file and line: their packages and references are theirs."""
    return [
        RulesError(message, file=module.file, line=line)
        for module in modules
        for line, message in (*_of_schemas(module), *(problem for call in module.calls for problem in _of_call(call)))
    ]


def _packages(modules: Sequence[Module], around: Surroundings) -> dict[Path, set[str]]:
    packages = {package: set(names) for package, names in around.libraries.items()}
    for module in modules:
        packages.setdefault(module.package, set()).update(module.names)
    return packages


def _of_package(module: Module, around: Surroundings) -> Iterator[tuple[int, str]]:
    root = module.package[1] if len(module.package) > 1 else ""
    if module.file.startswith("rules/"):
        group = module.file.split("/")[1]
        if group in around.groups:
            yield module.row, f"`{group}` is a group of built-in rules: choose another name for the folder"
        elif not module.is_test and module.package[:3] != _RULES:
            yield module.row, f"the package of a rule begins with gracegate.rules.{group}"
        elif root == "gracegate" and module.package[:4] != (*_RULES, group):
            yield module.row, f"the package of a file in rules/{group}/ cannot be {_shown(module.package)}"
    elif root in _RESERVED:
        yield module.row, f"the package of a library cannot begin with `{root}`: use a name of your own"


def _of_schemas(module: Module) -> Iterator[tuple[int, str]]:
    """OPA reads what a schema refers to, wherever that is, while it compiles."""
    for annotation in module.annotations:
        for schema in annotation.get("schemas", ()):
            if "definition" in schema:
                line = annotation["location"]["row"]
                yield line, "a schema has to be named as `schema.input`: OPA would read what an inline one refers to"


def _of_references(module: Module, known: Mapping[Path, set[str]], around: Surroundings) -> Iterator[tuple[int, str]]:
    for reference in (*module.imports, *module.references):
        if reference.path[:2] == ("input", "params"):
            yield from _of_parameter(reference, around)
        elif reference.path[0] == "data":
            yield from _of_data(reference, module, known, around)


def _of_data(
    reference: Reference, module: Module, known: Mapping[Path, set[str]], around: Surroundings
) -> Iterator[tuple[int, str]]:
    path, line = reference.path, reference.line
    if path == ("data",):
        yield line, "name what you read of `data`: all of it is everything that is loaded"
    elif path[:2] == ("data", "gracegate") and path[:3] not in {_LIBRARY, _RULES, _TESTING}:
        yield line, f"{_shown(path)} is not for policy sets"
    elif path[:3] == _TESTING and not module.is_test:
        yield line, "gracegate.testing is for files that end with _test.rego"
    elif path[:3] == _LIBRARY and len(path) > 3 and path[:4] not in known:
        names = ", ".join(sorted(PUBLIC_LIBRARIES))
        yield line, f"{_shown(path[:4])} is not for policy sets, whose libraries are {names}"
    elif path[1] not in around.data and not _leads_somewhere(reference, known):
        yield line, f"there is no {_shown(path)}{_nearest(path, known)}"


def _leads_somewhere(reference: Reference, known: Mapping[Path, set[str]]) -> bool:
    path = reference.path
    for package, names in known.items():
        shared = min(len(path), len(package))
        if path[:shared] != package[:shared]:
            continue
        if len(path) <= len(package) or path[len(package)] in names:
            return True
    return False


def _nearest(path: Path, known: Mapping[Path, set[str]]) -> str:
    names = [_shown((*package, name)) for package, of_package in known.items() for name in (*of_package, "")]
    near = difflib.get_close_matches(_shown(path), [name.rstrip(".") for name in names], n=1, cutoff=0.8)
    return f", did you mean {near[0]}?" if near else ""


def _of_parameter(reference: Reference, around: Surroundings) -> Iterator[tuple[int, str]]:
    if around.parameters is None or len(reference.path) < 3:
        return
    _, _, rule, *rest = reference.path
    if rule not in around.parameters:
        yield reference.line, f"input.params has the parameters of this set's rules, and `{rule}` is none of them"
    elif rest and rest[0] not in around.parameters[rule]:
        declared = ", ".join(sorted(around.parameters[rule])) or "none"
        yield reference.line, f"the METADATA of {rule} does not declare the parameter `{rest[0]}`; declared: {declared}"


def _of_call(call: Call) -> Iterator[tuple[int, str]]:
    if call.name in FORBIDDEN_BUILTINS:
        yield call.line, f"{call.name} is not among the builtins that rules may use: {FORBIDDEN_BUILTINS[call.name]}"
    if call.name == _FORMAT and len(call.operands) > 1:
        pattern, words = call.operands[:2]
        if pattern.get("type") == "string" and words.get("type") == "array":
            places, given = str(pattern["value"]).count("{}"), len(words["value"])
            if places != given:
                yield call.line, f"text.format has {_count(places, 'place')} for {_count(given, 'word')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(path: Path) -> str:
    """The path as people write it."""
    return ".".join(path[1:]) if path[0] == "data" and len(path) > 1 else ".".join(path)
