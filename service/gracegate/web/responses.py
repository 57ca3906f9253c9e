"""Pages as answers: the headers that all of them have, and what stands at their top."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, current_app, make_response, request

from gracegate.outputs import Navigation, render_template
from gracegate.web.viewers import current_viewer, has_sign_in

STYLESHEET = "/style.css"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HOME = (("/rules", "The rules, each with an example and its fix"), ("/docs", "The documentation"))
PLAYGROUND = ("/playground", "The playground: have manifests reviewed, also by a rule that you write")
DASHBOARD = ("/dashboard", "The dashboard: what reviews have found")


def page(status: int, template: str, **values: Any) -> Response:
    """A page made of a template."""
    html = render_template(template, stylesheet=STYLESHEET, navigation=navigation(), **values)
    return html_page(status, html)


def html_page(status: int, html: str) -> Response:
    """A page that is made already. What one person sees is stored nowhere."""
    answer = make_response(html, status, HEADERS)
    answer.headers["Cache-Control"] = "no-cache" if current_viewer() is None else "private, no-store"
    if has_sign_in():
        answer.headers["Vary"] = "Cookie"
    return answer


def message(status: int, title: str, *paragraphs: str, links: Iterable[tuple[str, str]] = ()) -> Response:
    """A page of a few words."""
    return page(status, "message.html", title=title, paragraphs=paragraphs, links=[*links])


def navigation() -> Navigation:
    """The links at the top of each page."""
    links = [("/dashboard", "Dashboard")] if "dashboard" in current_app.blueprints else []
    links += [("/rules", "Rules"), ("/docs", "Documentation")]
    if "playground" in current_app.blueprints:
        links.append(("/playground", "Playground"))
    viewer = current_viewer()
    if viewer is not None:
        links += [("/operator", "Operator")] if viewer.is_operator else []
        return Navigation(tuple(links), ("/account", viewer.login))
    return Navigation(tuple(links), (sign_in_address(), "Sign in") if has_sign_in() else None)


def sign_in_links() -> list[tuple[str, str]]:
    """The link to the sign-in, for who might see more after it."""
    can_sign_in = has_sign_in() and current_viewer() is None
    return [(sign_in_address(), "Sign in with GitHub")] if can_sign_in else []


def sign_in_address() -> str:
    """Where a person signs in, and comes back to this page."""
    if request.method != "GET":
        return "/sign-in"
    query = request.query_string.decode("ascii", "ignore")
    return f"/sign-in?{urlencode({'next': quote(request.path) + (f'?{query}' if query else '')})}"
