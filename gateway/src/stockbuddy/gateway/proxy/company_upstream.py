"""An upstream whose service serves several companies in one process (docs/adr/0041)."""

from starlette.types import Receive, Scope, Send

from stockbuddy.chassis.runtime.companies import COMPANY_HEADER
from stockbuddy.gateway.proxy.upstream import Upstream


class CompanyUpstream:
    """Names the company in every request. Requests of clients have lost this header before."""

    def __init__(self, upstream: Upstream, company: str) -> None:
        self._upstream = upstream
        self._header = (COMPANY_HEADER, company.encode())

    async def open(self) -> None:
        await self._upstream.open()

    async def close(self) -> None:
        await self._upstream.close()

    @property
    def replicas(self) -> tuple[int, int]:
        return self._upstream.replicas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"].append(self._header)
        await self._upstream(scope, receive, send)
