"""Writes the pages of the documentation that say what every key and every setting means.

    python -m gracegate.reference [--check]

`--check` writes nothing, and ends with 1 where a page is not what would be written. `make policies` writes them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gracegate.policy import load_builtin
from gracegate.repo_config import Schema, config_schema, policies_schema
from gracegate.yaml import is_plain_safe

DOCS = Path(__file__).with_name("docs")


class Variable(NamedTuple):
    """A variable of the environment, with its `default` for people, "" for none."""

    name: str
    default: str
    description: str


SETTINGS: Mapping[str, Sequence[Variable]] = {
    "The App": (
        Variable("GRACEGATE_APP_ID", "", "The App's id or its client id. Needed."),
        Variable("GRACEGATE_PRIVATE_KEY_FILE", "", "The path of its private key. Needed, or the next one."),
        Variable("GRACEGATE_PRIVATE_KEY", "", "The private key itself, as PEM."),
        Variable(
            "GRACEGATE_WEBHOOK_SECRETS", "", "The webhook's secret; while you rotate it several, newest first. Needed."
        ),
        Variable(
            "GRACEGATE_COMMENT_SIGNING_KEYS",
            "",
            "A random key that signs gracegate's comments; while you rotate it several, newest first. Needed.",
        ),
        Variable(
            "GRACEGATE_ALLOWED_OWNERS", "all", "Review only repositories of these owners, with commas between them."
        ),
        Variable("GRACEGATE_CHECK_NAME", "gracegate", "What the check is called."),
        Variable(
            "GRACEGATE_ON_INCOMPLETE",
            "failure",
            "The conclusion of a check that is incomplete because OPA did not answer: `failure`, or `neutral`, which "
            "does not block. What a pull request can cause itself is always a `failure`.",
        ),
        Variable(
            "GRACEGATE_GITHUB_URL",
            "https://api.github.com",
            "A GitHub Enterprise Server: `https://ghe.example.com/api/v3`.",
        ),
        Variable(
            "GRACEGATE_GIT_URL",
            "https://github.com",
            "Where its repositories are cloned from: `https://ghe.example.com`.",
        ),
    ),
    "The service": (
        Variable(
            "GRACEGATE_DATA_DIR",
            "~/.local/share/gracegate",
            "The folder of the git caches, of what was rendered of them, and of the database.",
        ),
        Variable(
            "GRACEGATE_DATABASE",
            "a SQLite file in that folder",
            "A database URL, for more than one machine: `postgresql://user:password@host/name`. It needs "
            "`pip install gracegate[postgresql]` and a database that the user owns.",
        ),
        Variable("GRACEGATE_BIND", "127.0.0.1:8000", "Where to listen."),
        Variable("GRACEGATE_WEB_PROCESSES", "1", "Web processes."),
        Variable("GRACEGATE_WEB_THREADS", "64", "Threads in each."),
        Variable("GRACEGATE_WORKERS", "1", "Worker processes."),
        Variable("GRACEGATE_WORKER_CONCURRENCY", "4", "Reviews at once in each."),
        Variable("GRACEGATE_LOG_LEVEL", "INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`."),
        Variable("GRACEGATE_SHUTDOWN_SECONDS", "25", "How long a worker that is stopped waits for its reviews."),
        Variable("GRACEGATE_AUDIT_DAYS", "90", "How long the log of writes to GitHub is kept."),
        Variable(
            "GRACEGATE_RECONCILE_SECONDS", "300", "The time between two searches for what webhooks have not told."
        ),
    ),
    "Pages": (
        Variable(
            "GRACEGATE_PUBLIC_URL",
            "",
            "The URL of this service: checks link to a page with all findings, and rules to their pages. Reports are "
            "kept for 30 days, or as long as the pull request is open.",
        ),
        Variable("GRACEGATE_CLIENT_ID", "", "The App's client id, for people who sign in."),
        Variable("GRACEGATE_CLIENT_SECRET", "", "A client secret of the App: without one nobody signs in."),
        Variable(
            "GRACEGATE_OPERATORS", "", "Who operates this service, with commas: logins as `ada`, or ids as `id:583231`."
        ),
        Variable(
            "GRACEGATE_PLAYGROUND",
            "off",
            "`on` serves a playground at `/playground`: whoever reaches the service can have manifests and a rule "
            "evaluated, two at a time in each web process, each in a child with limits of time and memory.",
        ),
        Variable(
            "GRACEGATE_OWN_RULE_PAGES",
            "off",
            "`on` shows the pages of the rules of `GRACEGATE_POLICIES` too, to whoever reaches the service, and "
            "findings link to them.",
        ),
        Variable(
            "GRACEGATE_RULES_URL", "/rules of this service", "Where the pages of the rules are published instead."
        ),
    ),
    "What is evaluated": (
        Variable(
            "GRACEGATE_RENDER_SOURCES",
            "",
            "Repositories whose commits manifests may name, and registries whose digests, with commas: "
            "`github.com/kubernetes-sigs/*`, `oci://ghcr.io/stefanprodan/charts/*`.",
        ),
        Variable(
            "GRACEGATE_POLICIES",
            "",
            "Policy sets that every review evaluates, with commas: absolute paths of folders, `owner/repo@ref`, "
            "`owner/repo//folder@ref`, `https://.../bundle.tar.gz`, `oci://registry/name:tag`.",
        ),
        Variable(
            "GRACEGATE_POLICIES_ALLOWED",
            "none",
            "Repositories, as `acme/*`, whose rules a repository may name in `policies`.",
        ),
        Variable(
            "GRACEGATE_IMPACT_REPOSITORIES",
            "",
            "Repositories that tell a pull request on rules what these would find and block.",
        ),
        Variable("GRACEGATE_IMPACT_PULLS", "20", "How many last pull requests of each are read for that."),
        Variable(
            "OPA_URL", "", "The URL of an OPA server for gracegate alone. By default the rules run compiled to Wasm."
        ),
        Variable("GRACEGATE_OPA", "`opa` of PATH", "The `opa` that compiles and evaluates rules of your own."),
    ),
    "Limits": (
        Variable("GRACEGATE_CHECK_SECONDS", "120", "How long one check may take."),
        Variable(
            "GRACEGATE_CHECK_MEMORY_MB",
            "1024",
            "The memory of one check; its files may take an eighth of it, and a rendering 512 MB.",
        ),
        Variable("GRACEGATE_MAX_FILE_BYTES", "5000000", "The size of one file; the command line reads it too."),
        Variable("GRACEGATE_MAX_DOCUMENTS", "10000", "YAML documents of one file."),
        Variable("GRACEGATE_MAX_DEPTH", "100", "How deep a file may be nested."),
        Variable("GRACEGATE_MAX_NODES", "200000", "Values and keys of one document."),
        Variable("GRACEGATE_MAX_ALIASES", "1000", "YAML aliases of one document."),
    ),
    "Seldom needed": (
        Variable("GRACEGATE_WRITE_GAP", "1", "Seconds between two writes to GitHub of an installation, after a burst."),
        Variable("GRACEGATE_NOTIFY_GAP", "3", "The same between two that notify people."),
        Variable("GRACEGATE_POLL_SECONDS", "0.2", "The time between two looks of a worker for a review."),
        Variable("GRACEGATE_HEARTBEAT_SECONDS", "5", "The time between two signs of life of a worker."),
        Variable("GRACEGATE_DEAD_SECONDS", "45", "After how long without one its reviews are taken over."),
        Variable("GRACEGATE_ATTEMPTS", "8", "Attempts at a review."),
        Variable("GRACEGATE_CRASHES", "5", "How many workers a review may end."),
        Variable("GRACEGATE_BACKOFF_SECONDS", "5", "The pause after a failed attempt, doubled after each next."),
        Variable("GRACEGATE_BACKOFF_LIMIT_SECONDS", "900", "The longest pause."),
    ),
}
"""All settings of the service, by heading."""

_SETTINGS_PAGE = """\
# Settings of the service

Variables of the environment. Lists have commas between their entries. With a wrong setting the service does not start,
and says what to write; `gracegate doctor` looks at all of them.
"""

_CONFIGURATION_PAGE = """\
# Configuration of a repository

`.gracegate.yaml` at the top of the repository, and everything in it is optional. The App reads it from the tip of the
base branch at the time of a review, never from the head: what a pull request changes in it is shown as a dry run. A
push that changes it has the open pull requests into that branch reviewed again (the 100 newest).

```yaml
gate: enforce
profile: recommended
exclude: ["vendor/**"]
min_kubernetes_version: "1.30"
drain_seconds: {cluster: 10}
rules:
  prestop-drain-missing: warning
  grace-period-exhausted:
    effective_on: 2027-01-31
    params: {least_seconds: 15}
waivers:
  - rules: [rollout-drops-all-replicas]
    path: "labs/**"
    reason: "Nobody depends on the experiments."
    until: 2030-06-30
```

`gracegate config check` names all mistakes, each with its line. For completion in an editor with the YAML language
server, write the schema beside it and name it in the first line:

    gracegate schema > .gracegate.schema.json
    # yaml-language-server: $schema=.gracegate.schema.json

## Defaults of an owner

What counts in all repositories of an owner stands in `.gracegate.yaml` of the repository `OWNER/.github`, on its
default branch. The App reads it at most once a minute; it has to be installed there if that repository is private.
Who says more:

1. an annotation of an object, `gracegate.dev/ignore` with `gracegate.dev/ignore-reason`, unless `annotation_waivers`
   is false;
2. `.gracegate.yaml` of the repository, key by key; `rules` and `drain_seconds` entry by entry;
3. `.gracegate.yaml` of `OWNER/.github`, which cannot have `waivers` and `policies`;
4. the defaults below.

A wrong file of an owner counts for nothing, makes each check neutral at best, and is named in it with its line: it
blocks nobody, because the authors of pull requests cannot correct it. On the command line `--defaults FILE` stands for
it, and `gracegate config check --defaults FILE` looks at it.

## Profiles

| profile | rules | what blocks |
|---|---|---|
| `baseline` | those of severity error, without those that most existing manifests fail | errors |
| `recommended` | all | errors |
| `strict` | all | errors and warnings |

## Keys
"""


def pages() -> Mapping[str, str]:
    """The generated pages by their names."""
    return {"configuration.md": _configuration_page(), "settings.md": _settings_page()}


def _settings_page() -> str:
    parts = [_SETTINGS_PAGE]
    for heading, variables in SETTINGS.items():
        rows = [f"| `{one.name}` | {_cell(one.default)} | {_cell(one.description)} |" for one in variables]
        parts.append(
            "\n".join([f"## {heading}\n", "| variable | default | what it is |", "|---|---|---|", *rows]) + "\n"
        )
    return "\n".join(parts)


def _configuration_page() -> str:
    config = config_schema(load_builtin().rules.values())
    sections = [_CONFIGURATION_PAGE, *_key_sections(config)]
    params = [
        f"| `{rule.id}` | `{one.name}` | `{json.dumps(one.default)}` | {_cell(one.description)} |"
        for rule in sorted(load_builtin().rules.values(), key=lambda rule: rule.id)
        for one in rule.parameters
    ]
    table = ["| rule | parameter | default | what it is |", "|---|---|---|---|", *params]
    sections.append("\n".join(["## Parameters of rules\n", *table]) + "\n")
    sections.append("## gracegate-policies.yaml\n\nAt the top of a folder with rules of your own.\n")
    sections += _key_sections(policies_schema())
    return "\n".join(sections)


def _key_sections(schema: Schema) -> Iterator[str]:
    for key, one in schema["properties"].items():
        lines = [f"### {key}\n", one["description"], "", f"- {_values(one)}"]
        if one.get("default") not in (None, [], {}):
            lines.append(f"- default: `{_yaml(one['default'])}`")
        lines.append(f"- example: `{key}: {_yaml(one['examples'][0])}`")
        lines += [f"- `{name}`: {_described(entry)}" for name, entry in _entries(one).items() if "description" in entry]
        yield "\n".join(lines) + "\n"


def _entries(schema: Schema) -> Mapping[str, Schema]:
    """The keys inside, but not the rules, which have a page of their own."""
    inside = schema.get("items", schema)
    entries: Mapping[str, Schema] = inside.get("properties", {})
    return {} if any("anyOf" in one for one in entries.values()) else entries


def _described(schema: Schema) -> str:
    default = f" Default: `{_yaml(schema['default'])}`." if "default" in schema else ""
    return f"{schema['description']}{default}"


def _values(schema: Schema) -> str:
    if "enum" in schema:
        return f"one of {', '.join(f'`{value}`' for value in schema['enum'])}"
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    words = {
        "array": "a list",
        "object": "a mapping",
        "boolean": "`true` or `false`",
        "integer": "a number",
        "string": "text",
    }
    return words[kind]


def _yaml(value: Any) -> str:
    """A value in one line of YAML, which JSON is."""
    return value if isinstance(value, str) and is_plain_safe(value, in_flow=False) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: Sequence[str]) -> int:
    stale = {name: text for name, text in pages().items() if _read(DOCS / name) != text}
    for name, text in stale.items():
        if "--check" in arguments:
            sys.stderr.write(f"{DOCS / name} is not fresh: run `make policies`\n")
        else:
            (DOCS / name).write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
