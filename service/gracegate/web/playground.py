"""`/playground`: a form that reviews manifests, also by a rule that is written there. It keeps nothing.

The form works as it is; its script, the only one of all pages, sends it when the person pauses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import groupby

from flask import Blueprint, Response, make_response, request

from gracegate.outputs import PlaygroundForm, PlaygroundPage, playground_script, render_playground
from gracegate.policy import load_builtin
from gracegate.review import OWN_RULE, OwnRules, Playground, PlaygroundJob, PlaygroundRefused
from gracegate.web.responses import STYLESHEET, navigation

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_MAX_BODY_BYTES = 3 * 1024 * 1024
"""Three texts of 200,000 characters, as a form encodes them; longer ones are refused in words."""


def blueprint(
    playground: Playground, start: PlaygroundForm | None = None, own_rules: OwnRules | None = None
) -> Blueprint:
    """The page and its script. The form begins as `start`, by default with an example that is packaged. The rules of
    the operator's sets are evaluated where they are chosen."""
    pages = Blueprint("playground", __name__)

    @pages.get("/playground.js")
    def send_script() -> Response:
        headers = {**_HEADERS, "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "max-age=300"}
        return make_response(playground_script(), 200, headers)

    @pages.get("/playground")
    def show() -> Response:
        example = _example_of(request.args.get("rule", ""), own_rules)
        return _answer(200, _page(example or start or packaged_example()))

    @pages.post("/playground")
    def review() -> Response:
        request.max_content_length = request.max_form_memory_size = _MAX_BODY_BYTES
        if not _is_of_this_page():
            refusal = "This form was sent by another site: open this page, and press Review here."
            return _answer(403, replace(_page(PlaygroundForm()), refused=refusal))
        page = _page(PlaygroundForm(*map(_text, ("rego", "manifests", "before", "only"))))
        form = page.form
        try:
            chosen = own_rules.find(form.only) if own_rules else None
            sets = () if chosen is None else (chosen,)
            job = PlaygroundJob(form.manifests, form.before, form.rego, form.only, sets=sets)
            found = playground.review(job, _client())
        except PlaygroundRefused as refused:
            answer = _answer(503 if refused.seconds else 422, replace(page, refused=str(refused)))
            if refused.seconds:
                answer.headers["Retry-After"] = str(refused.seconds)
            return answer
        page = replace(
            page,
            report=found.report,
            pictures=found.pictures,
            mistakes=[(one.line, one.message) for one in found.mistakes],
            prints=found.prints,
            rule_seconds=found.rule_seconds,
        )
        return _answer(200, page)

    def _page(form: PlaygroundForm) -> PlaygroundPage:
        own = own_rules.sets().items() if own_rules else ()
        rules = {**_rule_ids(), **{f"of {name}": [rule.id for rule in found] for name, found in own}}
        return PlaygroundPage(form, rules, OWN_RULE, playground.takes_rules)

    def _answer(status: int, page: PlaygroundPage) -> Response:
        html = render_playground(page, stylesheet=STYLESHEET, navigation=navigation())
        return make_response(html, status, _HEADERS)

    return pages


@cache
def packaged_example() -> PlaygroundForm:
    """A rule and manifests to start from."""
    folder = files("gracegate.web") / "examples"
    return PlaygroundForm((folder / "rule.rego").read_text("utf-8"), (folder / "manifests.yaml").read_text("utf-8"))


def _example_of(rule: str, own_rules: OwnRules | None) -> PlaygroundForm | None:
    """The form with the example of a rule, None if there is no such rule, or none to evaluate here."""
    found = load_builtin().rules.get(rule)
    if found is None and own_rules is not None and (own := own_rules.find(rule)) is not None:
        found = own.catalog.rules[rule]
    return None if found is None else PlaygroundForm("", found.example, found.before or "", found.id)


def _text(field: str) -> str:
    # A browser sends each line of a text with CR LF.
    return request.form.get(field, "").replace("\r\n", "\n")


@cache
def _rule_ids() -> Mapping[str, list[str]]:
    rules = sorted(load_builtin().rules.values(), key=lambda rule: rule.group)
    return {group: sorted(rule.id for rule in found) for group, found in groupby(rules, key=lambda rule: rule.group)}


def _is_of_this_page() -> bool:
    """Whether a form comes from here, as far as the browser says: another site could have its visitors work for it."""
    return request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}


def _client() -> str:
    """The address of who asks. Behind a proxy, which is near, the proxy's word counts: the last one, as clients may
    send others before it."""
    address = request.remote_addr or ""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        is_near = not ipaddress.ip_address(address).is_global
    except ValueError:
        is_near = True  # a socket of this machine
    return forwarded if is_near and forwarded else address
