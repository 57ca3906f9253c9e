"""The pages that people read: reports of checks, rules, documentation, and what this service is.

They are rendered here, without scripts, and load nothing from elsewhere. Anybody can open them but the reports of
private repositories, which are for people who can read these on GitHub.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

import structlog
from flask import Blueprint, Flask, Response, make_response, redirect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from gracegate.errors import GitHubError
from gracegate.outputs import Navigation, ReportContext, render_report, stylesheet
from gracegate.policy import load_builtin
from gracegate.review import OwnRules, read_page
from gracegate.settings import Settings
from gracegate.store import DatabaseUnavailable, Store, StoredReport, reports
from gracegate.web import documents
from gracegate.web.documents import Document
from gracegate.web.responses import (
    DASHBOARD,
    HEADERS,
    HOME,
    PLAYGROUND,
    STYLESHEET,
    html_page,
    message,
    navigation,
    page,
    sign_in_links,
)
from gracegate.web.viewers import may_read

log = structlog.get_logger(__name__)

_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LARGEST_ID, _LARGEST_NUMBER = 2**63 - 1, 2**31 - 1
_NO_REPORT = (
    "There is no report at this address that you may see: those of private repositories are for their readers.",
    "They are kept for 30 days, or as long as the pull request is open. To get one again, re-run the check on GitHub.",
)


def blueprint(settings: Settings, store: Store) -> Blueprint:
    pages = Blueprint("pages", __name__)

    # A large one takes 0.3 s of computing time, and anybody can ask for it again and again.
    @lru_cache(maxsize=8)
    def report_page(stored: StoredReport, shown: Navigation) -> str | None:
        found = read_page(stored.content)
        if found is None:
            return None
        return render_report(found.report, _context(settings, stored, found.left_out, shown), found.pictures)

    @pages.get("/")
    def show_home() -> Response:
        return message(
            200,
            "gracegate reviews pull requests that change Kubernetes manifests",
            "It finds what would make a rolling update drop requests, says why on the line that causes it, and suggests"
            " a fix that it has already verified. Its check on a pull request links to a page with all findings.",
            f"This is the service of the GitHub App with the check {settings.check_name!r}.",
            links=[DASHBOARD, *HOME, *([PLAYGROUND] if settings.playground else [])],
        )

    @pages.get("/reports/<int:repository_id>/<int:number>/<sha>")
    def show_report(repository_id: int, number: int, sha: str) -> Response:
        if repository_id > _LARGEST_ID or number > _LARGEST_NUMBER or not _SHA.fullmatch(sha):
            return _no_report()
        # GitHub is asked also where there is nothing, so that the answer does not tell.
        if not may_read(store, repository_id):
            return _no_report()
        with store.reading() as tx:
            stored = reports.find(tx, repository_id, number, sha)
        html = None if stored is None else report_page(stored, navigation())
        if html is None:
            return _no_report()
        answer = html_page(200, html)
        answer.headers["X-Robots-Tag"] = "noindex"
        return answer

    return pages


def packaged_pages(own_rules: OwnRules | None = None, *, has_playground: bool) -> Blueprint:
    """The pages of what is packaged: rules and documentation, and of the operator's `own_rules`. The example of a
    built-in rule is tried in the playground."""
    pages = Blueprint("packaged_pages", __name__)

    @pages.get(STYLESHEET)
    def send_stylesheet() -> Response:
        headers = {**HEADERS, "Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=300"}
        return make_response(stylesheet(), 200, headers)

    _serve_rules(pages, own_rules, has_playground=has_playground)

    @pages.get("/docs")
    def show_documentation() -> Response:
        return _document(documents.documentation()[documents.INDEX])

    @pages.get("/docs/<name>")
    @pages.get("/docs/<name>.md")
    def show_document(name: str) -> Response:
        document = documents.documentation().get(name)
        if document is None:
            return message(404, "No such page", "The documentation has no page of this name.", links=HOME)
        return _document(document)

    if not has_playground:
        pages.add_url_rule("/playground", view_func=_explain_playground)
    return pages


def _serve_rules(pages: Blueprint, own_rules: OwnRules | None, *, has_playground: bool) -> None:
    @pages.get("/rules")
    def show_rules() -> Response:
        index = documents.rule_index()
        sets, missing = (own_rules.sets(), own_rules.missing()) if own_rules else ({}, [])
        return page(200, "rules.html", title=index.title, body=index.body, sets=sets, missing=missing)

    # The links in comments are those of the files that have these pages in a repository.
    @pages.get("/rules/<name>")
    @pages.get("/rules/<name>.md")
    def show_rule(name: str) -> AnyResponse:
        rule = documents.rule_id(name)
        own = own_rules.page(name) if own_rules and rule is None else {}
        if own and own_rules:
            found = documents.own_rule_page(own[f"{name}.md"])
            can_try = has_playground and own_rules.find(name) is not None
            return page(200, "rule.html", title=found.title, body=found.body, rule=name if can_try else "")
        if rule is None:
            why = "No built-in rule has this id. Rules of your own are described in their METADATA."
            missing = own_rules.missing() if own_rules else ()
            elsewhere = (
                [f"It may be one of {', '.join(missing)}: their pages are not on this machine."] if missing else []
            )
            return message(404, "No such rule", why, *elsewhere, links=[("/rules", "All rules")])
        if rule != name:
            return redirect(f"/rules/{rule}", 301)
        found = documents.rule_page(rule)
        return page(200, "rule.html", title=found.title, body=found.body, rule=rule if has_playground else "")

    @pages.get("/rules/<name>.svg")
    def send_picture(name: str) -> Response:
        picture = documents.rule_picture(name) if name in load_builtin().rules else None
        if picture is None and own_rules:
            picture = own_rules.page(name).get(f"{name}.svg")
        if picture is None:
            return message(404, "No such picture", "No rule has a picture of this name.", links=HOME)
        headers = {**HEADERS, "Content-Type": "image/svg+xml", "Content-Security-Policy": _PICTURE_POLICY}
        headers["Cache-Control"] = "max-age=300"
        return make_response(picture, 200, headers)


def _explain_playground() -> Response:
    on_your_machine = "`gracegate policy playground` opens it on your own machine."
    turn_on = "The operator of this service can turn it on with GRACEGATE_PLAYGROUND=on."
    return message(404, "The playground is off here", on_your_machine, turn_on, links=HOME)


def answer_errors(app: Flask) -> None:
    """Pages in the place of Flask's bare ones, which say where to go."""

    def answer_unknown_address(_error: HTTPException) -> Response:
        return message(404, "No such page", "There is nothing at this address.", links=[("/", "Start"), *HOME])

    def answer_later(error: Exception) -> Response:
        log.warning("page_not_shown", error=str(error))
        return message(503, "Not now", "What this page shows cannot be read at the moment: try again in a minute.")

    def answer_fault(_error: Exception) -> Response:
        return message(500, "That went wrong", "The log of the service says why. Nothing else is affected.", links=HOME)

    app.register_error_handler(404, answer_unknown_address)
    app.register_error_handler(500, answer_fault)
    app.register_error_handler(GitHubError, answer_later)
    app.register_error_handler(DatabaseUnavailable, answer_later)


def _no_report() -> Response:
    return message(404, "No such report", *_NO_REPORT, links=[*sign_in_links(), *HOME])


def _context(settings: Settings, stored: StoredReport, left_out: int, shown: Navigation) -> ReportContext:
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
        stylesheet=STYLESHEET,
        navigation=shown,
    )


def _document(document: Document) -> Response:
    return page(200, "text.html", title=document.title, body=document.body)
