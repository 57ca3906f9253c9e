"""`GET /bundles/gracegate.tar.gz`: the built-in rules, for the OPA server that evaluates them for this service."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from gracegate.policy import load_builtin
from gracegate.policy.engines import rules_bundle


def blueprint() -> Blueprint:
    page = Blueprint("bundles", __name__)

    @page.get("/bundles/gracegate.tar.gz")
    def give_rules() -> ResponseReturnValue:
        catalog = load_builtin()
        answer = Response(mimetype="application/gzip")
        answer.set_etag(catalog.digest)
        # OPA asks every minute or so, and mostly has them.
        if catalog.digest not in request.if_none_match:
            answer.set_data(rules_bundle(catalog))
        answer.make_conditional(request)
        return answer

    return page
