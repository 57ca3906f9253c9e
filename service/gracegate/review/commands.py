"""The commands that people write in comments: which lines of a comment are some, and what they ask for; pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gracegate.errors import InputError
from gracegate.model import ObjectRef, Rule
from gracegate.outputs import printable

MAX_COMMANDS = 5
"""How many commands of one comment are done."""
_MAX_BODY = 20_000
"""Characters: a command below that is not looked for."""
_PREFIX = re.compile(r"/gracegate(?=\s|$)", re.MULTILINE)
_NAMES = ("recheck", "explain", "waive")
_USAGE: Mapping[str, str] = {
    "recheck": "`/gracegate recheck`",
    "explain": "`/gracegate explain <rule>`",
    "waive": "`/gracegate waive <rule> <object> until <YYYY-MM-DD> because <reason>`",
}
_WAIVE = re.compile(r"(?P<object>.+?)\s+until\s+(?P<until>\S+)\s+because\s+(?P<reason>.+)", re.IGNORECASE)
_PATH = re.compile(r"(?P<object>.+?)\s+in\s+(?P<path>\S+)", re.IGNORECASE)
_CONTAINER = re.compile(r"(?P<object>.+?),?\s+container\s+(?P<container>\S+)", re.IGNORECASE)
# One parser for all threads: it holds no state of a text.
_MARKDOWN = MarkdownIt("commonmark")


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object as a person names it: its name, or with its kind, its namespace or both before it.

    `container` and `path` (of its file) narrow it down; "" where they are not given.
    """

    parts: tuple[str, ...]
    container: str = ""
    path: str = ""

    def means(self, ref: ObjectRef, container: str | None, file: str) -> bool:
        """Whether a finding in that container of that object of a file is meant."""
        *before, name = (part.lower() for part in self.parts)
        known = [ref.kind.lower(), ref.namespace.lower()]
        is_it = name == ref.name.lower() and before in ([], known[:1], known[1:], known)
        return is_it and self.container in {"", container or ""} and self.path in {"", file}

    def __str__(self) -> str:
        more = f", container {self.container}" if self.container else ""
        return f"{'/'.join(self.parts)}{more}{f' in {self.path}' if self.path else ''}"


@dataclass(frozen=True, slots=True)
class Recheck:
    """Review the pull request again."""


@dataclass(frozen=True, slots=True)
class Explain:
    """Say what a rule is about."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Waive:
    """Propose a waiver for the findings of a rule (id) in one object."""

    rule: str
    object: NamedObject
    until: dt.date
    reason: str


Command = Recheck | Explain | Waive


def find_commands(body: str) -> list[str]:
    """The lines of a comment that are commands, without `/gracegate`: as GitHub shows the comment, they begin a line of
    plain text. What is quoted, in a list, code or hidden is none."""
    if _PREFIX.search(body) is None:
        return []
    paragraphs = (
        token
        for before, token in pairwise(_MARKDOWN.parse(body[:_MAX_BODY]))
        if token.type == "inline" and before.type == "paragraph_open" and before.level == 0
    )
    lines = [line for token in paragraphs for line in _plain_lines(token)]
    found = ((line, _PREFIX.match(line)) for line in lines)
    return [line[match.end() :].strip() for line, match in found if match is not None]


def _plain_lines(token: Token) -> list[str]:
    """The lines of a paragraph but for those in code or HTML of several lines."""
    spans = [child.content for child in token.children or () if child.type in {"code_inline", "html_inline"}]
    return [line.strip() for line in token.content.split("\n") if not any(line.strip() in span for span in spans)]


class UnknownRule(InputError):
    """A command names a rule that is not among those that it was read with."""


def parse_command(line: str, rules: Mapping[str, Rule], today: dt.date) -> Command:
    """What a line asks for; `rules` are all by id. Raises InputError, with a sentence for the person who wrote it."""
    name, _, rest = line.partition(" ")
    words = rest.replace("`", "").split()
    match name.lower(), words:
        case "recheck", []:
            return Recheck()
        case "explain", [rule]:
            return Explain(_rule(rule, rules))
        case "waive", [rule, *_]:
            return _waive(_rule(rule, rules), rest.replace("`", "").strip().partition(" ")[2], today)
        case ((("recheck" | "explain" | "waive") as known), _):
            raise InputError(f"Write it as {_USAGE[known]}.")
    if not name:
        raise InputError(f"Say what to do: {', '.join(_USAGE[one] for one in _NAMES)}.")
    near = get_close_matches(name.lower(), _NAMES, n=1)
    hint = f"did you mean {_USAGE[near[0]]}?" if near else f"there are {', '.join(_USAGE.values())}."
    raise InputError(f'"{_shown(name)}" is no command; {hint}')


def _waive(rule: Rule, text: str, today: dt.date) -> Waive:
    found = _WAIVE.fullmatch(text.strip())
    if found is None:
        raise InputError(f"Write it as {_USAGE['waive']}: a waiver needs an object, an end and a reason.")
    try:
        until = dt.date.fromisoformat(found["until"])
    except ValueError:
        raise InputError(f'"{_shown(found["until"])}" is no date; write it as {today.year}-12-31.') from None
    if until < today:
        raise InputError(f"A waiver until {until} would have ended already; name a later day.")
    return Waive(rule.id, _named_object(found["object"]), until, printable(found["reason"].strip("\"' "), 300))


def _named_object(text: str) -> NamedObject:
    path = container = ""
    if found := _PATH.fullmatch(text):
        text, path = found["object"], found["path"]
    if found := _CONTAINER.fullmatch(text):
        text, container = found["object"], found["container"]
    parts = tuple(part for part in re.split(r"[\s/]+", text.strip("\"' ")) if part)
    if not 1 <= len(parts) <= 3:
        raise InputError(f'"{_shown(text)}" names no object; write it as "Deployment shop/web".')
    return NamedObject(parts, container, path)


def _rule(name: str, rules: Mapping[str, Rule]) -> Rule:
    known = {alias: rule for rule in rules.values() for alias in (*rule.aliases, rule.id)}
    if name.lower() in known:
        return known[name.lower()]
    near = get_close_matches(name.lower(), known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else "the check names the rule of each finding."
    raise UnknownRule(f'There is no rule "{_shown(name)}"; {hint}')


def _shown(text: str) -> str:
    return printable(text, 60).replace('"', "'")
