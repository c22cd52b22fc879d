"""The routes of the console, `/console…`, for the lender's own people. Without a provider to sign in at there are none.

Thin: the gate says who may, the view calls the domain as the API does, with the staff actor, and renders.
"""

from __future__ import annotations

import logging
from functools import partial

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from crypto.errors import CryptoError
from service.app import Sealmark
from service.blobs import StoreError
from service.errors import DomainError, Problem
from service.limits import TooMany
from service.ports import DatabaseUnavailable
from service.staff import Act, Provider
from service.web.console.auditing import Auditing
from service.web.console.deciding import Deciding
from service.web.console.gate import HOME, Gate
from service.web.console.lending import Lending
from service.web.console.presenting import Presenting
from service.web.console.rendering import downloads, message, moment, pages_of, see_other, told
from service.web.console.sentences import say
from service.web.problems import MEANINGS
from service.web.recipient.assets import load_assets
from service.web.recipient.brand import color_rules, read_logo
from service.web.recipient.browser import MAX_FORM_BYTES, ForeignForm
from service.web.recipient.headers import protect

LOG = logging.getLogger("sealmark.console")

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
"""All are routed here, so that the wrong ones get a page of ours too."""


def console_pages(sealmark: Sealmark, provider: Provider) -> Blueprint:
    """The console as one blueprint."""
    pages = Blueprint("console", __name__, template_folder="templates")
    gate, lending = Gate(sealmark, provider), Lending(sealmark)
    deciding, auditing, presenting = Deciding(sealmark), Auditing(sealmark), Presenting(sealmark)
    views = _Views(sealmark, gate)
    page, form = gate.page, gate.form
    route = partial(pages.add_url_rule, methods=ALL_METHODS, provide_automatic_options=False)
    route("/console", "home", gate.home(lending.overview))
    route("/console/sign-in", "sign_in", gate.begin)
    route("/console/callback", "callback", gate.come_back)
    route("/console/sign-out", "sign_out", gate.leave)
    route("/console/documents/<document_id>", "document", page(lending.document, Act.SEE))
    route("/console/documents/<document_id>/shares", "make", form(lending.make, Act.LEND))
    route("/console/shares/<share_id>", "share", page(lending.share, Act.SEE))
    route("/console/shares/<share_id>/link", "link", form(lending.link, Act.LEND))
    route("/console/shares/<share_id>/send", "send", form(lending.send, Act.LEND))
    route("/console/shares/<share_id>/revoke", "revoke", form(lending.revoke, Act.LEND))
    route("/console/requests", "requests", page(deciding.requests, Act.DECIDE))
    route("/console/requests/<request_id>/approve", "approve", form(deciding.approve, Act.DECIDE))
    route("/console/requests/<request_id>/deny", "deny", form(deciding.deny, Act.DECIDE))
    route("/console/ndas", "ndas", page(deciding.ndas, Act.SEE, Act.DECIDE))
    route("/console/ndas/<nda_id>/approve", "approve_nda", form(deciding.approve_nda, Act.DECIDE))
    route("/console/ndas/<nda_id>/revoke", "revoke_nda", form(deciding.revoke_nda, Act.DECIDE))
    route("/console/report", "report", page(presenting.report, Act.AUDIT))
    route("/console/report.csv", "report_numbers", page(presenting.numbers, Act.AUDIT))
    route("/console/log", "log", page(auditing.log, Act.AUDIT))
    route("/console/log/export", "export", page(auditing.export, Act.AUDIT))
    route("/console/log/check", "check", form(auditing.check, Act.AUDIT))
    route("/console/log/entries/<entry_id>/proof", "proof", page(auditing.proof, Act.SEE, Act.AUDIT))
    route("/console/", "slash", lambda: see_other(HOME), strict_slashes=False)
    route("/console/<path:rest>", "nowhere", lambda rest: message(404, "not_found"))
    pages.before_request(views.limit)
    pages.after_request(protect)
    pages.after_request(gate.browsers.remember)
    pages.context_processor(views.context)
    for error in (DatabaseUnavailable, StoreError, CryptoError):
        pages.register_error_handler(error, views.unavailable)
    pages.register_error_handler(DomainError, views.refused)
    pages.register_error_handler(ForeignForm, views.foreign)
    pages.register_error_handler(RequestEntityTooLarge, views.too_large)
    pages.register_error_handler(Exception, views.failed)
    return pages


class _Views:
    """What all pages of one service have in common."""

    def __init__(self, sealmark: Sealmark, gate: Gate) -> None:
        self._settings = settings = sealmark.settings
        self._limits = sealmark.limits
        self._gate = gate
        self._logo = read_logo(settings.logo) if settings.logo else None
        rules = color_rules(settings.color) if settings.color else ""
        self._assets = load_assets(rules, self._logo.body if self._logo else None)

    def limit(self) -> None:
        """Count this request for its client's address, together with recipients' pages. Raises `TooMany`."""
        self._limits.request_from(request.remote_addr)
        if request.method == "POST":
            request.max_content_length = request.max_form_memory_size = MAX_FORM_BYTES

    def context(self) -> dict[str, object]:
        """What every template may use."""
        visitor = g.get("visitor")
        return {
            "assets": self._assets,
            "downloads": downloads,
            "form_token": self._gate.browsers.form_token,
            "logo": self._logo,
            "moment": moment,
            "organization": self._settings.organization,
            "pages": pages_of(visitor.session) if visitor else [],
            "path": request.path,
            "say": say,
            "session": visitor.session if visitor else None,
        }

    def unavailable(self, error: Exception) -> Response:
        """A part that is needed does not answer: nothing was done."""
        LOG.error("nothing was done", exc_info=error)
        answer = message(503, "unavailable")
        answer.headers["Retry-After"] = "5"
        return answer

    def refused(self, error: DomainError) -> Response:
        """A problem that the domain names, in its words: they are written for the lender's people."""
        if isinstance(error, TooMany):
            answer = message(429, "limited")
            answer.headers["Retry-After"] = str(error.seconds)
            return answer
        if error.problem == Problem.FORBIDDEN and "visitor" in g:
            return message(403, "forbidden", roles=", ".join(g.visitor.session.roles))
        if error.problem == Problem.NOT_FOUND:
            return message(404, "not_found")
        meaning = MEANINGS[error.problem]
        return told(meaning.status, meaning.title, error.detail)

    def foreign(self, _: ForeignForm) -> Response:
        """A form of somebody else's page, or of a browser without its cookie."""
        return message(403, "foreign", sign_in="visitor" not in g)

    def too_large(self, _: RequestEntityTooLarge) -> Response:
        """A form with more than any of ours can hold."""
        return message(413, "too_large")

    def failed(self, error: Exception) -> Response:
        """A mistake of ours. The log gets the traceback."""
        if isinstance(error, HTTPException) and (error.code or 500) < 500:
            return message(404, "not_found")
        LOG.error("a request of the console failed", exc_info=error)
        return message(500, "failed")
