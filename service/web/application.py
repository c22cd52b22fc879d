"""The web application: the API, the recipients' pages, the console, probes and documentation over one `Sealmark`."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask, Response, request
from flask_openapi.openapi import OpenAPI
from prometheus_client import CollectorRegistry

from service.access import Scope
from service.app import Sealmark
from service.web import health, logging, metrics, problems, requests
from service.web.api import (
    access_requests,
    access_rules,
    batches,
    board,
    citations,
    cuts,
    description,
    docs,
    documents,
    evidence,
    holds,
    log,
    nda_texts,
    ndas,
    recipients,
    shares,
    versions,
    webhooks,
)
from service.web.api.callers import authenticate_callers
from service.web.api.uploads import Waiting
from service.web.console import console_pages
from service.web.recipient import recipient_pages

RESOURCES = (
    *(
        documents,
        citations,
        versions,
        cuts,
        recipients,
        ndas,
        nda_texts,
        shares,
        access_requests,
        access_rules,
        batches,
    ),
    *(holds, log, evidence, board, webhooks),
)

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
"""On every answer that does not say otherwise itself."""

HSTS = "max-age=63072000"
"""Two years, as the preload lists ask; without subdomains, which are not ours to decide about."""


def create_app(
    sealmark: Sealmark,
    *,
    registry: CollectorRegistry | None = None,
    pause: Callable[[float], None] = time.sleep,
    seconds: Callable[[], float] = time.monotonic,
) -> OpenAPI:
    """The WSGI application. Make it after a fork; `registry` takes the metrics of its requests."""
    settings = sealmark.settings
    app = OpenAPI(
        __name__,
        static_folder=None,
        template_folder=None,
        **description.new_document(settings.url),
    )
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # else `//` is answered by a redirect in HTML
    measured = metrics.RequestMetrics(registry or CollectorRegistry())
    app.extensions["sealmark-metrics"] = measured
    logging.log_requests(app, measured.observe)
    requests.identify_requests(app, settings.url, settings.trusted_proxies, sealmark.random)
    problems.handle_errors(app, settings.url)
    problems.describe_types(app, settings.url)
    health.answer_probes(app, health.Readiness(sealmark, seconds))
    scopes: dict[str, Scope | None] = {}
    authenticate_callers(app, sealmark, scopes)
    for resource in RESOURCES:
        resource.routes.register(app, sealmark, scopes)
    app.extensions["sealmark-scopes"] = scopes
    app.extensions[versions.WAITING] = Waiting(settings.threads, pause, seconds)
    docs.serve_docs(app)
    app.register_blueprint(recipient_pages(sealmark))
    if sealmark.provider is not None:
        app.register_blueprint(console_pages(sealmark, sealmark.provider))
    _harden(app, https=settings.url.startswith("https:"))
    return app


def _harden(app: Flask, *, https: bool) -> None:
    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers["Strict-Transport-Security"] = HSTS
        if request.routing_exception is not None:
            response.headers["Cache-Control"] = "no-store"
        return response
