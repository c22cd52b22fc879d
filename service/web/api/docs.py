"""`/openapi.json`, and `/docs`, a page to try the API at that loads nothing from elsewhere.

Swagger UI comes in a package. Its own page has a script inline; this one has not, so that its policy allows none.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flask import Response, jsonify
from flask_openapi.openapi import OpenAPI

from service.errors import DomainError, Problem
from service.web.api import description

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""`data:` images: Swagger UI's style sheet holds its icons so. It sets styles by script only, which needs no leave."""

ASSETS = {
    "swagger-ui.css": ("css", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("js", "text/javascript; charset=utf-8"),
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sealmark API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<noscript>This page needs JavaScript. The description itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

START = """"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


def serve_docs(app: OpenAPI) -> None:
    """Serve the document and the page. Neither needs a key: they say nothing that the source does not."""
    package = Path(str(files("flask_openapi_swagger"))) / "templates" / "swagger"
    assets = {name: ((package / folder / name).read_bytes(), kind) for name, (folder, kind) in ASSETS.items()}
    assets["start.js"] = (START.encode(), "text/javascript; charset=utf-8")

    @app.route("/openapi.json")
    def openapi() -> Response:
        return jsonify(description.document(app))

    @app.route("/docs")
    def docs() -> Response:
        response = Response(PAGE, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.route("/docs/<name>")
    def docs_asset(name: str) -> Response:
        if name not in assets:
            raise DomainError(Problem.NOT_FOUND, "There is no such file.")
        body, kind = assets[name]
        return Response(body, content_type=kind)
