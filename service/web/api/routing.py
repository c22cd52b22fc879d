"""What a route of the API is: method, address, the one scope it needs, what it answers, and the problems it can state.

A resource module makes one `Routes`, and each decorator names the scope beside the address. A route is a function
of a `Call` and of the models it takes, named `path`, `query`, `header` and `body`; it returns a model, or a
finished response. Routes that make or decide something take `Idempotency-Key` and answer through `Answers.once`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any, get_type_hints

from flask import Response, request
from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, ConfigDict, Field

from service.access import Scope
from service.answers import MAX_KEY, Reply
from service.app import Sealmark
from service.errors import DomainError, Problem
from service.web.api import description
from service.web.api.callers import Call, current_call
from service.web.api.reading import JSON, fingerprint, read_header, read_request
from service.web.api.shapes import Optional

MODELS = ("path", "query", "header", "body")
"""The arguments of a route that are read from its request."""

View = Callable[..., Any]


class OnceHeader(BaseModel):
    """Header fields of a call that does something once a key."""

    model_config = ConfigDict(extra="ignore")
    idempotency_key: Annotated[
        Optional[Annotated[str, Field(min_length=1, max_length=MAX_KEY, pattern=r"^[!-~]+$")]],
        Field(
            alias="Idempotency-Key",
            description="Makes the call safe to repeat: the same key and body get the same answer, for 24 hours.",
        ),
    ] = None


@dataclass(frozen=True)
class Route:
    """One route as it was declared."""

    method: str
    rule: str
    scope: Scope | None  # None: for anybody, without a key
    view: View
    answers: Mapping[int, description.AnswerShape]
    problems: tuple[Problem, ...]
    takes: str | None  # the media type of a raw body
    creates: str | None  # the template of `Location`; empty: made, but not to be fetched
    links: description.Links  # what can be asked next, with parameters out of the answer
    prepares: View | None = None  # what a creating call does before its transaction
    once: bool = False  # it takes `Idempotency-Key`

    @property
    def models(self) -> dict[str, type[BaseModel]]:
        """The models it takes, by argument."""
        hints = get_type_hints(self.view, include_extras=True)
        return {name: hints[name] for name in MODELS if name in hints}


@dataclass
class Routes:
    """The routes of one resource."""

    name: str
    about: str
    routes: list[Route] = field(default_factory=list)

    def get(
        self,
        rule: str,
        *,
        scope: Scope,
        answer: description.AnswerShape,
        problems: tuple[Problem, ...] = (),
    ) -> Callable[[View], View]:
        """A route that changes nothing."""
        return self._add("get", rule, scope, {200: answer}, problems)

    def create(
        self,
        rule: str,
        *,
        scope: Scope,
        answer: type[BaseModel],
        location: str = "",
        links: description.Links | None = None,
        problems: tuple[Problem, ...] = (),
        prepares: View | None = None,
    ) -> Callable[[View], View]:
        """A POST that makes something, once a key; `location` has fields of the answer in braces.

        `prepares` takes the same arguments and runs before it, outside of its transaction: for what takes long, or
        stays when the call is refused. What it returns is the call's argument `prepared`.
        """
        return self._add(
            *("post", rule, scope, {201: answer}, problems),
            creates=location,
            links=links or {},
            prepares=prepares,
            once=True,
        )

    def decide(
        self, rule: str, *, scope: Scope, answer: type[BaseModel], problems: tuple[Problem, ...] = ()
    ) -> Callable[[View], View]:
        """A POST that is refused when it is repeated, but answers as before to the same key."""
        return self._add("post", rule, scope, {200: answer}, problems, once=True)

    def change(
        self,
        method: str,
        rule: str,
        *,
        scope: Scope,
        answer: type[BaseModel],
        problems: tuple[Problem, ...] = (),
    ) -> Callable[[View], View]:
        """A POST or PUT that may be repeated by its nature."""
        return self._add(method, rule, scope, {200: answer}, problems)

    def ask(
        self,
        rule: str,
        *,
        scope: Scope,
        answers: Mapping[int, description.AnswerShape],
        problems: tuple[Problem, ...] = (),
    ) -> Callable[[View], View]:
        """A POST that may be repeated by its nature, and whose work may go on afterwards."""
        return self._add("post", rule, scope, answers, problems)

    def upload(
        self,
        rule: str,
        *,
        scope: Scope,
        takes: str,
        answers: Mapping[int, description.AnswerShape],
        problems: tuple[Problem, ...] = (),
        method: str = "put",
    ) -> Callable[[View], View]:
        """A PUT of a raw body, which the route reads itself; or a POST, which keeps nothing of it."""
        return self._add(method, rule, scope, answers, problems, takes=takes)

    def public(
        self, rule: str, *, answer: description.AnswerShape, problems: tuple[Problem, ...] = ()
    ) -> Callable[[View], View]:
        """A route that anybody may read without a key: a function of the service, not of a call."""
        return self._add("get", rule, None, {200: answer}, problems)

    def register(self, app: OpenAPI, sealmark: Sealmark, scopes: dict[str, Scope | None]) -> None:
        """Serve the routes, describe them in the app's OpenAPI document, and note the scope of each endpoint."""
        for route in self.routes:
            endpoint = f"{self.name}-{route.view.__name__}"
            scopes[endpoint] = route.scope
            models = route.models
            getattr(app, route.method)(
                route.rule,
                endpoint=endpoint,
                operation_id=f"{self.name}_{route.view.__name__}",
                tags=[{"name": self.name, "description": self.about}],
                security=[] if route.scope is None else [{description.SECURITY: [str(route.scope)]}],
                openapi_extensions={} if route.scope is None else {"x-scope": str(route.scope)},
                responses=description.responses(
                    app, route.answers, self._problems(route, models), route.creates, route.links
                ),
                **description.request_body(route.takes),
            )(_served(route, models, sealmark))

    def _add(
        self,
        method: str,
        rule: str,
        scope: Scope | None,
        answers: Mapping[int, description.AnswerShape],
        problems: tuple[Problem, ...],
        *,
        takes: str | None = None,
        creates: str | None = None,
        links: description.Links | None = None,
        prepares: View | None = None,
        once: bool = False,
    ) -> Callable[[View], View]:
        if once:
            problems = (*problems, Problem.IDEMPOTENCY_MISMATCH, Problem.IDEMPOTENCY_RUNNING)

        def declare(view: View) -> View:
            route = Route(
                method, rule, scope, view, answers, problems, takes, creates, links or {}, prepares, once
            )
            self.routes.append(route)
            return view

        return declare

    @staticmethod
    def _problems(route: Route, models: Mapping[str, type[BaseModel]]) -> set[Problem]:
        """What the route states itself, and what its parts can."""
        stated = {*route.problems, *description.EVERYWHERE}
        if route.scope is None:
            stated -= {Problem.UNAUTHENTICATED, Problem.FORBIDDEN}
        if "path" in models:
            stated.add(Problem.NOT_FOUND)
        if "query" in models or route.once:
            stated.add(Problem.INVALID)
        if "body" in models:
            stated |= {
                Problem.MALFORMED,
                Problem.INVALID,
                Problem.TOO_LARGE,
                Problem.UNSUPPORTED_MEDIA_TYPE,
            }
        return stated


def _served(route: Route, models: Mapping[str, type[BaseModel]], sealmark: Sealmark) -> View:
    """The function that Flask calls. flask-openapi reads its annotations and leaves the reading to us."""

    @wraps(route.view)
    def served(**path: Any) -> Response:
        if route.scope is None:
            return as_response(route.view(sealmark, **read_request(models, path)), 200)
        call = current_call()
        if route.once:
            return _once(route, models, call, path)
        return as_response(route.view(call, **read_request(models, path)), 200)

    served.__annotations__ = dict(models)
    if route.once:
        served.__annotations__["header"] = OnceHeader
    del served.__wrapped__
    served.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return served


def _once(
    route: Route, models: Mapping[str, type[BaseModel]], call: Call, path: Mapping[str, Any]
) -> Response:
    key = read_header(OnceHeader).idempotency_key
    arguments = read_request(models, path)

    def prepare() -> Callable[[], Reply]:
        prepared = {} if route.prepares is None else {"prepared": route.prepares(call, **arguments)}

        def make() -> Reply:
            body = encoded(route.view(call, **arguments, **prepared))
            return Reply(min(route.answers), body, call.recipients[-1] if call.recipients else None)

        return make

    same = fingerprint(with_body="body" in models)
    reply = call.sealmark.answers.once(call.key.id, key, same, prepare) if key else prepare()()
    response = Response(reply.body, status=reply.status, content_type=JSON)
    if route.creates:
        response.headers["Location"] = route.creates.format_map(json.loads(reply.body))
    return response


def as_response(answer: BaseModel | Response, status: int) -> Response:
    """A model as JSON; a response as it is."""
    if isinstance(answer, Response):
        return answer
    return Response(encoded(answer), status=status, content_type=JSON)


def encoded(answer: BaseModel) -> bytes:
    """The JSON of an answer, in UTF-8."""
    return answer.model_dump_json(by_alias=True).encode()


def require_type(expected: str) -> None:
    """Raise `DomainError` (unsupported-media-type) unless the body is said to be of this type."""
    if request.mimetype != expected:
        detail = f"Send the file as the raw body, with Content-Type: {expected}."
        raise DomainError(Problem.UNSUPPORTED_MEDIA_TYPE, detail, expected=expected)
