"""The pages that people read: reports of checks, rules, documentation, and what this service is.

They are rendered here, without scripts, and load nothing from elsewhere. Anybody can open them, so there are reports of
public repositories alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, make_response, redirect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from gracegate.outputs import ReportContext, render_report, render_template, stylesheet
from gracegate.policy import load_builtin
from gracegate.review import read_page
from gracegate.settings import Settings
from gracegate.store import Store, StoredReport, reports
from gracegate.web import documents
from gracegate.web.documents import Document

_STYLESHEET = "/style.css"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LARGEST_ID, _LARGEST_NUMBER = 2**63 - 1, 2**31 - 1
_NO_REPORT = (
    "There is no report at this address. Only those of public repositories are shown.",
    "They are kept for 30 days, or as long as the pull request is open. To get one again, re-run the check on GitHub.",
)
_HOME = (("/rules", "The rules, each with an example and its fix"), ("/docs", "The documentation"))


def blueprint(settings: Settings, store: Store) -> Blueprint:
    pages = Blueprint("pages", __name__)

    # A large one takes 0.3 s of computing time, and anybody can ask for it again and again.
    @lru_cache(maxsize=8)
    def report_page(stored: StoredReport) -> str | None:
        page = read_page(stored.content)
        if page is None:
            return None
        return render_report(page.report, _context(settings, stored, page.left_out), page.pictures)

    @pages.get("/")
    def show_home() -> Response:
        return _message(
            200,
            "gracegate reviews pull requests that change Kubernetes manifests",
            "It finds what would make a rolling update drop requests, says why on the line that causes it, and suggests"
            " a fix that it has already verified. Its check on a pull request links to a page with all findings.",
            f"This is the service of the GitHub App with the check {settings.check_name!r}.",
            links=_HOME,
        )

    @pages.get(_STYLESHEET)
    def send_stylesheet() -> Response:
        headers = {**_HEADERS, "Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=300"}
        return make_response(stylesheet(), 200, headers)

    @pages.get("/reports/<int:repository_id>/<int:number>/<sha>")
    def show_report(repository_id: int, number: int, sha: str) -> Response:
        if repository_id > _LARGEST_ID or number > _LARGEST_NUMBER or not _SHA.fullmatch(sha):
            return _message(404, "No such report", *_NO_REPORT, links=_HOME)
        with store.reading() as tx:
            stored = reports.find(tx, repository_id, number, sha)
        html = None if stored is None else report_page(stored)
        if html is None:
            return _message(404, "No such report", *_NO_REPORT, links=_HOME)
        return make_response(html, 200, {**_HEADERS, "X-Robots-Tag": "noindex"})

    _serve_texts(pages)
    return pages


def _serve_texts(pages: Blueprint) -> None:
    """The pages of what is packaged: rules and documentation."""

    @pages.get("/rules")
    def show_rules() -> Response:
        return _document(documents.rule_index())

    # The links in comments are those of the files that have these pages in a repository.
    @pages.get("/rules/<name>")
    @pages.get("/rules/<name>.md")
    def show_rule(name: str) -> AnyResponse:
        rule = documents.rule_id(name)
        if rule is None:
            why = "No built-in rule has this id. Rules of your own are described in their METADATA."
            return _message(404, "No such rule", why, links=[("/rules", "All built-in rules")])
        return _document(documents.rule_page(rule)) if rule == name else redirect(f"/rules/{rule}", 301)

    @pages.get("/rules/<name>.svg")
    def send_picture(name: str) -> Response:
        picture = documents.rule_picture(name) if name in load_builtin().rules else None
        if picture is None:
            return _message(404, "No such picture", "No rule has a picture of this name.", links=_HOME)
        headers = {**_HEADERS, "Content-Type": "image/svg+xml", "Content-Security-Policy": _PICTURE_POLICY}
        return make_response(picture, 200, headers)

    @pages.get("/docs")
    def show_documentation() -> Response:
        return _document(documents.documentation()[documents.INDEX])

    @pages.get("/docs/<name>")
    @pages.get("/docs/<name>.md")
    def show_document(name: str) -> Response:
        page = documents.documentation().get(name)
        if page is None:
            return _message(404, "No such page", "The documentation has no page of this name.", links=_HOME)
        return _document(page)


def answer_unknown_addresses(app: Flask) -> None:
    """A page in the place of Flask's bare one, which says where to go."""

    def answer(_error: HTTPException) -> Response:
        return _message(404, "No such page", "There is nothing at this address.", links=[("/", "Start"), *_HOME])

    app.register_error_handler(404, answer)


def _context(settings: Settings, stored: StoredReport, left_out: int) -> ReportContext:
    repository_url = f"{settings.git_url}/{stored.repository}"
    subject, path = f"{stored.repository} #{stored.number}", f"pull/{stored.number}"
    if stored.number == 0:
        subject, path = f"{stored.repository}, merge queue", f"commit/{stored.head_sha}"
    checked_at = dt.datetime.fromtimestamp(stored.created_at, dt.UTC)
    return ReportContext(
        repository=stored.repository,
        subject=subject,
        subject_url=f"{repository_url}/{path}",
        commit=stored.head_sha,
        files_url=f"{repository_url}/blob/{stored.head_sha}",
        checked_at=f"{checked_at:%Y-%m-%d %H:%M} UTC",
        left_out=left_out,
        stylesheet=_STYLESHEET,
    )


def _document(page: Document) -> Response:
    return _page(200, "text.html", title=page.title, body=page.body)


def _message(status: int, title: str, *paragraphs: str, links: Iterable[tuple[str, str]] = ()) -> Response:
    return _page(status, "message.html", title=title, paragraphs=paragraphs, links=[*links])


def _page(status: int, template: str, **values: Any) -> Response:
    return make_response(render_template(template, stylesheet=_STYLESHEET, **values), status, _HEADERS)
