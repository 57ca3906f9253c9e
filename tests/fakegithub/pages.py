"""The pages that a person looks at: the list of pull requests, and one of them with everything posted to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, render_template
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

from tests.fakegithub.diff import FileChange, PatchLine, patch_lines
from tests.fakegithub.errors import not_found
from tests.fakegithub.markdown import render
from tests.fakegithub.state import CheckRun, PullRequest, ReviewComment
from tests.fakegithub.web import world

site = Blueprint("pages", __name__)
PLAIN = HtmlFormatter(nowrap=True)
SHOWN_FILES = 300


@dataclass
class Thread:
    """A comment and its answers; `label` names the place of the first one."""

    comments: list[ReviewComment]
    label: str
    replaced: Sequence[str]
    outdated: bool


@dataclass
class Row:
    line: PatchLine
    code: Markup
    threads: list[Thread] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    marked: bool = False
    """Inside the range that a comment points to."""


@dataclass
class File:
    change: FileChange
    rows: list[Row]
    top: list[Thread]
    outdated: list[Thread]


@site.get("/")
def index() -> str:
    with world().lock:
        pulls = [pull for one in world().repositories.values() for pull in one.pulls.values()]
        checks = {pull.id: world().runs(pull.base, pull.head_sha, latest=True) for pull in pulls}
        return render_template("index.html", pulls=sorted(pulls, key=lambda one: -one.id), checks=checks)


@site.get("/<owner>/<repo>/pull/<int:number>")
def pull(owner: str, repo: str, number: int) -> str:
    with world().lock:
        repository = world().repository(f"{owner}/{repo}")
        one = repository.pulls.get(number) if repository else None
        if one is None:
            raise not_found()
        runs = world().runs(one.base, one.head_sha, latest=True)
        files = [_file(one, change, runs) for change in one.changes[:SHOWN_FILES]]
        shown = {id(note) for file in files for row in file.rows for note in row.annotations}
        return render_template(
            "pull.html",
            pull=one,
            files=files,
            runs=runs,
            elsewhere=[note for run in runs for note in run.annotations if id(note) not in shown],
            talk=_talk(one),
            commits=len(one.base.git.commits(one.merge_base, one.head_sha)),
            required=one.base.required_checks.get(one.base_ref, set()),
            blocking=world().blocking(one),
            bot=world().app.login,
            markdown=render,
        )


def _talk(pull: PullRequest) -> list[dict[str, Any]]:
    """The conversation in its order: reviews that say something, and comments."""
    count: dict[int, int] = defaultdict(int)
    for one in pull.comments:
        count[one.review_id] += 1
    entries = [
        {"id": one.id, "author": one.author, "body": one.body, "at": one.submitted_at, "inline": count[one.id]}
        for one in pull.reviews
        if one.body
    ]
    entries += [
        {"id": one.id, "author": one.author, "body": one.body, "at": one.created_at, "inline": 0}
        for one in pull.issue_comments
    ]
    return sorted(entries, key=lambda entry: entry["id"])


def _file(pull: PullRequest, change: FileChange, runs: Sequence[CheckRun]) -> File:
    lexer = _lexer(change.path)
    rows = [Row(line, _code(line.text, lexer)) for line in patch_lines(change.patch or "")]
    file = File(change, rows, [], [])
    for thread in _threads(pull, change.path):
        _attach(pull, file, thread)
    by_line = {row.line.new: row for row in rows if row.line.new is not None}
    for note in (note for run in runs for note in run.annotations if note["path"] == change.path):
        if note["end_line"] in by_line:
            by_line[note["end_line"]].annotations.append(note)
    return file


def _attach(pull: PullRequest, file: File, thread: Thread) -> None:
    """Puts a thread under its line, at the top of the file, or among the outdated ones."""
    first = thread.comments[0]
    line, at = first.place(pull)
    if first.anchor.line is None:
        file.top.append(thread)
    elif at is None or line is None:
        file.outdated.append(thread)
    else:
        next(row for row in file.rows if row.line.position == at.position).threads.append(thread)
        start = first.line_now(pull, first.anchor.start_line) or line
        for row in file.rows:
            number = row.line.number(first.anchor.side)
            row.marked = row.marked or (number is not None and start <= number <= line)


def _threads(pull: PullRequest, path: str) -> list[Thread]:
    firsts = [one for one in pull.comments if one.anchor.path == path and one.in_reply_to is None]
    return [_thread(pull, first) for first in firsts]


def _thread(pull: PullRequest, first: ReviewComment) -> Thread:
    anchor = first.anchor
    answers = [one for one in pull.comments if one.in_reply_to == first.id]
    line, start = (first.line_now(pull, number) for number in (anchor.line, anchor.start_line))
    outdated = anchor.line is not None and line is None
    label = _label(anchor.line, anchor.start_line) if outdated else _label(line, start)
    return Thread([first, *answers], label, _replaced(pull, first), outdated)


def _label(line: int | None, start: int | None) -> str:
    if line is None:
        return "Comment on this file"
    return f"Comment on line {line}" if start is None else f"Comment on lines {start} to {line}"


def _replaced(pull: PullRequest, one: ReviewComment) -> list[str]:
    """The lines of the head that a suggestion in the comment would replace, as they were when it was posted."""
    if one.anchor.line is None or one.anchor.side == "LEFT":
        return []
    entry = pull.base.git.entry(one.commit_id, one.anchor.path)
    data = pull.base.git.read(entry.sha) if entry else None
    text = (data or b"").decode(errors="replace")
    return text.split("\n")[(one.anchor.start_line or one.anchor.line) - 1 : one.anchor.line]


def _lexer(path: str) -> Lexer:
    try:
        return get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=False)


def _code(text: str, lexer: Lexer) -> Markup:
    return Markup(highlight(text, lexer, PLAIN))  # noqa: S704  # Pygments escapes
