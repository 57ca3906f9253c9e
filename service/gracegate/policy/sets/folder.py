"""A policy set as its authors write it: a folder with rules, libraries, data and a file that describes it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from gracegate.errors import ConfigError, InputError, RulesError
from gracegate.model import Rule
from gracegate.policy.sets.fences import CONTRACT
from gracegate.repo_config import DEFAULT_OWNER, POLICIES_FILE, ForeignEntry, PoliciesFile, parse_policies_file
from gracegate.yaml import json_value, parse_yaml

CASES_FOLDER = "cases"
MAX_DATA_BYTES = 8_000_000
_MAX_FILE_BYTES = 1_000_000
RULE_FILE = re.compile(r"rules/[a-z][a-z0-9_]*/([a-z0-9_]+)\.rego")
"""The path of a rule inside its set, with its id in snake_case; tests match too."""
_FOR_CONFTEST = re.compile(r"^(?:deny|violation|warn)\w*(?:\[| contains | if |\s*\{)", re.MULTILINE)
_RESERVED_DATA = re.compile(r"gracegate.*|rules|schema|system")
_RESERVED_FOREIGN_DATA = re.compile(r"gracegate.*|conftest|system")
_DATA_FILES = ("data.json", "data.yaml", "data.yml")
# Folders of a repository that hold no rules.
_OTHER_FOLDERS = frozenset({CASES_FOLDER, "node_modules"})


@dataclass(frozen=True)
class ForeignFolder:
    """Policies for another tool in a folder of a set: its texts by path inside the set, without tests, and the values
    of its data."""

    entry: ForeignEntry
    texts: Mapping[str, str]
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyFolder:
    """What a folder holds: Rego texts by path inside it, the values of its data, what it says of itself, and policies
    for other tools.

    `mistakes` are those that show before any Rego is read.
    """

    folder: Path
    name: str
    modules: Mapping[str, str]
    tests: Mapping[str, str]
    data: Mapping[str, Any]
    described: PoliciesFile = field(default_factory=PoliciesFile)
    foreign: tuple[ForeignFolder, ...] = ()
    mistakes: tuple[RulesError, ...] = ()

    @property
    def rule_ids(self) -> frozenset[str]:
        """The ids that its files give rules, also to those that cannot be used."""
        found = (RULE_FILE.fullmatch(file) for file in self.modules)
        return frozenset(match[1].replace("_", "-") for match in found if match)


def read_policy_folder(folder: Path, source: str = "") -> PolicyFolder:
    """The policy set in a folder, which errors call `source` where it is a copy of one.

    Raises ConfigError where there is none, or its POLICIES_FILE cannot be used.
    """
    shown = source or str(folder)
    if not folder.is_dir():
        raise ConfigError("there is no such folder of policies", file=shown)
    described = parse_policies_file(_described(folder / POLICIES_FILE), f"{shown}/{POLICIES_FILE}")
    if described.contract != CONTRACT:
        message = f"this gracegate knows contract {CONTRACT} of policy sets, not {described.contract}"
        raise ConfigError(message, file=f"{shown}/{POLICIES_FILE}")
    mistakes: list[RulesError] = []
    files = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    foreign = tuple(_foreign(entry, files, mistakes) for entry in described.foreign)
    theirs = [path for one in described.foreign for path in (one.path, *one.data)]
    files = {name: path for name, path in files.items() if not any(_is_in(name, path) for path in theirs)}
    texts = {name: _text(path, name, mistakes) for name, path in files.items() if name.endswith(".rego")}
    if not texts and not foreign:
        raise ConfigError("there are no Rego files in this folder of policies", file=shown)
    if not foreign and not any(map(RULE_FILE.fullmatch, texts)) and any(map(_FOR_CONFTEST.search, texts.values())):
        message = (
            f"these are policies for conftest: `gracegate policy import conftest {folder.name}` beside them uses them"
        )
        raise ConfigError(message, file=shown)
    if not texts:
        mistakes += unknown_names(described, (), {one.tool for one in described.foreign})
    for name in texts:
        if not name.endswith("_test.rego") and not name.startswith("lib/") and not RULE_FILE.fullmatch(name):
            message = "a rule lives in rules/<group>/<rule>.rego and a library in lib/, in lower case"
            mistakes.append(RulesError(message, file=name, line=1))
    return PolicyFolder(
        folder=folder,
        name=described.name or folder.resolve().name,
        modules={name: text for name, text in texts.items() if not name.endswith("_test.rego")},
        tests={name: text for name, text in texts.items() if name.endswith("_test.rego")},
        data=_data({name: path for name, path in files.items() if name.startswith("data/")}, mistakes),
        described=described,
        foreign=foreign,
        mistakes=tuple(mistakes),
    )


def cases(policies: PolicyFolder) -> list[tuple[str, Path]]:
    """The manifests that say what is found in them, by path inside the set."""
    paths = sorted((policies.folder / CASES_FOLDER).glob("*/*.y*ml"))
    return [(path.relative_to(policies.folder).as_posix(), path) for path in paths]


def read_foreign_folder(folder: Path, entry: ForeignEntry) -> ForeignFolder:
    """The policies for another tool in a folder of a set. Raises RulesError where they are missing or unreadable."""
    mistakes: list[RulesError] = []
    found = _foreign(entry, {path.relative_to(folder).as_posix(): path for path in _files(folder)}, mistakes)
    if mistakes:
        raise RulesError.of(mistakes)
    return found


def unknown_names(described: PoliciesFile, rules: Sequence[Rule], others: Set[str]) -> list[RulesError]:
    """What a set says of rules and groups that it has not. Names that begin with one of the `others`, as those of rules
    for other tools do, are not its own rules'."""
    ids, groups = {rule.id for rule in rules}, {rule.group for rule in rules} | {DEFAULT_OWNER}
    found = [
        RulesError(f"`rules` names `{id_}`, which is no rule of this set", file=POLICIES_FILE, line=modes.line)
        for id_, modes in described.rules.items()
        if id_ not in ids and id_.partition(".")[0] not in others
    ]
    return found + [
        RulesError(f"`owners` names `{group}`, which is no group of rules of this set", file=POLICIES_FILE)
        for group in described.owners
        if group not in groups | others
    ]


def _foreign(entry: ForeignEntry, files: Mapping[str, Path], mistakes: list[RulesError]) -> ForeignFolder:
    suffixes = {"conftest": (".rego",), "gatekeeper": (".yaml", ".yml")}[entry.tool]
    found = {name: path for name, path in files.items() if _is_in(name, entry.path) and name.endswith(suffixes)}
    texts = {name: _text(path, name, mistakes) for name, path in found.items() if not name.endswith("_test.rego")}
    if not texts:
        message = f"there are no files for {entry.tool} in {entry.path}: they end with {' or '.join(suffixes)}"
        mistakes.append(RulesError(message, file=POLICIES_FILE))
    return ForeignFolder(entry, texts, _foreign_data(entry, files, mistakes))


def _foreign_data(entry: ForeignEntry, files: Mapping[str, Path], mistakes: list[RulesError]) -> dict[str, Any]:
    """The values of all YAML and JSON files that `data` names, as `conftest --data` puts them together: each under the
    names of its folders below the one that is named."""
    found: dict[tuple[str, ...], Path] = {}
    for named in entry.data:
        inside = [name for name in files if _is_in(name, named) and name.endswith((".json", ".yaml", ".yml"))]
        if not inside:
            mistakes.append(RulesError(f"there is no YAML or JSON in `data: {named}`", file=POLICIES_FILE))
        depth = 0 if named == "." else len(PurePosixPath(named).parts)
        found.update({(name, *PurePosixPath(name).parent.parts[depth:]): files[name] for name in inside})
    return _merged(found, mistakes, _RESERVED_FOREIGN_DATA)


def _is_in(name: str, folder: str) -> bool:
    return folder in {".", name} or name.startswith(f"{folder}/")


def _described(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=str(path)) from error


def _files(folder: Path) -> Iterator[Path]:
    """The files below a folder, sorted; no link is followed, which could lead anywhere."""
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _OTHER_FOLDERS)
        yield from (path for name in sorted(names) if not (path := Path(top, name)).is_symlink())


def _text(path: Path, name: str, mistakes: list[RulesError]) -> str:
    try:
        data = path.read_bytes()
        if len(data) <= _MAX_FILE_BYTES:
            return data.decode()
        mistakes.append(RulesError(f"the file is larger than {_MAX_FILE_BYTES:,} bytes", file=name, line=1))
    except (OSError, UnicodeDecodeError) as error:
        mistakes.append(RulesError(f"cannot be read: {error}", file=name, line=1))
    return ""


def _data(files: Mapping[str, Path], mistakes: list[RulesError]) -> dict[str, Any]:
    """The values of the data files, each under the names of its folders below data/, as OPA puts them together."""
    others = [name for name, path in files.items() if path.name not in _DATA_FILES]
    mistakes += [RulesError(f"data is in files named {', '.join(_DATA_FILES)}", file=name) for name in others]
    return _merged(
        {(name, *Path(name).parent.parts[1:]): path for name, path in files.items() if name not in others},
        mistakes,
        _RESERVED_DATA,
    )


def _merged(
    files: Mapping[tuple[str, ...], Path], mistakes: list[RulesError], reserved: re.Pattern[str]
) -> dict[str, Any]:
    """The values of files, of which each is named by its path inside the set and the keys that it stands under."""
    merged: dict[str, Any] = {}
    size = 0
    for (name, *keys), path in files.items():
        size += path.stat().st_size
        if size > MAX_DATA_BYTES:
            mistakes.append(RulesError(f"the data is larger than {MAX_DATA_BYTES:,} bytes with this file", file=name))
            break
        try:
            value: Any = _value(path)
            for key in reversed(keys):
                value = {key: value}
            _merge(merged, value)
        except (ValueError, InputError, OSError) as error:
            line = error.line if isinstance(error, InputError) else None
            mistakes.append(RulesError(f"the data cannot be used: {error}", file=name, line=line))
    mistakes.extend(
        RulesError(f"data cannot have the name `{root}`, which gracegate or OPA uses", file="data")
        for root in merged
        if reserved.fullmatch(root)
    )
    return merged


def _value(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return json_value(text, parse_yaml(text))


def _merge(into: dict[str, Any], value: Any) -> None:
    if not isinstance(value, dict):
        raise RulesError("a file of data has to be a mapping")
    for key, item in value.items():
        if key in into and isinstance(into[key], dict) and isinstance(item, dict):
            _merge(into[key], item)
        elif key in into:
            raise RulesError(f"`{key}` is in two files of data")
        else:
            into[str(key)] = item
