"""Serves several companies in one process: an app for each, chosen by a header of the request."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from asgi_lifespan import LifespanManager
from starlette.datastructures import Headers
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from stockbuddy.chassis.http.errors import NotFound, problem_response
from stockbuddy.chassis.runtime.companies import COMPANY_HEADER, company_context

PROCESS_PATHS = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json"})
"""Requested by orchestrators, Prometheus and the operator, who mean the process: the first company answers, and the
metrics are those of all."""
METRICS_PATH = "/metrics"
POLICY_VIOLATION = 1008

CompanyOf = Callable[[Scope], str | None]


class UnknownCompany(NotFound):
    """No company is served here."""

    code = "unknown_company"


class CompanyApps:
    """`apps` by company. `company_of`: the company that a request names. `fallback`: the one that answers requests that
    name none, or an unknown one; without it, these are refused."""

    def __init__(self, apps: Mapping[str, ASGIApp], company_of: CompanyOf, *, fallback: str | None = None) -> None:
        self._apps = apps
        self._company_of = company_of
        self._fallback = fallback
        self._lifespan = Router(lifespan=self._running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif (company := self._find(scope)) is not None:
            with company_context(company):
                await self._apps[company](scope, receive, send)
        elif scope["path"] in PROCESS_PATHS:
            await self._answer_for_process(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION)(scope, receive, send)
        else:
            await problem_response(UnknownCompany())(scope, receive, send)

    def _find(self, scope: Scope) -> str | None:
        company = self._company_of(scope)
        return company if company in self._apps else self._fallback

    async def _answer_for_process(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, *others = self._apps
        if scope["path"] == METRICS_PATH:
            for company in others:  # each updates its gauges in the registry of the process
                with company_context(company):
                    await self._apps[company](dict(scope), receive, _discard)
        with company_context(first):
            await self._apps[first](scope, receive, send)

    @contextlib.asynccontextmanager
    async def _running(self, _: object) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for company, app in self._apps.items():
                with company_context(company):
                    await stack.enter_async_context(LifespanManager(app, startup_timeout=None, shutdown_timeout=None))
            yield


def company_of_header(scope: Scope) -> str | None:
    """For services: the gateway sets the header."""
    return Headers(scope=scope).get(COMPANY_HEADER.decode())


async def _discard(_: Message) -> None:
    """The response of a company whose gauges alone are wanted."""
