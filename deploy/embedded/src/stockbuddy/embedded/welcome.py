"""What the operator reads once the system answers: where it is, and how the first admin is made."""

import asyncio
import sys

import uvicorn

from stockbuddy.embedded.settings import EmbeddedSettings

POLL_SECONDS = 0.02


async def welcome(settings: EmbeddedSettings, server: uvicorn.Server) -> None:
    while not server.started:
        await asyncio.sleep(POLL_SECONDS)
    print(text(f"http://127.0.0.1:{settings.port}"), file=sys.stderr, flush=True)


def text(url: str) -> str:
    return f"""
Stockbuddy is ready at {url} (API documentation: {url}/docs). Ctrl-C stops it.

Make the first admin, once:
  curl -s {url}/api/v1/auth/admin/register -H 'Content-Type: application/json' \\
    -d '{{"username": "admin", "email": "admin@example.com", "password": "choose-a-Long-one-7"}}'
"""
