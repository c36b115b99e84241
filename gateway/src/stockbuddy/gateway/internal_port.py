"""The port of `/metrics` and of health checks, which is not public: without checks of host, HTTPS and rate.

It is served by the event loop of the public port, so that a check of the one is a check of the other.
"""

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stockbuddy.chassis.runtime.metrics import metrics_page


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _metrics(request: Request) -> Response:
    return await metrics_page(request)


class InternalPort(uvicorn.Server):
    """Runs without uvicorn's main loop, whose signal handlers belong to the public port."""

    def __init__(self, host: str, port: int) -> None:
        app = Starlette(routes=[Route("/metrics", _metrics), Route("/health/live", _live)])
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
            )
        )

    async def start(self) -> None:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup()
